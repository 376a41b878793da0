"""Events are only added; one-time links work once, and only for whom they were made."""

import re
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts import actions
from accounts.actions import NoSuchInvitation, accept, invite, log, owner_called
from accounts.models import AppendOnlyError, Event, Invitation, User
from tests.factories import a_user

pytestmark = pytest.mark.django_db
PASSWORD = "a violin in the snow"


def token_of(url: str) -> str:
    return url.rstrip("/").rsplit("/", 1)[-1]


def test_an_event_names_its_actor_and_outlives_it() -> None:
    user = a_user()
    log(user, "closed", "experiment x", judgments=3)
    user.delete()
    event = Event.objects.get(verb="closed")
    assert (event.actor_name, event.object, event.detail) == ("owner@example.org", "experiment x", {"judgments": 3})


def test_an_event_is_never_changed() -> None:
    event = log(None, "closed", "experiment x")
    event.verb = "opened"
    with pytest.raises(AppendOnlyError):
        event.save()
    with pytest.raises(AppendOnlyError):
        Event.objects.all().delete()


def test_an_owner_is_made_once_whatever_the_case_of_the_address() -> None:
    first = owner_called("Ann@Example.org")
    assert owner_called(" ann@example.org") == first
    assert not first.has_usable_password()


def test_a_link_makes_a_staff_account_once() -> None:
    token = token_of(invite(staff=True).url)
    user = accept(token=token, email="Boss@example.org", name="Boss", password=PASSWORD)
    assert (user.email, user.is_staff, user.check_password(PASSWORD)) == ("boss@example.org", True, True)
    with pytest.raises(NoSuchInvitation):
        accept(token=token, email="other@example.org", name="", password=PASSWORD)


def test_only_the_hash_of_a_link_is_kept() -> None:
    token = token_of(invite().url)
    assert token not in str(Invitation.objects.values())


def test_an_expired_link_is_refused() -> None:
    token = token_of(invite().url)
    past = timezone.now() - timedelta(days=8)
    Invitation.objects.update(created_at=past, expires_at=past + timedelta(days=7))
    with pytest.raises(NoSuchInvitation):
        accept(token=token, email="late@example.org", name="", password=PASSWORD)


def test_an_open_link_does_not_take_over_an_account() -> None:
    user = a_user()
    with pytest.raises(ValidationError, match="already"):
        accept(token=token_of(invite(staff=True).url), email=user.email, name="", password=PASSWORD)
    user.refresh_from_db()
    assert user.check_password("correct horse battery")
    assert not user.is_staff


def test_a_link_for_one_address_ignores_another() -> None:
    token = token_of(invite(email="ann@example.org").url)
    assert accept(token=token, email="eve@example.org", name="", password=PASSWORD).email == "ann@example.org"
    assert not User.objects.filter(email="eve@example.org").exists()


def test_a_weak_password_leaves_the_link_unused() -> None:
    token = token_of(invite(email="ann@example.org").url)
    with pytest.raises(ValidationError):
        accept(token=token, email="", name="", password="password")
    assert accept(token=token, email="", name="Ann", password=PASSWORD).name == "Ann"


def test_eleven_characters_are_one_too_few() -> None:
    token = token_of(invite(email="ann@example.org").url)
    with pytest.raises(ValidationError):
        accept(token=token, email="", name="", password="kW7-vioLin3")
    assert accept(token=token, email="", name="", password="kW7-vioLin3x").pk


def test_what_everybody_guesses_first_is_no_password_however_long() -> None:
    token = token_of(invite(email="ann@example.org").url)
    for guessed in ("qwerty123456", "q1w2e3r4t5y6", "ann@example.org"):
        with pytest.raises(ValidationError):
            accept(token=token, email="", name="", password=guessed)


def test_passwords_are_kept_by_argon2() -> None:
    token = token_of(invite(email="ann@example.org").url)
    assert accept(token=token, email="", name="", password=PASSWORD).password.startswith("argon2$argon2id$")


def test_of_two_who_use_a_link_at_once_one_gets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    token = token_of(invite().url)
    seen = actions.open_invitation(token)
    accept(token=token, email="ann@example.org", name="", password=PASSWORD)
    monkeypatch.setattr(actions, "open_invitation", lambda token: seen)  # it was still open when they looked
    with pytest.raises(NoSuchInvitation):
        accept(token=token, email="eve@example.org", name="", password=PASSWORD)
    assert not User.objects.filter(email="eve@example.org").exists()


def test_a_link_is_long_and_random() -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/welcome/[\w-]{43}/", invite().url)
