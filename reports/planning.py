"""What a study can decide: before it starts, after its first inputs, and while it is rated; never who leads."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from experiments.models import Experiment
from reports import votes
from reports.rounding import count, percent
from reports.sections.influences import sequence
from reports.statistics import planning as arithmetic
from reports.statistics.planning import ENOUGH, Advice, Plan, Power, VarianceComponents
from reports.votes import Ballots, Versus

FEWEST_INPUTS = 10  # before that, how votes vary is anybody's guess
SECONDS_A_PAIR = 48.0
Signal = Literal["continue", "may stop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A plan with what it can be expected to decide; hours are those of all raters together.

    `advice` holds sentences, none where the chance to show non-inferiority of equally good systems is 80 % or more.
    """

    plan: Plan
    power: Power
    judgments: int
    hours: float
    advice: tuple[str, ...]


def outlook(
    experiment: Experiment, *, candidates: int | None = None, seconds: float = SECONDS_A_PAIR
) -> Outlook | None:
    """The experiment as planned, by the spread that expert votes usually have; None without inputs or pairs."""
    plan = _plan(experiment)
    couples = candidates if candidates is not None else max(0, experiment.arms.count() - 1)
    return _expected(plan, couples, experiment, seconds) if plan and couples else None


def reestimated(experiment: Experiment) -> Outlook | None:
    """The same by the spread of the votes so far, whoever leads; None before ten inputs have two votes each."""
    plan, ballots = _plan(experiment), votes.read(experiment)
    seen = _variance(ballots)
    if plan is None or seen is None:
        return None
    pairs = len(_pairs(ballots))
    times = ballots.votes.seconds[~np.isnan(ballots.votes.seconds)]
    seconds = float(np.median(times)) if times.size else SECONDS_A_PAIR
    return _expected(arithmetic.reestimated(plan, seen), pairs, experiment, seconds)


def signal(experiment: Experiment) -> Signal | None:
    """For a monitored experiment: whether every comparison is already decided one way or the other, never which.

    None where watching was not chosen before rating.
    """
    if not experiment.monitored:
        return None
    ballots = votes.read(experiment)
    watched = [
        sequence(cast, wanted=experiment.ratings_per_pair) for cast in _against_the_baseline(experiment, ballots)
    ]
    decided = [
        seen is not None
        and (
            seen.decided_at(margin=experiment.margin) is not None
            or seen.hopeless_at(margin=experiment.margin) is not None
        )
        for seen in watched
    ]
    return "may stop" if decided and all(decided) else "continue"


def _plan(experiment: Experiment) -> Plan | None:
    inputs, raters = experiment.inputs.count(), experiment.planned_raters
    if not inputs:
        return None
    each = min(experiment.ratings_per_pair, raters)
    return Plan(inputs=inputs, raters=raters, votes_per_input=each, margin=experiment.margin)


def _expected(plan: Plan, couples: int, experiment: Experiment, seconds: float) -> Outlook:
    judgments = plan.votes * couples
    shown = judgments * (1 + experiment.repeat_share + experiment.control_share)
    reached = arithmetic.power(plan)
    return Outlook(
        plan=plan,
        power=reached,
        judgments=judgments,
        hours=shown * seconds / 3600,
        advice=() if reached.enough else tuple(_sentences(plan, arithmetic.advice(plan))),
    )


def _sentences(plan: Plan, advice: Advice) -> list[str]:
    said = []
    if advice.inputs is not None:
        said.append(f"{count(advice.inputs)} inputs instead of {count(plan.inputs)} would reach {percent(ENOUGH)}.")
    if advice.raters is not None:
        said.append(
            f"{count(advice.raters)} raters instead of {count(plan.raters)}, each judging as much, would reach it too."
        )
    said.append(f"As it stands, a margin of {advice.margin * 100:.0f} points can be decided.")
    return said


def _variance(ballots: Ballots) -> VarianceComponents | None:
    """Over the pair with the most votes; its sign does not enter."""
    found = [ballots_of for ballots_of in _pairs(ballots) if _inputs_voted_twice(ballots_of) >= FEWEST_INPUTS]
    most = max(found, key=len, default=None)
    return None if most is None else arithmetic.variance_components(most.y, most.input)


def _inputs_voted_twice(cast: Versus) -> int:
    return int(np.count_nonzero(np.bincount(cast.input) >= 2)) if len(cast) else 0


def _pairs(ballots: Ballots) -> list[Versus]:
    cast = ballots.votes
    size = len(ballots.arms) or 1
    met = np.unique(np.minimum(cast.left, cast.right) * size + np.maximum(cast.left, cast.right))
    return [votes.versus(cast, candidate=int(code) // size, baseline=int(code) % size) for code in met]


def _against_the_baseline(experiment: Experiment, ballots: Ballots) -> list[Versus]:
    if experiment.baseline is None:
        return []
    baseline = ballots.arms.index(experiment.baseline.code)
    return [
        votes.versus(ballots.votes, candidate=arm, baseline=baseline)
        for arm in range(len(ballots.arms))
        if arm != baseline
    ]
