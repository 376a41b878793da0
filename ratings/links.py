"""Personal links: made, withdrawn, replaced, and exchanged for a session; only their hashes are kept."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.actions import log
from accounts.models import User
from accounts.throttling import LINKS, TooMany, attempt, check
from experiments.models import Experiment, Status
from experiments.refusals import Refused
from ratings.leaving_out import COUNTED_AGAIN, hold
from ratings.models import Rater

DAYS = 14
OPENED = "opened their link"


class CannotInvite(Refused):
    """Links that make no sense for this experiment."""


@dataclass(frozen=True, slots=True)
class Link:
    """A personal link; the address is shown once and cannot be found out again."""

    label: str
    url: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Knock:
    """What a token opens: a rater, or the reason why it does not ("unknown", "throttled", "revoked", "expired",
    "finished", "early"). The rater is known for all but the first two."""

    rater: Rater | None
    problem: str


def digest(token: str) -> str:
    """SHA-256 in hexadecimal; a 256-bit random token needs no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def invite(
    *,
    experiment: Experiment,
    labels: Sequence[str] | None = None,
    count: int = 1,
    email: str = "",
    days: int = DAYS,
    now: datetime | None = None,
) -> list[Link]:
    """One link a label, or `count` links for "Rater N"; good for so many days. Raises CannotInvite."""
    if experiment.status == Status.CLOSED:
        raise CannotInvite(f"{experiment.slug} is closed: nobody can rate it any more.")
    if days < 1:
        raise CannotInvite(f"a link is good for at least one day, not {days}.")
    taken = set(Rater.objects.filter(experiment=experiment).values_list("label", flat=True))
    names = _checked(labels, taken) if labels is not None else _numbered(count, taken)
    expires = (now or timezone.now()) + timedelta(days=days)
    made = [(name, secrets.token_urlsafe(32)) for name in names]
    Rater.objects.bulk_create(
        Rater(experiment=experiment, label=name, token_hash=digest(token), email=email, expires_at=expires)
        for name, token in made
    )
    return [_link(name, token, expires) for name, token in made]


def revoke(*, rater: Rater, now: datetime | None = None) -> None:
    """Withdraw a link; a session that it opened ends with its next request. Judgments stay and count, unless the owner
    leaves them out (`leaving_out.leave_out`)."""
    rater.revoked_at = now or timezone.now()
    rater.save(update_fields=["revoked_at"])


@transaction.atomic
def replace(*, rater: Rater, by: User | None = None, days: int = DAYS, now: datetime | None = None) -> Link:
    """A new link for the same rater: the old one and its sessions end, what was judged stays theirs and counts, also
    where it was left out: who is asked to rate on is not left out. Raises CannotInvite."""
    held = hold(rater)
    about = f"experiment {held.experiment.slug}"
    if held.experiment.status == Status.CLOSED:
        raise CannotInvite(f"{held.experiment.slug} is closed: nobody can rate it any more.")
    if held.left_out_at is not None:
        log(by, COUNTED_AGAIN, about, rater=held.label)
    token = secrets.token_urlsafe(32)
    held.token_hash, held.revoked_at, held.left_out_at = digest(token), None, None
    held.expires_at = expires = (now or timezone.now()) + timedelta(days=days)
    held.save(update_fields=["token_hash", "revoked_at", "left_out_at", "expires_at"])
    log(by, "replaced a link", about, rater=held.label)
    return _link(held.label, token, expires)


def knock(*, token: str, place: str, now: datetime) -> Knock:
    """Who a token belongs to and whether it opens; unknown ones are counted by `place`, the visitor's address."""
    try:
        check(LINKS, place, now=now)
    except TooMany:
        return Knock(None, "throttled")
    rater = Rater.objects.select_related("experiment").filter(token_hash=digest(token)).first()
    if rater is None:
        try:
            attempt(LINKS, place, now=now)
        except TooMany:
            return Knock(None, "throttled")
        return Knock(None, "unknown")
    return Knock(rater, problem_of(rater, now))


def problem_of(rater: Rater, now: datetime) -> str:
    """Why this rater cannot rate now, or an empty string."""
    if rater.revoked_at is not None:
        return "revoked"
    if rater.experiment.status == Status.CLOSED:
        return "finished"
    if not rater.may_rate(now):
        return "expired"
    return "" if rater.experiment.status == Status.RATING else "early"


def begin(*, rater: Rater, now: datetime) -> None:
    """Write down that a link was exchanged, for whoever wonders later, and whether it had been before; and when first.

    The order in which raters begin is their place in the balance of sides.
    """
    log(f"rater {rater.label}", OPENED, f"experiment {rater.experiment.slug}", again=rater.first_used_at is not None)
    Rater.objects.filter(pk=rater.pk, first_used_at__isnull=True).update(first_used_at=now)


def _link(label: str, token: str, expires: datetime) -> Link:
    return Link(label=label, url=f"{settings.PUBLIC_URL}/r/{token}/", expires=expires)


def _numbered(count: int, taken: set[str]) -> list[str]:
    if count < 1:
        raise CannotInvite(f"say how many links to make, at least 1, not {count}.")
    names: list[str] = []
    number = len(taken)
    while len(names) < count:
        number += 1
        if f"Rater {number}" not in taken:
            names.append(f"Rater {number}")
    return names


def _checked(labels: Sequence[str], taken: set[str]) -> list[str]:
    names = [label.strip() for label in labels]
    longest = Rater._meta.get_field("label").max_length or 0
    for number, name in enumerate(names):
        if not name or len(name) > longest:
            raise CannotInvite(f"a label has 1 to {longest} characters: {name[:40]!r}.")
        if name in taken or name in names[:number]:
            raise CannotInvite(f"there is a rater called {name} already: give another label, or replace the link.")
    return names
