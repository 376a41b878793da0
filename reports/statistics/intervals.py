"""How sure a mean over inputs is: for new inputs (panel), for new inputs and raters (population), and for rates."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from reports.statistics import scores
from reports.statistics.codes import different, renumbered
from reports.statistics.distributions import normal_quantile, t_quantile
from reports.statistics.interval import LEVEL, Floats, Interval, Ints, without_limits

FEWEST_RATERS = 4  # for the population interval: with fewer, rater variance is anybody's guess
UNIT = (0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoWay:
    """The parts of the population variance: by input, by rater and by (input, rater) cell, each CR1-corrected."""

    value: float
    by_input: float
    by_rater: float
    by_cell: float
    inputs: int
    raters: int

    @property
    def variance(self) -> float:
        """V_I + V_R - V_IR, floored at the larger of the first two: with few raters the sum may fall below either."""
        return max(self.by_input + self.by_rater - self.by_cell, self.by_input, self.by_rater)

    @property
    def df(self) -> float:
        """Satterthwaite's degrees of freedom, at least 1."""
        freedom_i, freedom_r = self.inputs - 1, self.raters - 1
        below = self.by_input**2 / freedom_i + self.by_rater**2 / freedom_r + self.by_cell**2 / (freedom_i * freedom_r)
        return max(1.0, self.variance**2 / below) if below > 0 else 1.0


def wilson(successes: float, n: float, *, level: float = LEVEL) -> Interval:
    """A rate and its score interval (Wilson 1927; Newcombe 1998, method 3); fractional successes and n are allowed.

    For votes, n is the number of inputs, never of votes.
    """
    if n <= 0:
        return without_limits(None, n=0, why="nothing was counted")
    rate, z = successes / n, normal_quantile((1 + level) / 2)
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    # At 0 and at n one limit is exact; rounding must not move it.
    low = 0.0 if successes <= 0 else max(0.0, centre - half)
    high = 1.0 if successes >= n else min(1.0, centre + half)
    return Interval(value=rate, low=low, high=high, method="Wilson", n=round(n))


def clopper_pearson(successes: int, n: int, *, level: float = LEVEL) -> Interval:
    """A rate and its exact interval (Clopper and Pearson 1934): never too narrow, mostly too wide."""
    if n <= 0:
        return without_limits(None, n=0, why="nothing was counted")
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(special.betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(special.betaincinv(successes + 1, n - successes, 1 - tail))
    return Interval(value=successes / n, low=low, high=high, method="Clopper-Pearson", n=n)


def mean(
    values: Floats, *, level: float = LEVEL, support: tuple[float, float] | None = None, unit: str = "input"
) -> Interval:
    """The mean of independent values (one each `unit`) with a t interval of n - 1 degrees of freedom.

    Where all values are equal, t says nothing: with `support` (the range values can lie in) the limits are then
    Wilson's on that range, without it there are none.
    """
    n = int(values.size)
    if n == 0:
        return without_limits(None, n=0, why="there are no votes" if unit == "input" else f"there is no {unit}")
    value = float(values.mean())
    if n == 1:
        return without_limits(value, n=1, why=f"one {unit} does not show how {unit}s differ")
    se = float(values.std(ddof=1)) / math.sqrt(n)
    if _is_zero(se):
        return _constant(value, n, level, support, unit)
    half = t_quantile((1 + level) / 2, n - 1) * se
    return Interval(
        value=value, low=value - half, high=value + half, method=f"t over {unit}s", n=n, se=se, df=float(n - 1)
    )


def panel(y: Floats, item: Ints, *, level: float = LEVEL, support: tuple[float, float] = UNIT) -> Interval:
    """The score with limits for new inputs judged by exactly these raters; columns with one entry a vote.

    SE = sd(d_i)/√n, identical to CR1 clustering by input (Miller 2024, appendix A). The limits may leave `support`,
    as a symmetric interval does; see `Interval.within`.
    """
    return mean(scores.by_input(y, item).mean, level=level, support=support)


def two_way(y: Floats, item: Ints, rater: Ints) -> TwoWay:
    """The population variance of the score, every input weighing the same (Cameron, Gelbach and Miller 2011, eq. 2.11).

    Columns with one entry a vote. Raises ValueError with fewer than two inputs or raters.
    """
    per_input = scores.by_input(y, item)
    raters = int(np.count_nonzero(np.bincount(rater))) if rater.size else 0
    if len(per_input) < 2 or raters < 2:
        raise ValueError("Two-way clustering needs at least two inputs and two raters.")
    inputs, value = len(per_input), float(per_input.mean.mean())
    votes_on = np.zeros(int(item.max()) + 1)
    votes_on[per_input.input] = per_input.votes
    deviation = (y - value) / (inputs * votes_on[item])
    return TwoWay(
        value=value,
        by_input=_clustered(deviation, item),
        by_rater=_clustered(deviation, rater),
        by_cell=_clustered(deviation, renumbered(item * (int(rater.max()) + 1) + rater).code),
        inputs=inputs,
        raters=raters,
    )


def population(
    y: Floats, item: Ints, rater: Ints, *, level: float = LEVEL, support: tuple[float, float] = UNIT
) -> Interval:
    """The score with limits for new inputs and other raters of this kind; columns with one entry a vote.

    Two-way clustering with the floor and the degrees of freedom of `TwoWay`. `n` counts inputs. No limits with fewer
    than four raters; where nothing varies, Wilson's over inputs.
    """
    per_input = scores.by_input(y, item)
    inputs, raters = len(per_input), different(rater).size
    method = "two-way clusters"
    if inputs < 2:
        return mean(per_input.mean, level=level, support=support)
    if raters < FEWEST_RATERS:
        counted = "1 rater" if raters == 1 else f"{raters} raters"
        why = f"{counted}: other raters can be spoken for from {FEWEST_RATERS} raters on"
        return without_limits(per_input.score, n=inputs, why=why, method=method)
    parts = two_way(y, item, rater)
    se = math.sqrt(parts.variance)
    if _is_zero(se):
        return _constant(parts.value, inputs, level, support, "input")
    half = t_quantile((1 + level) / 2, parts.df) * se
    return Interval(
        value=parts.value,
        low=parts.value - half,
        high=parts.value + half,
        method="two-way clusters (inputs and raters), t",
        n=inputs,
        se=se,
        df=parts.df,
    )


def _is_zero(se: float) -> bool:
    # Rounding leaves about 1e-17 where nothing varies.
    return se < 1e-12


def _constant(value: float, n: int, level: float, support: tuple[float, float] | None, unit: str) -> Interval:
    if support is None:
        return without_limits(value, n=n, why=f"all {unit}s gave the same value")
    floor, width = support[0], support[1] - support[0]
    rate = wilson((value - floor) / width * n, n, level=level)
    low, high = (floor + width * (limit or 0.0) for limit in (rate.low, rate.high))
    return Interval(value=value, low=low, high=high, method=f"Wilson over {unit}s", n=n)


def _clustered(deviation: Floats, cluster: Ints) -> float:
    sums = np.bincount(cluster, weights=deviation)
    clusters = int(np.count_nonzero(np.bincount(cluster)))
    return clusters / (clusters - 1) * float(sums @ sums) if clusters > 1 else 0.0
