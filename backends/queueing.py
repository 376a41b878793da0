"""Which answers wait to be fetched: rows are put in line, taken up again, paused and given up."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from backends import bell, checking, trouble
from backends.failures import KINDS
from backends.models import Completion, State, System
from experiments.actions import BEFORE_THE_SEAL
from experiments.models import Experiment, Input, Output, Status
from experiments.refusals import Refused

CANCELLED = "cancelled"
CANCELLED_SENTENCE = "Collecting was cancelled before this answer came. Fetch it with collect --retry-failed."
STOPPING = ("rate", *(kind.name for kind in KINDS.values() if kind.stops_system))


class NoSuchSystem(Refused):
    """The experiment has no system of this name."""


class TooLate(Refused):
    """Answers are only fetched before the opening of rating."""


@transaction.atomic
def start_collecting(*, experiment: Experiment, retry_failed: bool = False) -> int:
    """Have every answer fetched that is missing, and go on where collecting was paused; how many rows wait now.

    Rows that failed because their system could not be asked at all wait again; all failed ones with `retry_failed`.
    Raises TooLate from the opening of rating on.
    """
    refuse_after_the_seal(experiment)
    Experiment.objects.filter(pk=experiment.pk, status=Status.DRAFT).update(status=Status.COLLECTING)
    experiment.refresh_from_db(fields=["status"])
    _take_up(experiment, None, all_failed=retry_failed)
    asked = System.objects.filter(arm__experiment=experiment, endpoint__isnull=False).order_by("pk")
    inputs = list(Input.objects.filter(experiment=experiment).order_by("position").values_list("pk", flat=True))
    for system in asked:
        _add_rows(system, inputs)
    bell.ring(experiment.pk)
    return Completion.objects.filter(system__in=asked, state=State.PENDING).count()


@transaction.atomic
def pause(*, experiment: Experiment, system_name: str | None = None, reason: str = "Paused by its owner.") -> int:
    """Ask nothing more; answers under way are still saved. How many systems were paused."""
    running = _systems(experiment, system_name).filter(paused_at__isnull=True, endpoint__isnull=False)
    count: int = running.update(paused_at=timezone.now(), pause_reason=reason[:500] or "Paused by its owner.")
    return count


@transaction.atomic
def resume(*, experiment: Experiment, system_name: str | None = None) -> int:
    """Go on asking, also where a key, a model or money stopped a system. How many rows wait now."""
    refuse_after_the_seal(experiment)
    systems = _take_up(experiment, system_name, all_failed=False)
    bell.ring(experiment.pk)
    return Completion.objects.filter(system__in=systems, state=State.PENDING).count()


@transaction.atomic
def cancel(*, experiment: Experiment, system_name: str | None = None) -> int:
    """Give up every answer that is not there yet, those under way included; how many there were."""
    refuse_after_the_seal(experiment)
    systems = _systems(experiment, system_name)
    left = Completion.objects.filter(system__in=systems, state__in=[State.PENDING, State.RUNNING])
    count: int = left.update(
        state=State.FAILED,
        failure_kind=CANCELLED,
        sentence=CANCELLED_SENTENCE,
        claim="",
        lease_until=None,
        not_before=None,
        finished_at=timezone.now(),
    )
    return count


@transaction.atomic
def fetch_again(
    *, experiment: Experiment, outcomes: Sequence[str], system_name: str | None = None, input_id: str | None = None
) -> int:
    """Ask again for answers that came but cannot be rated (truncated, refused, empty); how many. Raises TooLate."""
    refuse_after_the_seal(experiment)
    rows = Completion.objects.filter(
        system__in=_systems(experiment, system_name).filter(endpoint__isnull=False),
        state=State.DONE,
        outcome__in=outcomes,
    )
    if input_id is not None:
        rows = rows.filter(input__external_id=input_id)
    outputs = [pk for pk in rows.values_list("output_id", flat=True) if pk is not None]
    count = _back_in_line(rows)
    Output.objects.filter(pk__in=outputs).delete()
    checking.forget(_systems(experiment, system_name).values_list("pk", flat=True), checking.AFTER)
    bell.ring(experiment.pk)
    return count


def add_missing_rows(experiment: Experiment) -> None:
    """Have inputs asked that came later, of every system that is being asked already; what is paused stays so."""
    inputs = list(Input.objects.filter(experiment=experiment).order_by("position").values_list("pk", flat=True))
    for system in System.objects.filter(arm__experiment=experiment, endpoint__isnull=False).order_by("pk"):
        if system.completions.exists():
            _add_rows(system, inputs)
    bell.ring(experiment.pk)


def _take_up(experiment: Experiment, system_name: str | None, *, all_failed: bool) -> list[int]:
    systems = list(_systems(experiment, system_name).values_list("pk", flat=True))
    trouble.forget(systems)
    failed = Completion.objects.filter(system__in=systems, state=State.FAILED)
    count = _back_in_line(failed if all_failed else failed.filter(failure_kind__in=STOPPING))
    checking.forget(systems, *([checking.AFTER] if count else []))
    return systems


def _back_in_line(rows: Any) -> int:
    """Rows that wait again as if they had never been asked, but for the record of their calls."""
    count: int = rows.update(
        state=State.PENDING,
        failure_kind="",
        sentence="",
        outcome=None,
        output=None,
        raw_text="",
        usage={},
        ttft_ms=None,
        first_visible_ms=None,
        latency_ms=None,
        user_ms=None,
        cold=False,
        not_before=None,
        started_at=None,
        finished_at=None,
    )
    return count


def _add_rows(system: System, inputs: Sequence[int]) -> None:
    there = set(system.completions.values_list("input_id", "sample"))
    wanted = [(item, sample) for sample in range(system.samples) for item in inputs]
    rows = [
        Completion(system=system, input_id=item, sample=sample)
        for item, sample in wanted
        if (item, sample) not in there
    ]
    if rows:
        Completion.objects.bulk_create(rows, batch_size=500)
        checking.forget([system.pk], checking.AFTER)


def _systems(experiment: Experiment, system_name: str | None) -> Any:
    found = System.objects.filter(arm__experiment=experiment)
    if system_name is None:
        return found
    named = found.filter(name=system_name)
    if not named.exists():
        there = ", ".join(found.order_by("name").values_list("name", flat=True)) or "none"
        raise NoSuchSystem(f"the experiment has no system {system_name!r}. It has: {there}.")
    return named


def refuse_after_the_seal(experiment: Experiment) -> None:
    """Locks the experiment and raises TooLate where its answers are sealed."""
    status = Experiment.objects.select_for_update().values_list("status", flat=True).get(pk=experiment.pk)
    if status not in BEFORE_THE_SEAL:
        raise TooLate("rating is open or over: answers are sealed and no more are fetched.")
