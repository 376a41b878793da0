"""Assignments and judgments as bare columns of numbers, read fast: a million of each in a few seconds."""

from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import Any

import numpy as np
from django.db.models import (
    Case,
    CharField,
    Count,
    Expression,
    ExpressionWrapper,
    F,
    IntegerField,
    Max,
    Min,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from numpy.typing import NDArray

from experiments.models import Experiment
from ratings.models import Assignment, AssignmentKind, Judgment, Rater, Verdict
from reports.statistics.codes import places
from reports.statistics.interval import Floats, Ints
from reports.statistics.verdicts import BOTH_BAD, BOTH_GOOD, LEFT, RIGHT

CODES = {Verdict.LEFT: LEFT, Verdict.RIGHT: RIGHT, Verdict.BOTH_GOOD: BOTH_GOOD, Verdict.BOTH_BAD: BOTH_BAD}
KINDS = {AssignmentKind.RATING: 0, AssignmentKind.REPEAT: 1, AssignmentKind.CONTROL: 2}
SKIPPED = 4
UNBLINDED, IMPORTED = 64, 128
CHUNK = 2_000
# Where the rows of an experiment lie this close together, reading the stretch beats looking up each of them.
DENSE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Current judgments, one entry each, with what their assignments say; keys are primary keys.

    `packed` holds verdict + 4 left acceptable + 16 right acceptable (2 is unsaid) + 64 unblinded + 128 imported;
    `seconds` is negative where nobody measured. `superseded`, `skipped` and `overwritten` (judged here, replaced by an
    import) are counts.
    """

    assignment: Ints
    left: Ints
    right: Ints
    rater: Ints
    kind: Ints
    packed: Ints
    seconds: Floats
    superseded: int
    skipped: int
    overwritten: int

    def of_kind(self, kind: AssignmentKind) -> "Rows":
        """Those of one kind of assignment."""
        mask = self.kind == KINDS[kind]
        if mask.all():
            return self
        entries = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{name: each[mask] for name, each in entries.items() if not isinstance(each, int)})


def read(experiment: Experiment) -> Rows:
    """All current judgments of an experiment, but those of raters who are left out: they are as if never given."""
    shown, judged = _tables(experiment)
    replaced = judged["supersedes"][judged["supersedes"] > 0]
    current = judged[~np.isin(judged["pk"], replaced)] if replaced.size else judged
    found = shown[places(shown["pk"], current["assignment"])]
    open_skips = shown["pk"][shown["packed"] >= SKIPPED]
    return Rows(
        assignment=current["assignment"],
        left=found["left"],
        right=found["right"],
        rater=found["rater"],
        kind=found["packed"] % SKIPPED,
        packed=current["packed"],
        seconds=current["seconds"],
        superseded=int(replaced.size),
        skipped=int(np.count_nonzero(~np.isin(open_skips, current["assignment"]))) if open_skips.size else 0,
        overwritten=_overwritten(judged),
    )


def _overwritten(judged: NDArray[Any]) -> int:
    """How many judgments that were made here an import replaced."""
    imported = judged["packed"] & IMPORTED > 0
    return int(np.count_nonzero(np.isin(judged["pk"][~imported], judged["supersedes"][imported])))


def columns(rows: QuerySet[Any, Any], names: list[tuple[str, str]]) -> NDArray[Any]:
    """Rows of numbers as a structured array, without a list of a million tuples between.

    Where one of them is a float they all cross as floats, which hold every key below 2^53.
    """
    crossing = np.result_type(*(kind for _, kind in names))
    flat = np.fromiter(chain.from_iterable(rows.iterator(chunk_size=CHUNK)), dtype=crossing)
    found = np.empty(flat.size // len(names), dtype=names)
    for place, (name, _) in enumerate(names):
        found[name] = flat[place :: len(names)]
    return found


def verdict_code(name: str) -> Case:
    """The code of a verdict that a column holds."""
    return Case(
        *(When(**{name: verdict}, then=Value(code)) for verdict, code in CODES.items()),
        output_field=IntegerField(),
    )


def _tables(experiment: Experiment) -> tuple[NDArray[Any], NDArray[Any]]:
    """Assignments in the order of their keys, and all their judgments."""
    own = Assignment.objects.filter(rater__experiment=experiment)
    judgments = Judgment.objects.filter(assignment__rater__experiment=experiment)
    if together := stretch(experiment):
        own = Assignment.objects.filter(pk__range=together)
        judgments = Judgment.objects.filter(assignment__gte=together[0], assignment__lte=together[1])
    shown = _shown(own.order_by("pk"))
    counted = Rater.objects.filter(experiment=experiment, left_out_at__isnull=True).order_by("pk")
    shown = _among(np.array(counted.values_list("pk", flat=True), dtype=np.int64), shown, "rater")
    return shown, _among(shown["pk"], _judged(judgments.order_by()), "assignment")


def _among(keys: Ints, table: NDArray[Any], column: str) -> NDArray[Any]:
    """The rows whose column holds one of the keys, which rise."""
    if not keys.size:
        return table[:0]
    own = keys[places(keys, table[column])] == table[column]
    return table if own.all() else table[own]


def stretch(experiment: Experiment) -> tuple[int, int] | None:
    """The first and the last key of its assignments where little else lies between, else None."""
    span = Assignment.objects.filter(rater__experiment=experiment).aggregate(
        n=Count("pk"), first=Min("pk"), last=Max("pk")
    )
    together = span["n"] and span["last"] - span["first"] < DENSE * span["n"]
    return (span["first"], span["last"]) if together else None


def _shown(rows: QuerySet[Assignment]) -> NDArray[Any]:
    kind = Case(
        *(When(kind=name, then=Value(code)) for name, code in KINDS.items()),
        output_field=IntegerField(),
    )
    skipped = Case(When(skipped_at__isnull=False, then=Value(SKIPPED)), default=Value(0))
    return columns(
        rows.values_list("pk", "left_id", "right_id", "rater_id", _bare(kind + skipped)),
        [("pk", "i8"), ("left", "i8"), ("right", "i8"), ("rater", "i8"), ("packed", "i8")],
    )


def _judged(rows: QuerySet[Judgment]) -> NDArray[Any]:
    return columns(
        rows.values_list(
            "pk",
            "assignment_id",
            _bare(_packed()),
            _bare(Coalesce(F("seconds"), Value(-1.0))),
            _bare(Coalesce(F("supersedes_id"), Value(0))),
        ),
        [("pk", "i8"), ("assignment", "i8"), ("packed", "i8"), ("seconds", "f8"), ("supersedes", "i8")],
    )


def _packed() -> Expression:
    """Everything small about a judgment in one number, so that a row crosses as five columns, not ten."""
    unblinded = Case(When(unblinded=True, then=Value(1)), default=Value(0))
    imported = Case(When(imported=True, then=Value(1)), default=Value(0))
    packed: Expression = (
        verdict_code("verdict")
        + 4 * _answer_code("left_acceptable")
        + 16 * _answer_code("right_acceptable")
        + UNBLINDED * unblinded
        + IMPORTED * imported
    )
    return packed


def _answer_code(name: str) -> Case:
    return Case(When(**{name: True}, then=Value(1)), When(**{name: False}, then=Value(0)), default=Value(2))


def _bare(expression: Any) -> "ExpressionWrapper[Any]":
    """The number as the database gives it: a field for numbers would convert each in Python, doubling the time."""
    return ExpressionWrapper(expression, output_field=CharField())
