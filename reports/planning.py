"""What a study can decide: before it starts, after its first inputs, and while it is rated; never who leads."""

from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil

import numpy as np
from django.db.models import Count, Max, Q

from experiments.models import Experiment, Pairs
from ratings.models import Assignment
from reports import votes, watching
from reports.statistics import planning as arithmetic
from reports.statistics.intervals import FEWEST_RATERS
from reports.statistics.planning import Advice, Plan, Power, VarianceComponents
from reports.votes import Ballots, Versus
from reports.watching import Signal

FEWEST_INPUTS = 10  # before that, how votes vary is anybody's guess
MOST_VOTES = 20_000  # beyond that nobody waits for an estimate of how votes vary
SECONDS_A_PAIR = 48.0
REMEMBERED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A plan with what it asks of its raters and what it can be expected to decide.

    `shown` counts repeats and controls too; `seconds` is the time of one pair; `hours` are those of all raters
    together. `power` and `advice` are None without inputs or pairs, and `advice` where the chance to show
    non-inferiority of equally good systems is 80 % or more.
    """

    plan: Plan
    rivals: int
    pairs: int
    judgments: int
    shown: int
    seconds: float
    power: Power | None
    advice: Advice | None

    @property
    def hours(self) -> float:
        """Of all raters together."""
        return self.shown * self.seconds / 3600

    @property
    def each(self) -> int:
        """Pairs that one rater sees."""
        return ceil(self.shown / self.plan.raters)

    @property
    def panel_only(self) -> bool:
        """Whether so few raters are planned that the answer will speak for exactly these."""
        return self.plan.raters < FEWEST_RATERS


# What the votes said, good as long as no further one came and nobody was left out: the plan is sealed. How many count,
# when the last one came and when somebody was last left out tell that together.
_told: dict[tuple[str, int, datetime | None, datetime | None], tuple[Outlook | None, Signal | None]] = {}


def outlook(experiment: Experiment) -> Outlook:
    """The experiment as planned, saved or not, by the spread that expert votes usually have."""
    return _expected(_plan(experiment), experiment, SECONDS_A_PAIR)


def so_far(experiment: Experiment) -> tuple[Outlook | None, Signal | None]:
    """What the votes so far allow to expect, and for a monitored experiment whether it may stop.

    The outlook is that of the plan by the spread and the pace of these votes; None before ten inputs have all their
    judgments, and beyond MOST_VOTES. Only s² and icc are taken from the votes, and both stay what they are if every
    verdict is turned round. The signal is None where watching was not chosen before rating.
    """
    there = Assignment.objects.filter(rater__experiment=experiment, counts__isnull=False)
    cast = there.aggregate(
        n=Count("pk", filter=Q(rater__left_out_at__isnull=True)),
        last=Max("judged_at"),
        left_out=Max("rater__left_out_at"),
    )
    few = cast["n"] <= MOST_VOTES
    if not few and not experiment.monitored:
        return None, None
    known = experiment.draw_salt, cast["n"], cast["last"], cast["left_out"]
    found = _told.get(known)
    if found is None:
        if len(_told) >= REMEMBERED:
            _told.clear()
        found = _told[known] = _told_of(experiment, few=few)
    return found


def forget() -> None:
    """Read the votes anew the next time, whether or not some were added."""
    _told.clear()


def _told_of(experiment: Experiment, *, few: bool) -> tuple[Outlook | None, Signal | None]:
    plan = _reestimated(experiment, votes.read(experiment, texts=False)) if few else None
    return plan, watching.signal(experiment) if experiment.monitored else None


def _reestimated(experiment: Experiment, ballots: Ballots) -> Outlook | None:
    seen = _variance(ballots, wanted=min(experiment.ratings_per_pair, experiment.planned_raters))
    if seen is None:
        return None
    times = ballots.votes.seconds[~np.isnan(ballots.votes.seconds)]
    seconds = float(np.median(times)) if times.size else SECONDS_A_PAIR
    return _expected(arithmetic.reestimated(_plan(experiment), seen), experiment, seconds)


def _plan(experiment: Experiment) -> Plan:
    raters = experiment.planned_raters
    return Plan(
        inputs=experiment.inputs.count(),
        raters=raters,
        votes_per_input=min(experiment.ratings_per_pair, raters),
        margin=experiment.margin,
    )


def _expected(plan: Plan, experiment: Experiment, seconds: float) -> Outlook:
    arms = experiment.arms.count()
    rivals = max(0, arms - 1)
    couples = rivals if experiment.pairs == Pairs.BASELINE else arms * rivals // 2
    # Holm asks at most this of each of several candidates.
    strict = replace(plan, alpha=plan.alpha / max(1, rivals))
    reached = advice = None
    if plan.inputs and couples:
        reached = replace(arithmetic.power(plan), power=arithmetic.power(strict).power)
        advice = None if reached.enough else arithmetic.advice(strict)
    judgments = plan.votes * couples
    return Outlook(
        plan=plan,
        rivals=rivals,
        pairs=plan.inputs * couples,
        judgments=judgments,
        shown=ceil(judgments * (1 + experiment.repeat_share + experiment.control_share)),
        seconds=seconds,
        power=reached,
        advice=advice,
    )


def _variance(ballots: Ballots, *, wanted: int) -> VarianceComponents | None:
    """Over the complete inputs of the pair that has most of them; its sign does not enter."""
    complete = [_complete(cast, max(2, wanted)) for cast in _pairs(ballots)]
    most = max(complete, key=len, default=None)
    if most is None or np.unique(most.input).size < FEWEST_INPUTS:
        return None
    return arithmetic.variance_components(most.y, most.input)


def _complete(cast: Versus, wanted: int) -> Versus:
    if not len(cast):
        return cast
    return cast.where(np.bincount(cast.input)[cast.input] >= wanted)


def _pairs(ballots: Ballots) -> list[Versus]:
    cast = ballots.votes
    size = len(ballots.arms) or 1
    met = np.unique(np.minimum(cast.left, cast.right) * size + np.maximum(cast.left, cast.right))
    return [votes.versus(cast, candidate=int(code) // size, baseline=int(code) % size) for code in met]
