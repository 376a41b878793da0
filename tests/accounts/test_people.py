"""Invitations, reset links and roles: what staff may do, and what only superusers may."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Event, Invitation, User
from tests.accounts.test_actions import token_of
from tests.factories import a_user

pytestmark = pytest.mark.django_db
NEW = {"password": "a violin in the snow", "again": "a violin in the snow"}


def staff(*, superuser: bool = True) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("boss@example.org", is_staff=True, is_superuser=superuser))
    return client


def link_on(page: str) -> str:
    return "/welcome/" + token_of(page.split('id="link">')[1].split("<", maxsplit=1)[0]) + "/"


def test_an_invitation_is_shown_once_listed_and_makes_an_owner() -> None:
    boss = staff()
    page = boss.post("/people/", {"email": "Ann@Example.org"}).content.decode()
    path = link_on(page)
    assert path not in boss.get("/people/").content.decode()
    assert "join as an owner" in boss.get("/people/").content.decode()
    assert Client().post(path, {"name": "Ann", **NEW}).headers["Location"] == "/"
    ann = User.objects.get(email="ann@example.org")
    assert (ann.name, ann.is_staff) == ("Ann", False)
    assert "join as an owner" not in boss.get("/people/").content.decode()


def test_a_withdrawn_link_no_longer_works() -> None:
    boss = staff()
    path = link_on(boss.post("/people/", {"email": "ann@example.org"}).content.decode())
    boss.post("/people/links/", {"invitation": Invitation.objects.get().pk})
    assert Client().get(path).status_code == 404
    assert Client().post(path, {"name": "", **NEW}).status_code == 404
    assert Event.objects.filter(verb="withdrew the link of", object="user ann@example.org").exists()


def test_who_has_an_account_is_not_invited_again() -> None:
    a_user()
    page = staff().post("/people/", {"email": "owner@example.org"}).content.decode()
    assert "has an account already" in page
    assert not Invitation.objects.exists()


def test_a_reset_link_sets_a_password_once_and_the_one_before_it_stops() -> None:
    user, boss = a_user(), staff()
    first, second = (
        link_on(boss.post("/people/changes/", {"user": user.pk, "do": "link"}).content.decode()) for _ in range(2)
    )
    assert Client().get(first).status_code == 404
    assert "sets a new password" in Client().get(second).content.decode()
    assert Client().post(second, NEW).status_code == 302
    assert Client().get(second).status_code == 404
    user.refresh_from_db()
    assert user.check_password(NEW["password"])


def test_a_reset_link_is_good_for_a_day() -> None:
    user, boss = a_user(), staff()
    path = link_on(boss.post("/people/changes/", {"user": user.pk, "do": "link"}).content.decode())
    past = timezone.now() - timedelta(hours=25)
    Invitation.objects.update(created_at=past, expires_at=past + timedelta(hours=24))
    assert Client().get(path).status_code == 404


def test_a_used_password_link_withdraws_the_others_of_the_account() -> None:
    boss = staff()
    first = link_on(boss.post("/people/", {"email": "ann@example.org"}).content.decode())
    second = link_on(boss.post("/people/", {"email": "ann@example.org"}).content.decode())
    Client().post(second, {"name": "", **NEW})
    assert Client().get(first).status_code == 404


@pytest.mark.parametrize(
    ("do", "after"),
    [("staff", (True, True, True)), ("out", (False, False, False))],
)
def test_roles_are_changed_and_written_down(do: str, after: tuple[bool, bool, bool]) -> None:
    user = a_user()
    staff().post("/people/changes/", {"user": user.pk, "do": do})
    user.refresh_from_db()
    assert (user.is_active, user.is_staff, user.is_superuser) == after
    assert Event.objects.filter(actor_name="boss@example.org", object="user owner@example.org").count() == 1


@pytest.mark.parametrize("do", ["link", "owner", "out"])
def test_staff_cannot_touch_staff_unless_superuser(do: str) -> None:
    other = a_user("other@example.org", is_staff=True, is_superuser=True)
    staff(superuser=False).post("/people/changes/", {"user": other.pk, "do": do})
    other.refresh_from_db()
    assert (other.is_active, other.is_staff) == (True, True)
    assert not Invitation.objects.exists()


def test_staff_get_no_link_to_a_superuser_who_has_no_password_yet() -> None:
    a_user("other@example.org", is_staff=True, is_superuser=True)
    User.objects.filter(email="other@example.org").update(password="!")
    page = staff(superuser=False).post("/people/", {"email": "other@example.org"}).content.decode()
    assert "only a superuser may change that account" in page
    assert not Invitation.objects.exists()


def test_staff_cannot_appoint_staff_unless_superuser() -> None:
    user, client = a_user(), staff(superuser=False)
    client.post("/people/changes/", {"user": user.pk, "do": "staff"})
    page = client.post("/people/", {"email": "ann@example.org", "staff": "on"}).content.decode()
    user.refresh_from_db()
    assert not user.is_staff
    assert "nly a superuser" in page
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("do", ["owner", "out"])
def test_nobody_locks_themselves_out(do: str) -> None:
    client = staff()
    boss = User.objects.get()
    answer = client.post("/people/changes/", {"user": boss.pk, "do": do}, follow=True)
    assert "your own account" in answer.content.decode()
    boss.refresh_from_db()
    assert (boss.is_active, boss.is_staff) == (True, True)


def test_people_are_found_by_address_and_name() -> None:
    a_user("ann@example.org", name="Ann Lee")
    a_user("bob@example.org", name="Bob")
    page = staff().get("/people/?q=lee").content.decode()
    assert "ann@example.org" in page
    assert "bob@example.org" not in page


@pytest.mark.parametrize("path", ["/people/changes/", "/people/links/"])
@pytest.mark.parametrize(
    "data", [{}, {"user": "x", "do": "out"}, {"user": "9" * 30, "do": "out"}, {"invitation": "9" * 30}]
)
def test_forged_forms_are_refused(path: str, data: dict[str, str]) -> None:
    assert staff().post(path, data).status_code == 400
