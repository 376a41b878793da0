"""How long somebody stays signed in, and what ends it."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from accounts.actions import reset_link
from accounts.models import Event, User
from accounts.people import set_active, set_staff
from accounts.sessions import SessionStore
from accounts.signing_in import BEGAN, IDLE, LONGEST, SEEN
from ratings.access import LONGEST as SEAT
from ratings.access import _seated
from tests.factories import a_rating_experiment, a_user
from tests.ratings.driving import a_seated_client

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
NEW = "a violin in the snow"


def signed_in(email: str = "owner@example.org") -> Client:
    client = Client()
    assert client.post("/login/", {"email": email, "password": PASSWORD}).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def age(client: Client, **stamps: timedelta) -> None:
    session = client.session
    for name, by in stamps.items():
        session[name] -= by.total_seconds()
    session.save()


def key(client: Client) -> str:
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def test_signing_in_and_out_changes_the_key_of_the_session() -> None:
    a_user()
    client = a_seated_client(a_rating_experiment())
    before = key(client)
    client.post("/login/", {"email": "owner@example.org", "password": PASSWORD})
    assert key(client) != before
    assert not Session.objects.filter(pk=before).exists()
    client.post("/logout/")
    assert not Session.objects.exists()


def test_two_hours_and_twelve_are_what_was_promised() -> None:
    assert (timedelta(hours=2), timedelta(hours=12), timedelta(days=14)) == (IDLE, LONGEST, SEAT)


def test_a_session_ends_after_two_hours_in_which_nothing_was_asked() -> None:
    a_user()
    client = signed_in()
    age(client, **{SEEN: IDLE - timedelta(minutes=5)})
    assert is_in(client)
    age(client, **{SEEN: IDLE - timedelta(minutes=5)})
    assert is_in(client)  # each request counts
    age(client, **{SEEN: IDLE})
    assert not is_in(client)


def test_a_session_ends_after_twelve_hours_however_busy() -> None:
    a_user()
    client = signed_in()
    age(client, **{BEGAN: LONGEST - timedelta(minutes=1)})
    assert is_in(client)
    age(client, **{BEGAN: timedelta(minutes=2)})
    assert not is_in(client)
    assert not is_in(client)


def test_a_raters_seat_outlasts_the_owners_session_in_the_same_browser() -> None:
    a_user()
    client = a_seated_client(a_rating_experiment())
    client.post("/login/", {"email": "owner@example.org", "password": PASSWORD})
    age(client, **{BEGAN: LONGEST})
    assert not is_in(client)
    assert client.get("/rate/").status_code == 200


def test_a_raters_seat_ends_after_a_fortnight() -> None:
    client = a_seated_client(a_rating_experiment())
    session = client.session
    session["rater"] = session["rater"] | {"at": (timezone.now() - timedelta(days=14)).timestamp()}
    session.save()
    assert client.get("/rate/").status_code == 404


def test_the_cookie_is_kept_from_scripts_and_other_sites() -> None:
    a_user()
    cookie = signed_in().cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_a_new_password_ends_every_other_session_and_changes_this_ones_key() -> None:
    a_user()
    here, there = signed_in(), signed_in()
    before = key(here)
    fields = {"present": PASSWORD, "password": NEW, "again": NEW}
    assert here.post("/account/", fields).headers["Location"] == "/account/"
    assert (is_in(here), is_in(there)) == (True, False)
    assert key(here) != before
    assert Event.objects.filter(verb="set a new password", object="user owner@example.org").count() == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"present": "wrong", "password": NEW, "again": NEW}, "not your present password"),
        ({"present": PASSWORD, "password": NEW, "again": "another violin"}, "The two passwords differ"),
        ({"present": PASSWORD, "password": "short", "again": "short"}, "too short"),
        ({"present": PASSWORD, "password": "sojdlg123aljg", "again": "sojdlg123aljg"}, "too common"),
        ({}, "required"),
    ],
)
def test_a_password_is_changed_only_by_whoever_knows_it_and_for_a_good_one(fields: dict[str, str], said: str) -> None:
    user = a_user()
    answer = signed_in().post("/account/", fields)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert User.objects.get(pk=user.pk).check_password(PASSWORD)


def test_signing_out_everywhere_leaves_no_session_of_the_account() -> None:
    a_user()
    a_user("other@example.org")
    here, there, other = signed_in(), signed_in(), signed_in("other@example.org")
    answer = here.post("/logout/everywhere/")
    assert "storage" in answer.headers["Clear-Site-Data"]
    assert [is_in(client) for client in (here, there, other)] == [False, False, True]


def test_another_role_and_a_locked_account_end_the_sessions() -> None:
    user, boss = a_user(), a_user("boss@example.org", is_staff=True, is_superuser=True)
    client = signed_in()
    set_staff(user, True, by=boss)
    assert not is_in(client)
    client = signed_in()
    set_active(user, False, by=boss)
    assert not is_in(client)
    assert (
        "do not belong together" in client.post("/login/", {"email": user.email, "password": PASSWORD}).content.decode()
    )


def test_whoever_is_let_in_again_signs_in_again_and_by_no_older_link() -> None:
    user, boss = a_user(), a_user("boss@example.org", is_staff=True, is_superuser=True)
    client, link = signed_in(), reset_link(user, by=boss)
    set_active(user, False, by=boss)
    set_active(user, True, by=boss)
    assert not is_in(client)
    assert Client().get(link.url.removeprefix(settings.PUBLIC_URL)).status_code == 404


def test_the_account_page_shows_who_came_in_and_from_where() -> None:
    a_user()
    Client(REMOTE_ADDR="203.0.113.9").post("/login/", {"email": "owner@example.org", "password": "wrong"})
    page = signed_in().get("/account/").content.decode()
    assert "failed to sign in" in page
    assert "203.0.113.0/24" in page
    assert "203.0.113.9" not in page


def test_a_database_that_is_away_is_no_session_that_was_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    a_user()
    client = signed_in()
    age(client, **{SEEN: timedelta(minutes=5)})  # so that the next request writes it down

    def save(session: Session, **options: object) -> None:
        raise OperationalError("could not serialize access due to concurrent update")

    with monkeypatch.context() as patch:
        patch.setattr(Session, "save", save)
        client.raise_request_exception = False
        answer = client.get("/")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert is_in(client)


def test_a_session_that_ended_meanwhile_is_not_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    a_user()
    client = signed_in()
    age(client, **{SEEN: timedelta(minutes=5)})
    whole = SessionStore.save

    def save(store: SessionStore, must_create: bool = False) -> None:
        Session.objects.all().delete()
        whole(store, must_create)

    with monkeypatch.context() as patch:
        patch.setattr(SessionStore, "save", save)
        assert client.get("/").status_code == 400
    assert not Session.objects.exists()


def test_what_was_changed_in_a_session_is_not_read_over_by_what_is_read_beside_it() -> None:
    stored = SessionStore()
    stored["kept"] = "before"
    stored.save()
    session = SessionStore(stored.session_key)
    beside = _seated.of(0)
    assert session.load_beside(beside) == []
    assert session["kept"] == "before"
    session["kept"] = "after"
    assert session.load_beside(beside) == []
    assert session["kept"] == "after"
    gone = SessionStore("nobody")
    assert gone.load_beside(beside) == []
    assert (gone.session_key, dict(gone.items())) == (None, {})
