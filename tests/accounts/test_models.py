"""What the database refuses about users, invitations and events."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AppendOnlyError, Event, Invitation, User
from tests.constraints import refused_by
from tests.factories import a_user

pytestmark = pytest.mark.django_db


def test_an_email_in_capitals_is_refused() -> None:
    with refused_by("an_email_is_stored_in_lower_case"):
        User.objects.create(email="Owner@Example.org")


def test_a_user_is_made_with_a_small_email_whatever_was_typed() -> None:
    assert a_user("Owner@Example.ORG").email == "owner@example.org"


def test_an_invitation_that_expires_before_it_was_made_is_refused() -> None:
    now = timezone.now()
    with refused_by("an_invitation_expires_after_it_was_made"):
        Invitation.objects.create(token_hash="0" * 64, created_at=now, expires_at=now - timedelta(days=1))


def test_a_new_password_for_nobody_in_particular_is_refused() -> None:
    now = timezone.now()
    with refused_by("a_new_password_is_for_a_named_account"):
        Invitation.objects.create(
            token_hash="0" * 64, created_at=now, expires_at=now + timedelta(days=1), resets=True, email=""
        )


def test_an_event_without_a_verb_is_refused() -> None:
    with refused_by("an_event_has_a_verb"):
        Event.objects.create(actor_name="owner", verb="", object="experiment 1")


def test_events_are_only_ever_added() -> None:
    event = Event.objects.create(actor_name="owner", verb="sealed", object="experiment 1")
    event.verb = "closed"
    with pytest.raises(AppendOnlyError):
        event.save()
    with pytest.raises(AppendOnlyError):
        event.delete()
    with pytest.raises(AppendOnlyError):
        Event.objects.all().delete()
    with pytest.raises(AppendOnlyError):
        Event.objects.update(verb="closed")
    assert Event.objects.get().verb == "sealed"


def test_an_event_outlives_its_actor() -> None:
    user = a_user()
    Event.objects.create(actor=user, actor_name=user.email, verb="sealed", object="experiment 1")
    user.delete()
    assert Event.objects.get().actor_name == "owner@example.org"


def test_what_an_event_says_of_itself_reads_without_true_and_false() -> None:
    detail = {"again": False, "staff": True, "inputs": 50, "seal": "0123456789" * 4}
    assert Event(detail=detail).said == "staff, inputs: 50, seal: 01234567890123456789012…"
    assert Event().said == ""
