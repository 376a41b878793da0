"""Who has an account here, and what those who run the site may do about it."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.actions import OneTimeLink, invite, log, reset_link
from accounts.models import Invitation, User

NO_LONGER_STAFF = "made an owner only"


class CannotDo(Exception):
    """What somebody may not do to an account; the message says why."""


@dataclass(frozen=True, slots=True)
class People:
    """Everybody with an account, and the invitations that still work."""

    users: QuerySet[User]
    invitations: QuerySet[Invitation]


def people(*, words: str = "") -> People:
    """Those whose address or name has these words, by address."""
    users = User.objects.order_by("email")
    for word in words.split():
        users = users.filter(email__icontains=word) | users.filter(name__icontains=word)
    invitations = Invitation.objects.open().select_related("invited_by").order_by("-created_at", "-pk")
    return People(users=users, invitations=invitations)


@transaction.atomic
def invite_somebody(*, email: str, staff: bool, by: User) -> OneTimeLink:
    """A one-time link for a new account. Raises CannotDo where the address has an account with a password."""
    if staff:
        _check_may_appoint(by)
    known = User.objects.filter(email=email).first()
    if known is not None and known.has_usable_password():
        raise CannotDo(f"{email} has an account already. Make a reset link if the password is lost.")
    if known is not None:
        _check_may_change(known, by)
    return invite(email=email, staff=staff, by=by)


@transaction.atomic
def withdraw(invitation: Invitation, *, by: User) -> None:
    """The link stops working."""
    if Invitation.objects.open().filter(pk=invitation.pk).update(revoked_at=timezone.now()):
        log(by, "withdrew the link of", f"user {invitation}")


@transaction.atomic
def new_link(user: User, *, by: User) -> OneTimeLink:
    """A link for a new password, to be handed over in person. Raises CannotDo."""
    _check_may_change(user, by)
    return reset_link(user, by=by)


@transaction.atomic
def set_staff(user: User, staff: bool, *, by: User) -> None:
    """Let somebody run the site, or no longer; their sessions end. Raises CannotDo."""
    _check_may_appoint(by)
    _check_not_oneself(user, by)
    user.is_staff = user.is_superuser = staff
    user.save(update_fields=["is_staff", "is_superuser"])
    user.end_sessions()
    log(by, "made staff" if staff else NO_LONGER_STAFF, f"user {user.email}")


@transaction.atomic
def set_active(user: User, active: bool, *, by: User) -> None:
    """Let somebody sign in, or no longer; their sessions and links end. Raises CannotDo."""
    _check_may_change(user, by)
    _check_not_oneself(user, by)
    user.is_active = active
    user.save(update_fields=["is_active"])
    user.end_sessions()
    if not active:
        Invitation.objects.open().filter(email=user.email).update(revoked_at=timezone.now())
    log(by, "let in again" if active else "locked out", f"user {user.email}")


def _check_may_appoint(by: User) -> None:
    if not by.is_superuser:
        raise CannotDo("only a superuser decides who runs the site.")


def _check_may_change(user: User, by: User) -> None:
    if user.is_staff and not by.is_superuser:
        raise CannotDo(f"{user.email} runs the site: only a superuser may change that account.")


def _check_not_oneself(user: User, by: User) -> None:
    if user.pk == by.pk:
        raise CannotDo("this is your own account: somebody else has to do it.")
