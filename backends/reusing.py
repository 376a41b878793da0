"""What a system answered in a closed experiment, taken as recorded answers into another on the same inputs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction

from backends.actions import RecordedAnswer, add_system
from backends.models import Completion, LoadRun, State, System
from backends.sealing import StillSealed
from experiments.actions import PreparedOutput, prompt_of
from experiments.models import Arm, Decision, Experiment, Output, OutputState
from experiments.naming import find_all

MEASURED = (
    "attempts",
    "usage",
    "ttft_ms",
    "first_visible_ms",
    "latency_ms",
    "user_ms",
    "cold",
    "started_at",
    "finished_at",
)
BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a system was asked and what it cost; it holds no row of the envelope."""

    name: str
    model_id: str
    system_prompt: str
    parameters: Mapping[str, Any]
    concurrency: int
    samples: int
    cost: Mapping[str, Any]
    facts: Mapping[str, Any]


def settings_of(experiment: Experiment) -> dict[str, Settings]:
    """By the name of the system: its settings in a closed experiment. Raises StillSealed."""
    return {
        system.name: Settings(
            name=system.name,
            model_id=system.model_id,
            system_prompt=system.system_prompt,
            parameters=system.parameters,
            concurrency=system.concurrency,
            samples=system.samples,
            cost=system.cost,
            facts=system.facts,
        )
        for system in _systems(experiment).values()
    }


def recorded_answers(source: Experiment, name: str, *, names: Sequence[str]) -> dict[str, RecordedAnswer]:
    """The answers of the system called `name`, by input, ready for raters of another experiment: slow for many.

    Texts and their markup are those that raters saw; they are searched again for `names`, as there are new ones.
    What was held back or masked stays so. Raises StillSealed.
    """
    system = _systems(source)[name]
    rows = Completion.objects.filter(system=system, sample=0, state=State.DONE).select_related("output__input")
    return {
        row.output.input.external_id: RecordedAnswer(
            text=row.raw_text, outcome=str(row.outcome), prepared=_prepared(row.output, names)
        )
        for row in rows.order_by("input__position")
        if row.output
    }


@transaction.atomic
def add_recorded_again(
    *, source: Experiment, name: str, experiment: Experiment, answers: Mapping[str, RecordedAnswer]
) -> Arm:
    """The system called `name` as a recorded one of `experiment`, with all that was measured of it.

    `answers`: see `recorded_answers`. What the owner released stays released unless it names somebody else.
    Raises StillSealed, CannotAdd, TooLate.
    """
    system = _systems(source)[name]
    arm = add_system(
        experiment=experiment,
        name=system.name,
        model_id=system.model_id,
        system_prompt=system.system_prompt,
        parameters=system.parameters,
        concurrency=system.concurrency,
        samples=system.samples,
        cost=system.cost,
        facts=system.facts,
        recorded=answers,
    )
    _copy_measurements(system, System.objects.get(arm=arm))
    _release_again(system.arm, arm)
    return arm


def _systems(experiment: Experiment) -> dict[str, System]:
    if experiment.is_blind:
        raise StillSealed(f"{experiment.slug} is {experiment.status}, not closed: which system is which stays sealed.")
    found = System.objects.filter(arm__experiment=experiment).select_related("arm").order_by("name")
    return {system.name: system for system in found}


def _prepared(output: Output, names: Sequence[str]) -> PreparedOutput:
    if output.state in {OutputState.WITHHELD, OutputState.EMPTY}:
        return PreparedOutput(
            text=output.text,
            html=output.html,
            state=OutputState(output.state),
            flags=output.flags,
            reason=output.reason,
        )
    flags = [asdict(one) for one in find_all(output.text, tuple(names), prompt_of(output.input))]
    state = OutputState.FLAGGED if flags else OutputState.READY
    return PreparedOutput(text=output.text, html=output.html, state=state, flags=flags)


def _copy_measurements(before: System, now: System) -> None:
    """Times and tokens of every sample, and the throughput runs: the baseline's numbers are those it had."""
    places = dict(now.arm.experiment.inputs.values_list("external_id", "pk"))
    first = {row.input_id: row for row in Completion.objects.filter(system=now)}
    more = []
    rows = Completion.objects.filter(system=before, state=State.DONE).select_related("input").order_by("pk")
    for row in rows.iterator(chunk_size=BATCH):
        place = places[row.input.external_id]
        if row.sample:
            copy = Completion(system=now, input_id=place, sample=row.sample, state=row.state, outcome=row.outcome)
            copy.raw_text = row.raw_text
            more.append(copy)
        else:
            copy = first[place]
        for column in MEASURED:
            setattr(copy, column, getattr(row, column))
    Completion.objects.bulk_update(first.values(), MEASURED, batch_size=BATCH)
    Completion.objects.bulk_create(more, batch_size=BATCH)
    runs = list(LoadRun.objects.filter(system=before))
    for run in runs:
        run.pk, run.system = None, now
    LoadRun.objects.bulk_create(runs)


def _release_again(before: Arm, now: Arm) -> None:
    released = {
        row.input.external_id: row
        for row in Output.objects.filter(arm=before, decision=Decision.RELEASED).select_related("input")
    }
    waiting = Output.objects.filter(arm=now, input__external_id__in=list(released)).undecided().select_related("input")
    again = []
    for output in waiting:
        was = released[output.input.external_id]
        if {flag["words"] for flag in output.flags} <= {flag["words"] for flag in was.flags}:
            output.decision, output.reason = was.decision, was.reason
            output.decided_by, output.decided_at = was.decided_by, was.decided_at
            again.append(output)
    Output.objects.bulk_update(again, ["decision", "reason", "decided_by", "decided_at"], batch_size=BATCH)
