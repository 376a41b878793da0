"""Who works on which completion: rows are claimed one by one for a while, and the claim is renewed or given back.

A claim is one short transaction that locks the endpoint, counts the live claims and takes the next row, so that the
declared concurrency holds over all processes. Only the holder of a claim can finish its row.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from backends.models import Completion, Endpoint, State, System
from experiments.models import Status

LEASE_SECONDS = 30.0
MOST_BEGINNINGS = 20
TROUBLED = 5  # failures in a row after which a system is asked again only now and then, one call at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A row that this process works on; `token` proves it.

    `began`: when the row was first taken in this round; `calls`: how many calls were made for it before;
    `troubled`, `lowered`: whether the system was, when
    the row was taken; `is_probe`: whether the call finds out if a server that was away is back.
    """

    completion: int
    token: str
    system: int
    input: int
    sample: int
    began: datetime
    calls: int
    troubled: bool
    is_probe: bool
    lowered: bool


class Nothing(Enum):
    """Why no row was claimed: no place is free, or no row is due (or none may be asked for now)."""

    FREE = "no place is free"
    DUE = "no row is due"


def due(now: datetime) -> Q:
    """Rows of `Completion` that wait for somebody."""
    return Q(state=State.PENDING) & (Q(not_before__isnull=True) | Q(not_before__lte=now))


def limit_of(system: System) -> int:
    """How many calls the system may have under way now."""
    if system.failures_in_row >= TROUBLED:
        return 1
    return max(1, min(system.concurrency, system.lowered_to or system.concurrency))


def workable(system: System, now: datetime) -> bool:
    """Whether the system may be asked at all."""
    resting = system.circuit_until is not None and system.circuit_until > now
    return system.paused_at is None and not resting


@transaction.atomic
def claim_next(*, system_id: int, lease_seconds: float = LEASE_SECONDS) -> Claim | Nothing:
    """Take the next row of a system, or say why not."""
    now = timezone.now()
    system = System.objects.filter(pk=system_id, arm__experiment__status=Status.COLLECTING).first()
    if system is None or system.endpoint_id is None or not workable(system, now):
        return Nothing.DUE
    places = Endpoint.objects.select_for_update(no_key=True).get(pk=system.endpoint_id).max_concurrency
    if _full(system, places, now):
        return Nothing.FREE
    # All first samples come before any second one, in the order of the inputs.
    waiting = Completion.objects.select_for_update(skip_locked=True).filter(due(now), system=system)
    row = waiting.order_by("sample", "pk").first()
    return Nothing.DUE if row is None else _take(row, system, now, lease_seconds)


def take_back_overdue() -> int:
    """Put rows whose worker is gone (it did not renew its claim) back in line; how many there were."""
    now = timezone.now()
    lost = Completion.objects.filter(state=State.RUNNING, lease_until__lt=now)
    if not lost.exists():
        return 0
    with transaction.atomic():
        lost.filter(attempts__gte=MOST_BEGINNINGS).update(
            state=State.FAILED,
            failure_kind="lost",
            sentence=f"Fetching this answer was begun {MOST_BEGINNINGS} times and never came to an end: the process "
            "that did it was stopped each time. Look at its log and its memory, then fetch it again.",
            claim="",
            lease_until=None,
            finished_at=now,
        )
        return lost.update(state=State.PENDING, claim="", lease_until=None, started_at=None)


def renew(tokens: Collection[str], *, lease_seconds: float = LEASE_SECONDS) -> None:
    """Keep these claims for another while."""
    if not tokens:
        return
    with transaction.atomic():
        held = Completion.objects.filter(state=State.RUNNING, claim__in=tokens)
        held.update(lease_until=timezone.now() + timedelta(seconds=lease_seconds))


def give_back(tokens: Collection[str]) -> int:
    """Let others have these rows at once; how many there were."""
    if not tokens:
        return 0
    with transaction.atomic():
        held = Completion.objects.filter(state=State.RUNNING, claim__in=tokens)
        return held.update(state=State.PENDING, claim="", lease_until=None, not_before=None, started_at=None)


def _full(system: System, places: int, now: datetime) -> bool:
    live = list(
        Completion.objects.filter(system__endpoint=system.endpoint_id, state=State.RUNNING, lease_until__gte=now)
        .order_by()
        .values_list("system_id", flat=True)
    )
    return len(live) >= places or live.count(system.pk) >= limit_of(system)


def _take(row: Completion, system: System, now: datetime, lease_seconds: float) -> Claim:
    token = secrets.token_hex(16)
    # A row that waited for another call keeps its beginning: its user has been waiting since then.
    began = row.started_at if row.not_before and row.started_at else now
    Completion.objects.filter(pk=row.pk).update(
        state=State.RUNNING,
        claim=token,
        lease_until=now + timedelta(seconds=lease_seconds),
        not_before=None,
        started_at=began,
        # A call that is cut short by a kill was made all the same; finishing sets the true number.
        attempts=row.attempts + 1,
    )
    return Claim(
        completion=row.pk,
        token=token,
        system=row.system_id,
        input=row.input_id,
        sample=row.sample,
        began=began,
        calls=row.attempts,
        troubled=system.trouble_kind != "",
        is_probe=system.failures_in_row >= TROUBLED,
        lowered=system.lowered_to is not None,
    )
