"""Whether a monitored experiment may stop: from the sums of the votes on each pair, however many votes those are."""

from typing import Any, Literal

import numpy as np
from django.db.models import BigIntegerField, Case, Count, F, Max, Sum, Value, When
from numpy.typing import NDArray

from experiments.models import Arm, Experiment, Output
from ratings.models import Assignment, AssignmentKind, Verdict
from reports.ballot_rows import columns
from reports.statistics import sequential
from reports.statistics.interval import Floats
from reports.statistics.sequential import ALPHA

Signal = Literal["continue", "may stop"]


def signal(experiment: Experiment) -> Signal:
    """Whether every comparison with the baseline is already decided, one way or the other; never which.

    The same votes, order and limits as the report's betting sequence: current, blinded, of the rating kind.
    """
    rivals = set(Arm.objects.filter(experiment=experiment).values_list("pk", flat=True)) - {experiment.baseline_id}
    if experiment.baseline_id is None or not rivals:
        return "continue"
    outputs, sums = _outputs(experiment), _sums(experiment)
    left = outputs[np.searchsorted(outputs["pk"], sums["left"])]
    right = outputs[np.searchsorted(outputs["pk"], sums["right"])]
    decided = []
    for rival in rivals:
        on_left = (left["arm"] == rival) & (right["arm"] == experiment.baseline_id)
        on_right = (right["arm"] == rival) & (left["arm"] == experiment.baseline_id)
        points = np.where(on_left, sums["points"], 2 * sums["n"] - sums["points"])
        met = on_left | on_right
        x = _scores(left["input"][met], points[met], sums[met], wanted=experiment.ratings_per_pair)
        decided.append(sequential.is_decided(x, margin=experiment.margin, alpha=ALPHA / len(rivals)))
    return "may stop" if all(decided) else "continue"


def _scores(item: NDArray[Any], points: NDArray[Any], sums: NDArray[Any], *, wanted: int) -> Floats:
    """Of the complete inputs, in the order of their completion; a pair may come twice, as each side stood left."""
    found, place = np.unique(item, return_inverse=True)
    votes = np.bincount(place, weights=sums["n"], minlength=found.size)
    won = np.bincount(place, weights=points, minlength=found.size) / 2
    last = np.zeros(found.size, dtype=np.int64)
    np.maximum.at(last, place, sums["last"])
    return sequential.completed(won / votes, votes.astype(np.int64), last, wanted=wanted)


def _outputs(experiment: Experiment) -> NDArray[Any]:
    rows = Output.objects.filter(input__experiment=experiment).order_by("pk").values_list("pk", "input_id", "arm_id")
    return columns(rows, [("pk", "i8"), ("input", "i8"), ("arm", "i8")])


def _sums(experiment: Experiment) -> NDArray[Any]:
    """By pair and side: how many votes, twice their points from the left card's side, and the key of the last."""
    points = Case(
        When(verdict=Verdict.LEFT, then=Value(2)),
        When(verdict=Verdict.RIGHT, then=Value(0)),
        default=Value(1),
        output_field=BigIntegerField(),
    )
    cast = Assignment.objects.filter(rater__experiment=experiment, kind=AssignmentKind.RATING, counts=True)
    # The cards as expressions: to group by the bare columns SQLite may walk every experiment's assignments.
    rows = (
        cast.order_by()
        .values_list(F("left_id") + 0, F("right_id") + 0)
        .annotate(n=Count("pk"), points=Sum(points), last=Max("pk"))
    )
    return columns(rows, [(name, "i8") for name in ("left", "right", "n", "points", "last")])
