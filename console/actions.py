"""What an owner does that spans floors: add from a file, open for rating, import judgments, close, archive, delete."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby

from django.db import connection, transaction
from django.utils import timezone

from accounts.actions import log
from accounts.models import User
from backends.actions import add_endpoint, add_system
from backends.endpoints import endpoint_called
from backends.queries import arms_by_name, names
from backends.sealing import commitment, readiness
from console.experiment_file import ExperimentSpec, SystemSpec
from console.experiment_rows import Rows
from console.pricing import cost_of
from experiments import actions as blind
from experiments.actions import BEFORE_THE_SEAL, decide_all_flagged, free_slug
from experiments.models import Arm, Decision, Experiment, Output, Status
from experiments.naming import find_names
from experiments.refusals import Refused
from experiments.sealing import digest, seal
from experiments.spares import add_spares, forget_the_rest
from ratings.actions import hold_raters, make_comparisons
from ratings.imports import Imported, add_judgments
from ratings.models import Assignment, CriterionVerdict, Guess, Judgment
from ratings.staging import Known, Row, Staged, stage
from reports import benchmarks
from reports.models import Assumptions

NAMED = 10
FLAGGED = {"release": Decision.RELEASED, "withhold": Decision.WITHHELD}


class NotReady(Refused):
    """Rating cannot be opened yet."""

    returncode = 2


class WrongStatus(Refused):
    """What was asked for does not fit where the experiment stands."""


class BadRows(Refused):
    """Rows of a file that cannot be used; nothing was written."""

    def __init__(self, problems: Sequence[str], count: int, file: str) -> None:
        self.problems, self.count = list(problems), count
        more = [f"… and {count - len(problems)} more."] if count > len(problems) else []
        super().__init__("\n".join([*(f"{file}, {problem}" for problem in problems), *more]))


@dataclass(frozen=True, slots=True)
class Opened:
    """An opening of rating: how many pairs there are, and what the owner should know."""

    comparisons: int
    warnings: list[str]


@transaction.atomic
def add_experiment(
    *, spec: ExperimentSpec, rows: Rows, owners: Sequence[User], by: User | None = None, replace: bool = False
) -> Experiment:
    """A draft with all that the file says, or nothing. With `replace`, in the place of an unopened one of its title."""
    slug = _slug_of_replaced(spec, by) if replace else ""
    fields = {**spec.fields, "masks": rows.masks, "slug": slug or free_slug(str(spec.fields["title"]))}
    experiment = blind.add_experiment(fields=fields, inputs=rows.inputs, criteria=spec.criteria, owners=owners)
    add_spares(experiment=experiment, rows=rows.spares)
    for one in spec.endpoints:
        add_endpoint(
            name=one.name,
            dialect=one.dialect,
            preset=one.preset,
            base_url=one.base_url,
            secret_env=one.secret_env,
            headers=one.headers,
            max_concurrency=one.max_concurrency,
            deadlines=one.deadlines,
        )
    arms = {system.name: _add_system(experiment, system, rows) for system in spec.systems}
    experiment.baseline = arms.get(spec.baseline)
    experiment.save(update_fields=["baseline"])
    scores = {arms[one.name].code: list(one.benchmarks) for one in spec.systems if one.benchmarks}
    if scores:
        benchmarks.add(experiment=experiment, scores=scores, by=by)
    if spec.economics is not None:
        Assumptions.objects.create(experiment=experiment, values=dict(spec.economics), stated_by=by)
    log(by, "added", f"experiment {experiment.slug}", inputs=len(rows.inputs), systems=len(spec.systems))
    return experiment


def _add_system(experiment: Experiment, system: SystemSpec, rows: Rows) -> Arm:
    return add_system(
        experiment=experiment,
        name=system.name,
        endpoint=endpoint_called(system.endpoint) if system.endpoint else None,
        model_id=system.model,
        system_prompt=system.system_prompt,
        parameters=system.parameters,
        concurrency=system.concurrency,
        samples=system.samples,
        cost=cost_of(system),
        facts=system.facts,
        recorded=rows.recorded.get(system.name),
    )


def _slug_of_replaced(spec: ExperimentSpec, by: User | None) -> str:
    found = list(Experiment.objects.filter(title=spec.fields["title"]).order_by("pk"))
    if not found:
        return ""
    if len(found) > 1:
        slugs = ", ".join(one.slug for one in found)
        raise Refused(f"{len(found)} experiments have this title ({slugs}): delete those that are not wanted first.")
    if found[0].status not in BEFORE_THE_SEAL:
        raise WrongStatus(f"{found[0].slug} is {found[0].status}: only an experiment before rating can be replaced.")
    delete(experiment=found[0], by=by)
    return found[0].slug


@transaction.atomic
def open_for_rating(*, experiment: Experiment, by: User | None, flagged: str | None = None) -> Opened:
    """Seal the experiment and make its comparisons. `flagged`: "release" or "withhold" all undecided outputs.

    Raises NotReady on pending or running completions and on undecided flags, naming them.
    """
    experiment = _locked(experiment)
    if experiment.status not in BEFORE_THE_SEAL:
        raise NotReady(f"{experiment.slug} is {experiment.status}: it was opened for rating already.")
    if flagged:
        decide_all_flagged(
            experiment=experiment,
            decision=FLAGGED[flagged],
            reason="all flagged answers together, at the opening",
            by=by,
            at=timezone.now(),
        )
    ready = readiness(experiment)
    if blocking := [*ready.blocking, *_undecided(experiment)]:
        raise NotReady(f"{experiment.slug} cannot be opened: {' '.join(blocking)}")
    warnings = [*ready.warnings, *_names_in_the_question(experiment)]
    _seal(experiment)
    comparisons = make_comparisons(experiment=experiment)
    log(by, "opened for rating", f"experiment {experiment.slug}", comparisons=comparisons, seal=experiment.seal)
    return Opened(comparisons=comparisons, warnings=warnings)


def _seal(experiment: Experiment) -> None:
    experiment.sealed = seal(experiment, commitment=commitment(experiment))
    experiment.seal = digest(experiment.sealed)
    experiment.status, experiment.sealed_at = Status.RATING, timezone.now()
    experiment.save(update_fields=["sealed", "seal", "status", "sealed_at"])
    forget_the_rest(experiment)


def _undecided(experiment: Experiment) -> list[str]:
    """Flags without a decision, by input only: the owner may still rate."""
    waiting = Output.objects.filter(input__experiment=experiment).undecided()
    ids = [
        name for name, _ in groupby(waiting.order_by("input__position").values_list("input__external_id", flat=True))
    ]
    if not ids:
        return []
    shown = ", ".join(ids[:NAMED]) + (", …" if len(ids) > NAMED else "")
    count = waiting.count()
    subject = "1 answer names its maker" if count == 1 else f"{count} answers name their maker"
    subject += " or speaks to raters" if count == 1 else " or speak to raters"
    return [f"{subject} and nobody decided what to do about it (inputs {shown}): mask, release or withhold."]


def _names_in_the_question(experiment: Experiment) -> list[str]:
    shown = f"{experiment.question}\n{experiment.instructions}"
    words = sorted({finding.words for finding in find_names(shown, tuple(names(experiment)))})
    return [f"The question or the instructions name {', '.join(words)}; raters will read that."] if words else []


def import_judgments(*, experiment: Experiment, rows: Iterable[Row], file: str, by: User | None) -> Imported:
    """Add judgments made elsewhere, all or none; an experiment that still collects is sealed first, flags released.

    Raises BadRows naming every bad line, WrongStatus, NotReady.
    """
    if experiment.status == Status.CLOSED:
        raise WrongStatus(f"{experiment.slug} is closed: judgments can no longer be added.")
    with closing(stage(rows, _known(experiment))) as staged:
        if staged.bad_rows:
            raise BadRows(staged.problems, staged.bad_rows, file)
        if not len(staged):
            raise BadRows(["there is no judgment in it."], 1, file)
        imported = _write(experiment, staged, by)
    experiment.refresh_from_db()
    return imported


@transaction.atomic
def _write(experiment: Experiment, staged: Staged, by: User | None) -> Imported:
    current = _locked(experiment)
    if current.status in BEFORE_THE_SEAL:
        open_for_rating(experiment=current, by=by, flagged="release")
    elif current.status == Status.CLOSED:
        raise WrongStatus(f"{experiment.slug} was closed meanwhile: nothing was written.")
    imported = add_judgments(experiment=current, staged=staged)
    log(by, "imported judgments", f"experiment {experiment.slug}", judgments=imported.judgments)
    return imported


def _known(experiment: Experiment) -> Known:
    names_by_arm = {arm.pk: name for name, arm in arms_by_name(experiment).items()}
    outputs: dict[str, dict[str, int]] = {
        external_id: {} for external_id in experiment.inputs.values_list("external_id", flat=True)
    }
    rows = Output.objects.filter(input__experiment=experiment).values_list("input__external_id", "arm_id", "pk")
    for external_id, arm, pk in rows.iterator():
        outputs[external_id][names_by_arm[arm]] = pk
    criteria = tuple(experiment.criteria.order_by("position").values_list("name", flat=True))
    return Known(outputs=outputs, systems=frozenset(names_by_arm.values()), criteria=criteria)


@transaction.atomic
def close(*, experiment: Experiment, by: User | None) -> Experiment:
    """End rating: from now on the report may join names to arms. Raises WrongStatus."""
    hold_raters(experiment=experiment)
    experiment = _locked(experiment)
    if experiment.status != Status.RATING:
        why = "it is closed already" if experiment.status == Status.CLOSED else "rating was never opened"
        raise WrongStatus(f"{experiment.slug} cannot be closed: {why}.")
    experiment.status, experiment.closed_at, experiment.closed_by = Status.CLOSED, timezone.now(), by
    experiment.save(update_fields=["status", "closed_at", "closed_by"])
    log(by, "closed", f"experiment {experiment.slug}")
    return experiment


@transaction.atomic
def archive(*, experiment: Experiment, by: User | None, undo: bool = False) -> Experiment:
    """Put an experiment away, or take it out again."""
    experiment = _locked(experiment)
    experiment.archived_at = None if undo else timezone.now()
    experiment.save(update_fields=["archived_at"])
    log(by, "took out of the archive" if undo else "archived", f"experiment {experiment.slug}")
    return experiment


def delete(*, experiment: Experiment, by: User | None) -> None:
    """Remove an experiment with its inputs, answers, raters and judgments; only the audit log remembers its slug.

    SQLite overwrites what it frees (secure_delete), and the write-ahead log is emptied at once where nobody reads it.
    """
    with transaction.atomic():
        # A million judgments do not pass through memory: no row of theirs is looked at.
        assignments = Assignment.objects.filter(rater__experiment=experiment)
        judgments = Judgment.objects.filter(assignment__in=assignments)
        guesses = Guess.objects.filter(assignment__in=assignments)
        for rows in (CriterionVerdict.objects.filter(judgment__in=judgments), judgments, guesses, assignments):
            rows._raw_delete(connection.alias)
        experiment.delete()
        log(by, "deleted", f"experiment {experiment.slug}")
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _locked(experiment: Experiment) -> Experiment:
    return Experiment.objects.select_for_update().get(pk=experiment.pk)
