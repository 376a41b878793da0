"""A closed experiment that was exported elsewhere becomes one here: all of it or nothing, its seal kept and checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.actions import IMPORTED, log
from accounts.models import User
from backends.returning import add_returned_completions, add_returned_load_runs, add_returned_systems
from backends.sealing import commitment
from console.bundle_file import BadBundle, Bundle, opened
from experiments.actions import free_slug
from experiments.models import Arm, Experiment
from experiments.returning import (
    OutputKeys,
    add_returned_experiment,
    add_returned_inputs,
    add_returned_outputs,
    known,
)
from experiments.sealing import changes
from experiments.typed_records import Record
from ratings.returning import (
    add_returned_assignments,
    add_returned_comparisons,
    add_returned_guesses,
    add_returned_judgments,
    add_returned_raters,
)
from reports import assumptions
from reports.models import Assumptions, Benchmark


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """The experiment as it is here, and what its owner should know."""

    experiment: Experiment
    judgments: int
    warnings: tuple[str, ...]


def import_bundle(*, path: Path, owners: Sequence[User], by: User | None = None) -> Returned:
    """Read a bundle, check every byte, and write it as a closed experiment. Raises BadBundle, BadRecord."""
    with opened(path) as bundle:
        about = bundle.document("experiment.json")
        warnings = _here_already(about, owners)
        try:
            returned = _write(bundle, about, owners, by)
        except (IntegrityError, DataError, OverflowError) as error:
            said = str(error).strip().splitlines()[0]
            raise BadBundle(f"{path.name}: its rows contradict each other ({said}). Nothing was written.") from error
    return Returned(
        experiment=returned.experiment, judgments=returned.judgments, warnings=(*warnings, *returned.warnings)
    )


@transaction.atomic
def _write(bundle: Bundle, about: Record, owners: Sequence[User], by: User | None) -> Returned:
    experiment = add_returned_experiment(about, slug=free_slug(about.text("slug", longest=80)), owners=owners)
    add_returned_inputs(experiment, bundle.records("inputs.jsonl"), _positions(about))
    arms = add_returned_systems(experiment, bundle.records("systems.jsonl"))
    outputs = add_returned_outputs(experiment, bundle.records("outputs.jsonl"), arms)
    add_returned_completions(experiment, bundle.records("completions.jsonl"), outputs)
    add_returned_load_runs(experiment, bundle.records("load_runs.jsonl"))
    judgments = _add_ballots(bundle, experiment, outputs)
    _add_context(bundle, experiment, arms)
    warnings = _settle(about, experiment, arms, owners)
    if broken := changes(experiment, commitment=commitment(experiment)):
        raise BadBundle(f"the seal does not hold, so the bundle was changed: {' '.join(broken)} Nothing was written.")
    log(by, IMPORTED, f"experiment {experiment.slug}", judgments=judgments, seal=experiment.seal)
    return Returned(experiment=experiment, judgments=judgments, warnings=warnings)


def _add_ballots(bundle: Bundle, experiment: Experiment, outputs: OutputKeys) -> int:
    raters = add_returned_raters(experiment, bundle.records("raters.jsonl"))
    shown = add_returned_comparisons(experiment, bundle.records("comparisons.jsonl"), outputs)
    assignments = add_returned_assignments(bundle.records("assignments.jsonl"), shown, raters)
    judgments = add_returned_judgments(experiment, bundle.records("judgments.jsonl"), assignments)
    add_returned_guesses(bundle.records("guesses.jsonl"), assignments)
    return judgments


def _add_context(bundle: Bundle, experiment: Experiment, arms: dict[str, Arm]) -> None:
    Assumptions.objects.bulk_create(
        Assumptions(experiment=experiment, values=_assumed(record), stated_at=record.moment("stated_at"))
        for record in reversed(list(bundle.records("assumptions.jsonl")))
    )
    Benchmark.objects.bulk_create(
        Benchmark(
            arm=known(record, "system", arms),
            name=record.text("name", longest=120),
            score=record.number("score"),
            source=record.text("source", longest=500),
            dated=record.day("dated"),
        )
        for record in bundle.records("benchmarks.jsonl")
    )


def _assumed(record: Record) -> dict[str, Any]:
    values = record.mapping("values")
    try:
        assumptions.check(values)
    except assumptions.UnknownAssumption as error:
        record.wrong(f"'values': {error}")
    return values


def _settle(about: Record, experiment: Experiment, arms: dict[str, Arm], owners: Sequence[User]) -> tuple[str, ...]:
    """What can be set only when the rest is there: the baseline, the experiment it follows, until when it is kept."""
    if about.values.get("baseline") is not None:
        experiment.baseline = known(about, "baseline", arms)
    experiment.follows = _followed(about, experiment, owners)
    warnings = []
    days = experiment.retention_days
    if days and experiment.closed_at and experiment.closed_at + timedelta(days=days) < timezone.now():
        experiment.retention_days = None
        warnings.append(f"it was to be deleted {days} days after its closing, which is over: delete it when done.")
    experiment.save(update_fields=["baseline", "follows", "retention_days"])
    return tuple(warnings)


def _followed(about: Record, experiment: Experiment, owners: Sequence[User]) -> Experiment | None:
    """The one of the same slug here, if it was sealed on the same inputs: its figures will stand in the report."""
    name = about.values.get("follows")
    earlier = _theirs(owners).filter(slug=name).exclude(pk=experiment.pk).first() if isinstance(name, str) else None
    same = earlier is not None and earlier.sealed.get("inputs") == experiment.sealed.get("inputs")
    return earlier if same else None


def _theirs(owners: Sequence[User]) -> QuerySet[Experiment]:
    """What a bundle may be tied to: what its owners see anyway, and anything where it is to have none."""
    return Experiment.objects.filter(owners__in=owners).distinct() if owners else Experiment.objects.all()


def _positions(about: Record) -> list[int] | None:
    positions = about.values.get("input_positions")
    if positions is None:
        return None
    if not isinstance(positions, list) or not all(isinstance(one, int) and 0 <= one < 2**31 for one in positions):
        about.wrong("'input_positions' must be whole numbers.")
    return positions


def _here_already(about: Record, owners: Sequence[User]) -> tuple[str, ...]:
    there = _theirs(owners).filter(seal=about.text("seal", longest=64)).first()
    return (f"the same experiment is here already, as {there.slug}: this is a further copy.",) if there else ()
