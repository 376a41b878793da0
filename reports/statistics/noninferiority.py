"""Whether a candidate may replace the baseline: an interval held against a margin that was fixed beforehand."""

import math
from dataclasses import dataclass
from enum import StrEnum

from reports.statistics.distributions import normal_cdf, t_upper
from reports.statistics.interval import Interval

EVEN = 0.5


class Verdict(StrEnum):
    """The six things an interval can say about a margin."""

    SUPERIOR = "superior"
    NON_INFERIOR = "non-inferior"
    NON_INFERIOR_BUT_WORSE = "non-inferior but worse"
    INFERIOR = "inferior beyond the margin"
    WORSE = "worse; margin undecided"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class NonInferiority:
    """The one-sided test of score <= even - margin, and the verdict from the two-sided interval; they agree.

    `p`, `verdict` and `smallest_margin` (the smallest that would have passed, never below 0) are None where the
    interval has no limits. `statistic` is t, or z where the limits are Wilson's.
    """

    margin: float
    statistic: float | None
    p: float | None
    verdict: Verdict | None
    smallest_margin: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """Two one-sided tests (Schuirmann 1987): the p value is the larger of the two."""

    p: float
    p_above_low: float
    p_below_high: float


def against_margin(score: Interval, *, margin: float, even: float = EVEN) -> NonInferiority:
    """Hold a score with its limits against a margin (Piaggio et al. 2012); one-sided at half of 1 - level.

    For a difference of shares, `even` is 0. Raises ValueError where the margin is not positive.
    """
    if margin <= 0:
        raise ValueError("A margin is greater than 0.")
    if score.value is None or score.low is None or score.high is None:
        return NonInferiority(margin=margin, statistic=None, p=None, verdict=None, smallest_margin=None)
    statistic, p = _one_sided(score, score.value, even - margin)
    return NonInferiority(
        margin=margin,
        statistic=statistic,
        p=p,
        verdict=verdict(score.low, score.high, margin=margin, even=even),
        smallest_margin=max(0.0, even - score.low),
    )


def verdict(low: float, high: float, *, margin: float, even: float = EVEN) -> Verdict:
    """Which of the six an interval says."""
    if low > even:
        return Verdict.SUPERIOR
    if low > even - margin:
        return Verdict.NON_INFERIOR if high >= even else Verdict.NON_INFERIOR_BUT_WORSE
    if high < even - margin:
        return Verdict.INFERIOR
    return Verdict.WORSE if high < even else Verdict.INCONCLUSIVE


def equivalence(score: Interval, *, low: float, high: float) -> Equivalence | None:
    """Whether the score lies between two limits; None without a standard error."""
    if score.value is None or score.se is None or score.df is None:
        return None
    above = t_upper((score.value - low) / score.se, score.df)
    below = t_upper((high - score.value) / score.se, score.df)
    return Equivalence(p=max(above, below), p_above_low=above, p_below_high=below)


def _one_sided(score: Interval, value: float, bound: float) -> tuple[float, float]:
    if score.se is not None and score.df is not None:
        t = (value - bound) / score.se
        return t, t_upper(t, score.df)
    # Wilson's limits come from inverting this z, so that test and verdict cannot disagree. A difference of shares runs
    # from -1 to 1; its limits were Wilson's on that range.
    spread = math.sqrt(bound * (1 - bound) / score.n) if 0 < bound < 1 else math.sqrt((1 - bound**2) / score.n)
    z = (value - bound) / spread
    return z, normal_cdf(-z)
