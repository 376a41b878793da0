"""What a study of a certain size can decide, before it starts, and what to change where that is too little."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from reports.statistics.codes import renumbered
from reports.statistics.distributions import normal_cdf, normal_quantile
from reports.statistics.interval import Floats, Ints

ENOUGH = 0.8
WIDEST = 0.5  # a margin of half the scale would accept anything
_MOST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A study and what is assumed of its votes: the defaults are those of real expert votes.

    `votes_per_input` is at most `raters`; `sd` is that of one vote, `icc` the share of its variance that belongs to the
    input, `rater_share` that which belongs to the rater; `gap` is how much worse than even the candidate truly is.
    """

    inputs: int
    raters: int
    votes_per_input: int
    margin: float = 0.10
    gap: float = 0.0
    sd: float = 0.40
    icc: float = 0.27
    rater_share: float = 0.01
    alpha: float = 0.025

    @property
    def votes(self) -> int:
        """All of them."""
        return self.inputs * self.votes_per_input

    def hours(self, *, seconds_per_vote: float = 60.0) -> float:
        """Of all raters together."""
        return self.votes * seconds_per_vote / 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """The expected standard error, half the expected 95 % interval, and the chance to show non-inferiority."""

    se: float
    half_width: float
    power: float

    @property
    def enough(self) -> bool:
        """Whether the chance reaches 80 %."""
        return self.power >= ENOUGH


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What alone would reach the wanted power, all else as planned; None where nothing of that kind does.

    `votes_per_input` is that of so many raters, each judging as much as planned.
    """

    inputs: int | None
    raters: int | None
    votes_per_input: int | None
    margin: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VarianceComponents:
    """One-way analysis of variance by input: mean squares, votes an input (m0), and the parts they estimate.

    `icc` is None where nothing varies. `sd` is that of one vote.
    """

    between_square: float
    within_square: float
    votes_per_input: float
    between: float
    within: float
    icc: float | None

    @property
    def sd(self) -> float:
        """√(between + within), what `Plan.sd` wants."""
        return math.sqrt(max(0.0, self.between) + self.within)


def power(plan: Plan) -> Power:
    """SE² = s² [icc/n + ρ/R + (1 - icc - ρ)/(n k)]; power = Φ((margin - gap)/SE - z)."""
    rest = 1 - plan.icc - plan.rater_share
    shares = plan.icc / plan.inputs + plan.rater_share / plan.raters + rest / plan.votes
    se = plan.sd * math.sqrt(shares)
    z = normal_quantile(1 - plan.alpha)
    reached = normal_cdf((plan.margin - plan.gap) / se - z) if se > 0 else 1.0
    return Power(se=se, half_width=z * se, power=reached)


def advice(plan: Plan, *, wanted: float = ENOUGH) -> Advice:
    """How to reach the wanted power by inputs alone, raters alone (each judging as much as planned), or the margin."""
    raters = _smallest(plan.raters, wanted, lambda r: _with_raters(plan, r))
    margin = plan.gap + (normal_quantile(1 - plan.alpha) + normal_quantile(wanted)) * power(plan).se
    return Advice(
        inputs=_smallest(plan.inputs, wanted, lambda n: replace(plan, inputs=n)),
        raters=raters,
        votes_per_input=_with_raters(plan, raters).votes_per_input if raters is not None else None,
        margin=margin if margin < WIDEST else None,
    )


def sample_size(*, variance: float, difference: float, alpha: float = 0.05, wanted: float = ENOUGH) -> int:
    """Independent inputs that show a difference, n = (z_α/2 + z_β)² ω²/δ² (Miller 2024, section 5)."""
    z = normal_quantile(1 - alpha / 2) + normal_quantile(wanted)
    return math.ceil(z * z * variance / difference**2 - 1e-9)


def variance_components(y: Floats, item: Ints) -> VarianceComponents | None:
    """From the votes so far: how they vary, never who leads. Columns with one entry a vote.

    None without two inputs and one input with two votes.
    """
    codes = renumbered(item).code
    votes = np.bincount(codes)
    groups, total = int(votes.size), int(y.size)
    if groups < 2 or total <= groups:
        return None
    means = np.bincount(codes, weights=y) / votes
    between_square = float(votes @ (means - y.mean()) ** 2) / (groups - 1)
    within_square = float(((y - means[codes]) ** 2).sum()) / (total - groups)
    m0 = (total - float((votes**2).sum()) / total) / (groups - 1)
    spread = between_square + (m0 - 1) * within_square
    return VarianceComponents(
        between_square=between_square,
        within_square=within_square,
        votes_per_input=m0,
        between=(between_square - within_square) / m0,
        within=within_square,
        icc=(between_square - within_square) / spread if spread > 0 else None,
    )


def reestimated(plan: Plan, seen: VarianceComponents) -> Plan:
    """The plan with spread and icc as seen so far; what cannot be (an icc below 0) is cut."""
    icc = min(max(0.0, seen.icc or 0.0), 1 - plan.rater_share)
    return replace(plan, sd=seen.sd or plan.sd, icc=icc)


def _with_raters(plan: Plan, raters: int) -> Plan:
    # The load of each rater stays: more of them mean more votes an input, up to one each.
    votes = min(raters, max(1, round(plan.votes_per_input * raters / plan.raters)))
    return replace(plan, raters=raters, votes_per_input=votes)


def _smallest(start: int, wanted: float, changed: Callable[[int], Plan]) -> int | None:
    """The smallest number from `start` on that reaches the wanted power; power only grows with it."""
    if power(changed(_MOST)).power < wanted:
        return None
    low, high = start - 1, _MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(changed(middle)).power >= wanted else (middle, high)
    return high
