"""What accounts write: events of the audit log, users, and one-time links that make accounts."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import Event, Invitation, User

COMMAND_LINE = "command line"
LINK_DAYS = 7


class NoSuchInvitation(Exception):
    """A one-time link that is unknown, used or expired."""


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """An address that makes an account once; it is shown once and kept only as a hash."""

    url: str
    email: str


def log(actor: User | None, verb: str, obj: str, **detail: Any) -> Event:
    """Add an event: `actor` (nobody: the command line) did `verb` to `obj`, named in text so that it outlives it.

    `detail` must be JSON and must hold no prompt, answer, key or name of a system.
    """
    name = actor.email if actor else COMMAND_LINE
    return Event.objects.create(actor=actor, actor_name=name, verb=verb, object=obj[:200], detail=detail)


@transaction.atomic
def owner_called(email: str, *, by: User | None = None) -> User:
    """The user with this address, made without a password where there is none yet."""
    email = User.objects.normalize_email(email.strip()).lower()
    known = User.objects.filter(email=email).first()
    if known:
        return known
    user = User.objects.create_user(email)
    log(by, "added", f"user {email}")
    return user


@transaction.atomic
def invite(*, email: str = "", staff: bool = False, by: User | None = None) -> OneTimeLink:
    """A one-time link, good for a week, that sets the password of a new or passwordless account."""
    token = secrets.token_urlsafe(32)
    Invitation.objects.create(
        email=email.strip().lower(),
        staff=staff,
        token_hash=_hash(token),
        invited_by=by,
        expires_at=timezone.now() + timedelta(days=LINK_DAYS),
    )
    log(by, "invited", f"user {email or 'anyone with the link'}", staff=staff)
    return OneTimeLink(url=f"{settings.PUBLIC_URL}/welcome/{token}/", email=email)


def open_invitation(token: str) -> Invitation:
    """The unused, unexpired invitation behind a token; raises NoSuchInvitation."""
    found = Invitation.objects.filter(
        token_hash=_hash(token), used_at__isnull=True, expires_at__gt=timezone.now()
    ).first()
    if found is None:
        raise NoSuchInvitation("This link is unknown, was used already, or has expired.")
    return found


@transaction.atomic
def accept(*, token: str, email: str, name: str, password: str) -> User:
    """The account that an invitation makes; the link is used up.

    Raises NoSuchInvitation, and ValidationError where the address is taken or the password too weak.
    """
    invitation = open_invitation(token)
    email = User.objects.normalize_email(invitation.email or email).lower()
    used = Invitation.objects.filter(pk=invitation.pk, used_at__isnull=True).update(used_at=timezone.now())
    if not used:
        raise NoSuchInvitation("This link is unknown, was used already, or has expired.")
    user = User.objects.filter(email=email).first() or User(email=email)
    if user.pk and not invitation.email:
        raise ValidationError({"email": "There is an account with this address already."})
    user.name = name or user.name
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error
    user.set_password(password)
    if invitation.staff:
        user.is_staff = user.is_superuser = True
    user.save()
    log(user, "joined", f"user {email}", staff=invitation.staff)
    return user


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
