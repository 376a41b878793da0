"""Who works on which completion: rows are claimed for a while, and the claim is renewed or given back.

Claiming locks the endpoint, counts the live claims and takes the next rows in one short transaction, so that the
declared concurrency holds over all processes. Only the holder of a claim can finish its row.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from backends.models import Completion, State, System
from experiments.models import Input, Status

LEASE_SECONDS = 30.0
MOST_BEGINNINGS = 20
_READ = ("sample", "attempts", "not_before", "started_at", "input__external_id", "input__messages")
_OF_SYSTEM = (
    "paused_at",
    "circuit_until",
    "concurrency",
    "failures_in_row",
    "lowered_to",
    "trouble_kind",
    "endpoint__max_concurrency",
    "arm__experiment__status",
)
TROUBLED = 5  # failures in a row after which a system is asked again only now and then, one call at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A row that this process works on; `token` proves it (rows taken together share one).

    `began`: when the row was first taken in this round; `calls`: how many calls were made for it before;
    `troubled`, `lowered`: whether the system was, when
    the row was taken; `is_probe`: whether the call finds out if a server that was away is back.
    """

    completion: int
    token: str
    item: Input
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


def lock(system_id: int) -> System | None:
    """The system, with its experiment and its endpoint locked to the end of the transaction; None where it is gone.

    One query for both: the experiment first, as everybody does who writes to it, then the endpoint, so that no two
    processes count its calls at the same time.
    """
    systems = System.objects.select_for_update(no_key=True, of=("arm__experiment", "endpoint"))
    # The condition on the endpoint makes it an inner join: Postgres locks no row that may be absent.
    asked = systems.filter(pk=system_id, endpoint__max_concurrency__gte=1)
    return asked.select_related("endpoint", "arm__experiment").only(*_OF_SYSTEM).first()


def claim_some(system: System | None, *, wanted: int, lease_seconds: float = LEASE_SECONDS) -> list[Claim] | Nothing:
    """Take up to so many next rows of a locked system, or say why there are none."""
    now = timezone.now()
    if system is None or system.arm.experiment.status != Status.COLLECTING or not workable(system, now):
        return Nothing.DUE
    # All first samples come before any second one, in the order of the inputs.
    waiting = Completion.objects.select_for_update(skip_locked=True, of=("self",)).filter(due(now), system=system)
    rows = list(waiting.select_related("input").only(*_READ).order_by("sample", "pk")[:wanted])
    if not rows:
        return Nothing.DUE
    rows = rows[: max(0, _free(system, now))]
    return _take(rows, system, now, lease_seconds) if rows else Nothing.FREE


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


def renew(rows: Collection[Claim], *, lease_seconds: float = LEASE_SECONDS) -> None:
    """Keep these claims for another while."""
    if not rows:
        return
    with transaction.atomic():
        _still(rows).update(lease_until=timezone.now() + timedelta(seconds=lease_seconds))


def give_back(rows: Collection[Claim]) -> int:
    """Let others have these rows at once; how many there were."""
    if not rows:
        return 0
    with transaction.atomic():
        return _still(rows).update(state=State.PENDING, claim="", lease_until=None, not_before=None, started_at=None)


def _still(rows: Collection[Claim]) -> QuerySet[Completion]:
    """Those that nobody took away."""
    return Completion.objects.filter(
        pk__in=[row.completion for row in rows], claim__in={row.token for row in rows}, state=State.RUNNING
    )


def _free(system: System, now: datetime) -> int:
    """How many more calls may be under way: of the system, and of all that share its endpoint."""
    places = system.endpoint.max_concurrency if system.endpoint else 0
    live = Completion.objects.filter(
        system__endpoint=system.endpoint_id, state=State.RUNNING, lease_until__gte=now
    ).aggregate(here=Count("pk", filter=Q(system=system.pk)), there=Count("pk"))
    return min(places - int(live["there"]), limit_of(system) - int(live["here"]))


def _take(rows: Sequence[Completion], system: System, now: datetime, lease_seconds: float) -> list[Claim]:
    token = secrets.token_hex(16)
    columns: dict[str, Any] = {
        "state": State.RUNNING,
        "claim": token,
        "lease_until": now + timedelta(seconds=lease_seconds),
        "not_before": None,
        # A call that is cut short by a kill was made all the same; finishing sets the true number.
        "attempts": F("attempts") + 1,
    }
    if fresh := [row.pk for row in rows if not _waited(row)]:
        Completion.objects.filter(pk__in=fresh).update(**columns, started_at=now)
    if waited := [row.pk for row in rows if _waited(row)]:
        Completion.objects.filter(pk__in=waited).update(**columns)
    return [
        Claim(
            completion=row.pk,
            token=token,
            item=row.input,
            sample=row.sample,
            began=row.started_at if _waited(row) and row.started_at else now,
            calls=row.attempts,
            troubled=system.trouble_kind != "",
            is_probe=system.failures_in_row >= TROUBLED,
            lowered=system.lowered_to is not None,
        )
        for row in rows
    ]


def _waited(row: Completion) -> bool:
    """A row that waited for another call keeps its beginning: its user has been waiting since then."""
    return row.not_before is not None and row.started_at is not None
