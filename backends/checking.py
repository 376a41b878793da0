"""What is asked of a system before its answers are collected, and again after: is it what its label says?

The record is `System.preflight`: `before` and `after` as `Preflight.as_json`, and `asking`, until when a process asks.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from django.db import transaction
from django.utils import timezone

from backends import trouble
from backends.adapters.contract import plain
from backends.asking import Asker
from backends.failures import KINDS
from backends.models import Completion, State, System
from backends.preflight import PROBES, Preflight, preflight
from backends.turns import database_turn
from experiments.models import Input

BEFORE, AFTER = "before", "after"
ASKING_SECONDS = 30.0  # by then another process may ask, unless the one that asks says that it still does
IDLE_SECONDS = 60.0  # without a call: a server may have put the model away
COLD_FACTOR = 5.0  # so many times slower than the median is a cold start


def is_checked(system: System, phase: str) -> bool:
    """Whether the answer of this phase is stored."""
    return phase in system.preflight


def check(asker: Asker, phase: str) -> bool:
    """Ask and store, unless another process does; whether the system may be asked for answers now."""
    system = asker.system.pk
    with database_turn():
        if not _take(system, phase):
            return False
        longest = _longest_input(asker.place.experiment)
    try:
        found = preflight(
            asker.client,
            asker.target,
            model=asker.system.model_id,
            system_prompt=asker.system.system_prompt,
            parameters=asker.parameters,
            longest_input=longest,
            probes=PROBES if phase == BEFORE else PROBES[:1],
        )
    except BaseException:
        with database_turn():
            _store(system, {})  # nobody asks any more: another may at once
        raise
    with database_turn():
        return _conclude(system, phase, found)


@transaction.atomic
def still_asks(system_id: int) -> None:
    """The process that asks is alive: no other may ask for another while."""
    system = System.objects.select_for_update(no_key=True).filter(pk=system_id).first()
    if system is not None and "asking" in system.preflight:
        system.preflight["asking"] = (timezone.now() + timedelta(seconds=ASKING_SECONDS)).isoformat()
        system.save(update_fields=["preflight"])


def warm_up(asker: Asker) -> None:
    """One call that is not counted, after a time without any: it loads what a server has put away."""
    with database_turn():
        since = timezone.now() - timedelta(seconds=IDLE_SECONDS)
        if Completion.objects.filter(system=asker.system, finished_at__gte=since).exists():
            return
    asker.warm_up()


def mark_cold_starts(system_id: int) -> int:
    """Mark answers that came first after a pause and took far longer than the others; how many there are."""
    rows = Completion.objects.filter(system=system_id, state=State.DONE, latency_ms__isnull=False)
    calls = sorted(
        (finished - timedelta(milliseconds=latency), finished, latency, pk)
        for pk, latency, finished in rows.values_list("pk", "latency_ms", "finished_at")
        if latency is not None and finished is not None
    )
    if len(calls) < 3:
        return 0
    slow = COLD_FACTOR * median(latency for _, _, latency, _ in calls)
    cold, quiet_since = list[int](), datetime.min.replace(tzinfo=UTC)
    for began, finished, latency, pk in calls:
        if latency > slow and (began - quiet_since).total_seconds() > IDLE_SECONDS:
            cold.append(pk)
        quiet_since = max(quiet_since, finished)
    with transaction.atomic():
        Completion.objects.filter(pk__in=cold).update(cold=True)
    return len(cold)


@transaction.atomic
def forget(systems: Iterable[int], *phases: str) -> None:
    """These phases are asked again; a check that had failed always is."""
    for system in System.objects.select_for_update(no_key=True).filter(pk__in=systems).order_by("pk"):
        kept = {name: value for name, value in system.preflight.items() if name not in phases}
        if kept.get(BEFORE, {}).get("failure_kind"):
            del kept[BEFORE]
        if kept != system.preflight:
            system.preflight = kept
            system.save(update_fields=["preflight"])


@transaction.atomic
def _take(system_id: int, phase: str) -> bool:
    system = System.objects.select_for_update(no_key=True).filter(pk=system_id).first()
    now = timezone.now()
    if system is None or phase in system.preflight:
        return False
    if system.preflight.get("asking", "") > now.isoformat():
        return False
    system.preflight["asking"] = (now + timedelta(seconds=ASKING_SECONDS)).isoformat()
    system.save(update_fields=["preflight"])
    return True


def _conclude(system_id: int, phase: str, found: Preflight) -> bool:
    kind = KINDS.get(found.failure_kind)
    away = phase == BEFORE and kind is not None and kind.trips_circuit
    _store(system_id, {} if away else {phase: found.as_json()})
    if phase == AFTER or kind is None:
        return True
    if kind.stops_system:
        trouble.stop(system_id=system_id, kind=kind.name, sentence=found.sentence)
    elif away:
        trouble.rest(system_id=system_id, kind=kind.name, sentence=found.sentence)
    return not (kind.stops_system or away)


@transaction.atomic
def _store(system_id: int, record: dict[str, Any]) -> None:
    system = System.objects.select_for_update(no_key=True).filter(pk=system_id).first()
    if system is not None:
        system.preflight.pop("asking", None)
        system.preflight |= record
        system.save(update_fields=["preflight"])


def _longest_input(experiment_id: int) -> int:
    """In characters of English: one that is not ASCII may be a whole token, which is three of them."""
    rows = Input.objects.filter(experiment=experiment_id).values_list("messages", flat=True)
    texts = ("".join(plain(message.get("content")) for message in messages) for messages in rows.iterator())
    return max((len(text) + 2 * sum(letter > "\x7f" for letter in text) for text in texts), default=0)
