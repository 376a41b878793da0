"""When a system as a whole is in trouble: it is paused, rested for a while, or asked less at a time."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from backends.claiming import TROUBLED
from backends.models import System

FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 5.0, 300.0
RAISE_AFTER = 20  # good answers in a row after which a lowered concurrency rises by one


@transaction.atomic
def stop(*, system_id: int, kind: str, sentence: str, at: datetime | None = None) -> None:
    """Pause a system that nothing but its owner can help; one that is paused already keeps its reason."""
    now = at or timezone.now()
    System.objects.filter(pk=system_id, paused_at__isnull=True).update(
        paused_at=now, pause_reason=sentence[:500], trouble_kind=kind, trouble=sentence[:1000]
    )


@transaction.atomic
def note_failure(*, system_id: int, kind: str, sentence: str) -> bool:
    """Count a failure of the server itself; from the fifth in a row on the system rests. Whether it rests now."""
    System.objects.filter(pk=system_id).update(
        failures_in_row=F("failures_in_row") + 1, trouble_kind=kind, trouble=sentence[:1000]
    )
    in_row = System.objects.filter(pk=system_id).values_list("failures_in_row", flat=True).first() or 0
    if in_row < TROUBLED:
        return False
    until = timezone.now() + timedelta(seconds=rest_seconds(in_row))
    System.objects.filter(pk=system_id).update(circuit_until=until)
    return True


@transaction.atomic
def rest(*, system_id: int, kind: str, sentence: str) -> None:
    """Count as many failures as open the circuit: the server could not even be asked what it serves."""
    in_row = System.objects.filter(pk=system_id).values_list("failures_in_row", flat=True).first() or 0
    in_row = max(TROUBLED, in_row + 1)
    System.objects.filter(pk=system_id).update(
        failures_in_row=in_row,
        trouble_kind=kind,
        trouble=sentence[:1000],
        circuit_until=timezone.now() + timedelta(seconds=rest_seconds(in_row)),
    )


@transaction.atomic
def rest_for(*, system_id: int, seconds: float, sentence: str) -> None:
    """Ask nothing for as long as a rate limit says."""
    until = timezone.now() + timedelta(seconds=seconds)
    System.objects.filter(pk=system_id).exclude(circuit_until__gt=until).update(
        circuit_until=until, trouble_kind="rate", trouble=sentence[:1000]
    )


@transaction.atomic
def note_answer(*, system_id: int) -> None:
    """The server answered: no trouble any more. A rest that it asked for itself is kept to its end."""
    troubled = System.objects.filter(pk=system_id, paused_at__isnull=True).exclude(trouble_kind="")
    troubled.exclude(trouble_kind="rate", circuit_until__gt=timezone.now()).update(
        failures_in_row=0, circuit_until=None, trouble_kind="", trouble=""
    )


@transaction.atomic
def lower(*, system_id: int) -> None:
    """Halve how many calls a system has under way, after a rate limit."""
    found = System.objects.filter(pk=system_id).values_list("lowered_to", "concurrency").first()
    if found:
        now = found[0] or found[1]
        System.objects.filter(pk=system_id).update(lowered_to=max(1, now // 2))


@transaction.atomic
def raise_again(*, system_id: int) -> None:
    """One more call at a time, until the declared concurrency is reached."""
    system = System.objects.filter(pk=system_id).first()
    if system is not None and system.lowered_to is not None:
        more = system.lowered_to + 1
        System.objects.filter(pk=system_id).update(lowered_to=more if more < system.concurrency else None)


def rest_seconds(in_row: int) -> float:
    """How long a system rests after so many failures in a row: twice as long with each further pair."""
    doubled: float = FIRST_REST_SECONDS * 2.0 ** min(10, (in_row - TROUBLED) // 2)
    return min(LONGEST_REST_SECONDS, doubled)


def forget(systems: Collection[int]) -> None:
    """Somebody looked at it: nothing is paused, rests or is held back any more."""
    System.objects.filter(pk__in=systems).update(
        paused_at=None,
        pause_reason="",
        circuit_until=None,
        failures_in_row=0,
        trouble_kind="",
        trouble="",
        lowered_to=None,
    )
