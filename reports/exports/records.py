"""Rows of a closed experiment for the bundle: what else one needs to read it, or to have it again, elsewhere."""

from collections.abc import Iterator
from typing import Any

from experiments.models import Experiment
from ratings.models import Assignment, Comparison, Guess, Rater
from reports import assumptions, measurements, unblinding
from reports.exports.rows import moment, system_names
from reports.models import Benchmark

CHUNK = 2_000
Record = dict[str, Any]
PLAIN = (
    "slug",
    "title",
    "question",
    "instructions",
    "pairs",
    "margin",
    "ratings_per_pair",
    "planned_raters",
    "repeat_share",
    "control_share",
    "ask_acceptable",
    "ask_strength",
    "ask_guess",
    "require_comment",
    "monitored",
    "seed",
    "status",
    "seal",
    "sealed",
    "retention_days",
    "draw_salt",
    "personal_data",
    "personal_found",
)


def experiment(closed: Experiment) -> Record:
    """The experiment with its criteria, its seal and the seal's opening. Raises StillBlind."""
    names = system_names(closed)
    record: Record = {name: getattr(closed, name) for name in PLAIN}
    record |= {name: moment(getattr(closed, name)) for name in ("created_at", "sealed_at", "closed_at")}
    record["baseline"] = names[closed.baseline.code] if closed.baseline else None
    record["follows"] = closed.follows.slug if closed.follows else None
    record["criteria"] = list(closed.criteria.order_by("position").values("position", "name", "description"))
    record["opened_seal"] = unblinding.opened_seal(closed)
    positions = list(closed.inputs.order_by("position").values_list("position", flat=True))
    record["input_positions"] = None if positions == list(range(1, len(positions) + 1)) else positions
    return record


def systems(closed: Experiment) -> Iterator[Record]:
    """Who played each arm, with settings and costs; endpoints only by their dialect, secrets never."""
    measured = measurements.read(closed)
    for code, identity in unblinding.identities(closed).items():
        yield {
            "arm": code,
            "name": identity.name,
            "model": identity.model_id,
            "dialect": identity.dialect,
            "system_prompt": identity.system_prompt,
            "parameters": identity.parameters,
            "facts": identity.facts,
            "cost": dict(measured[code].cost),
            "concurrency": measured[code].concurrency,
            "samples": measured[code].samples,
        }


def completions(closed: Experiment) -> Iterator[Record]:
    """Every fetched answer as it came, with its times and tokens."""
    names = system_names(closed)
    for row in measurements.rows(closed):
        at = {name: moment(row.pop(name)) for name in ("started_at", "finished_at")}
        yield {"system": names[row.pop("arm")], **row, **at}


def load_runs(closed: Experiment) -> Iterator[Record]:
    """Every throughput measurement."""
    names = system_names(closed)
    for row in measurements.load_runs(closed):
        yield {"system": names[row.pop("arm")], **row, "at": moment(row["at"])}


def raters(closed: Experiment) -> Iterator[Record]:
    """Who rated, by label; neither addresses nor links."""
    columns = ("label", "created_at", "first_used_at", "practised_at", "left_out_at")
    for label, *times in Rater.objects.filter(experiment=closed).order_by("pk").values_list(*columns):
        yield {"rater": label, **{name: moment(at) for name, at in zip(columns[1:], times, strict=True)}}


def benchmarks(closed: Experiment) -> Iterator[Record]:
    """Public scores beside the result."""
    names = system_names(closed)
    query = Benchmark.objects.filter(arm__experiment=closed).select_related("arm").order_by("pk")
    for row in query:
        dated = row.dated.isoformat()
        yield {
            "system": names[row.arm.code],
            "name": row.name,
            "score": row.score,
            "source": row.source,
            "dated": dated,
        }


def comparisons(closed: Experiment) -> Iterator[Record]:
    """Every pair that was made, by input and system; `expected` is the right answer of a control."""
    names = system_names(closed)
    columns = (
        "pk",
        "input__external_id",
        "kind",
        "first__input__external_id",
        "first__arm__code",
        "second__input__external_id",
        "second__arm__code",
        "expected_id",
        "first_id",
    )
    query = Comparison.objects.filter(input__experiment=closed).order_by("pk")
    for row in query.values_list(*columns).iterator(chunk_size=CHUNK):
        pk, item, kind, first_input, first, second_input, second, expected, first_key = row
        yield {
            "comparison": pk,
            "input": item,
            "kind": kind,
            "first": {"input": first_input, "system": names[first]},
            "second": {"input": second_input, "system": names[second]},
            "expected": None if expected is None else "first" if expected == first_key else "second",
        }


def assignments(closed: Experiment) -> Iterator[Record]:
    """Every showing of a pair to a rater, judged or skipped."""
    columns = (
        "pk",
        "comparison_id",
        "rater__label",
        "kind",
        "repeat_of_id",
        "left_id",
        "comparison__first_id",
        "position",
        "created_at",
        "shown_at",
        "skipped_at",
        "skip_reason",
    )
    query = Assignment.objects.filter(rater__experiment=closed).order_by("pk")
    for row in query.values_list(*columns).iterator(chunk_size=CHUNK):
        pk, comparison, rater, kind, repeat_of, left, first, position, created, shown, skipped, reason = row
        yield {
            "assignment": pk,
            "comparison": comparison,
            "rater": rater,
            "kind": kind,
            "repeat_of": repeat_of,
            "left": "first" if left == first else "second",
            "position": position,
            "created_at": moment(created),
            "shown_at": moment(shown),
            "skipped_at": moment(skipped),
            "skip_reason": reason,
        }


def guesses(closed: Experiment) -> Iterator[Record]:
    """Which side raters took for the system in use today."""
    query = Guess.objects.filter(assignment__rater__experiment=closed).order_by("pk")
    for assignment, side, at in query.values_list("assignment_id", "side", "guessed_at"):
        yield {"assignment": assignment, "side": side, "guessed_at": moment(at)}


def assumed(closed: Experiment) -> Iterator[Record]:
    """All cost assumptions that were ever stated, newest first; systems by the code of their arm."""
    for row in assumptions.history(closed):
        yield {"stated_at": moment(row.stated_at), "values": row.values}
