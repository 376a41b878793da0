"""What accounts write: events of the audit log, users, and one-time links that make accounts."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Event, Invitation, User
from config.visitors import place

COMMAND_LINE = "command line"
IMPORTED = "imported"
LINK_LIFE = timedelta(days=7)
RESET_LIFE = timedelta(hours=24)
LOOK_AGAIN = timedelta(hours=1)
# Nothing that a log file, a terminal or a page would act on instead of showing.
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


class NoSuchInvitation(Exception):
    """A one-time link that is unknown, used or expired."""


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """An address that makes an account, or its new password, once; it is shown once and kept only as a hash."""

    url: str
    email: str
    expires: datetime


def log(actor: User | str | None, verb: str, obj: str, **detail: Any) -> Event:
    """Add an event: `actor` (an account, or what to call whoever has none) did `verb` to `obj`, in lasting text.

    `detail` must be JSON and must hold no prompt, answer, key or name of a system. Where the event came with a request,
    the network it came from is kept too.
    """
    account = actor if isinstance(actor, User) else None
    name = account.email if account else str(actor or COMMAND_LINE)
    return Event.objects.create(
        actor=account,
        actor_name=escaped(name)[:254],
        verb=verb,
        object=escaped(obj)[:200],
        place=place(),
        detail={key: escaped(value) if isinstance(value, str) else value for key, value in detail.items()},
    )


def look(actor: User, what: str, obj: str) -> None:
    """Add that somebody looked at something, once an hour at most."""
    since = timezone.now() - LOOK_AGAIN
    seen = Event.objects.filter(object=escaped(obj)[:200], verb=f"looked at {what}", actor_name=actor.email)
    if not seen.filter(at__gt=since).exists():
        log(actor, f"looked at {what}", obj)


def history(obj: str, *, since: datetime) -> QuerySet[Event]:
    """What was done to an object that is here since `since`: nothing of an earlier one of its name, deleted by now.

    What was imported says itself since when it exists, which may be long before it came here.
    """
    events = Event.objects.filter(object=escaped(obj)[:200], at__gte=since)
    came = events.filter(verb=IMPORTED).order_by("-at").values_list("at", flat=True).first()
    return events if came is None else events.filter(at__gte=came)


def escaped(text: str) -> str:
    """The text with control characters, and those that turn or hide what follows, written out."""
    return _UNSHOWN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


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
    link = _link(email=email.strip().lower(), life=LINK_LIFE, staff=staff, invited_by=by)
    log(by, "invited", f"user {email or 'anyone with the link'}", staff=staff)
    return link


@transaction.atomic
def reset_link(user: User, *, by: User | None) -> OneTimeLink:
    """A one-time link, good for a day, that sets a new password of an account; the one before it stops working."""
    Invitation.objects.open().filter(email=user.email).update(revoked_at=timezone.now())
    link = _link(email=user.email, life=RESET_LIFE, resets=True, invited_by=by)
    log(by or "a visitor", "made a reset link", f"user {user.email}")
    return link


def withdraw_links(email: str, *, but_of: User) -> None:
    """The links to an account that others made stop working; those of the people who run the site stay."""
    kept = Q(invited_by=but_of) | Q(invited_by=None) | Q(invited_by__is_superuser=True)
    Invitation.objects.open().filter(email=email).exclude(kept).update(revoked_at=timezone.now())


def _link(*, email: str, life: timedelta, **fields: Any) -> OneTimeLink:
    token, expires = secrets.token_urlsafe(32), timezone.now() + life
    Invitation.objects.create(email=email, token_hash=_hash(token), expires_at=expires, **fields)
    return OneTimeLink(url=f"{settings.PUBLIC_URL}/welcome/{token}/", email=email, expires=expires)


def open_invitation(token: str) -> Invitation:
    """The unused, unexpired invitation behind a token; raises NoSuchInvitation."""
    found = Invitation.objects.open().filter(token_hash=_hash(token)).first()
    if found is None:
        raise NoSuchInvitation("This link is unknown, was used already, or has expired.")
    return found


@transaction.atomic
def accept(*, token: str, email: str, name: str, password: str) -> User:
    """The account that a link makes or sets the password of; the link is used up, and others for it stop working.

    Raises NoSuchInvitation, and ValidationError where the address is taken or the password too weak.
    """
    invitation = open_invitation(token)
    email = User.objects.normalize_email(invitation.email or email).lower()
    used = Invitation.objects.open().filter(pk=invitation.pk).update(used_at=timezone.now())
    if not used:
        raise NoSuchInvitation("This link is unknown, was used already, or has expired.")
    user = User.objects.filter(email=email).first() or User(email=email)
    if user.pk and not invitation.email:
        raise ValidationError({"email": "There is an account with this address already."})
    user.name = name or user.name
    _set_password(user, password)
    if invitation.staff:
        user.is_staff = user.is_superuser = True
    user.save()
    Invitation.objects.open().filter(email=email).update(revoked_at=timezone.now())
    log(user, "set a new password" if invitation.resets else "joined", f"user {email}", staff=user.is_staff)
    return user


@transaction.atomic
def change_password(user: User, password: str) -> None:
    """A new password; every session of the account but the present one ends. Raises ValidationError."""
    _set_password(user, password)
    user.save(update_fields=["password"])
    Invitation.objects.open().filter(email=user.email, resets=True).update(revoked_at=timezone.now())
    log(user, "set a new password", f"user {user.email}")


def _set_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error
    user.set_password(password)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
