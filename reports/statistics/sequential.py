"""Limits that stay valid however often one looks: each completed input is one step, in the order of completion."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from reports.statistics.interval import Floats, Ints

ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """The limits after each completed input; shape (inputs,). The last are those to show."""

    lows: Floats
    highs: Floats

    @property
    def inputs(self) -> int:
        """How many inputs are completed."""
        return int(self.lows.size)

    @property
    def low(self) -> float:
        """The lower limit now; 0 before the first input."""
        return float(self.lows[-1]) if self.lows.size else 0.0

    @property
    def high(self) -> float:
        """The upper limit now; 1 before the first input."""
        return float(self.highs[-1]) if self.highs.size else 1.0

    def decided_at(self, *, margin: float, even: float = 0.5) -> int | None:
        """After which input (counted from 1) non-inferiority was first certain; None as yet."""
        passed = np.flatnonzero(self.lows > even - margin)
        return int(passed[0]) + 1 if passed.size else None

    def hopeless_at(self, *, margin: float, even: float = 0.5) -> int | None:
        """After which input (counted from 1) inferiority beyond the margin was first certain; None as yet."""
        passed = np.flatnonzero(self.highs < even - margin)
        return int(passed[0]) + 1 if passed.size else None


def betting(x: Floats, *, alpha: float = ALPHA, grid: int = 1000, cut: float = 0.5) -> Monitoring:
    """Hedged-capital confidence sequence (Waudby-Smith and Ramdas 2024, theorem 3) for values from 0 to 1.

    A mean m is kept while betting on and against it has not made 2/alpha out of 1; limits are steps of 1/grid.
    Raises ValueError for a value outside 0 … 1.
    """
    lows, highs = np.zeros(x.size), np.ones(x.size)
    for step, (low, high) in enumerate(_limits(x, alpha=alpha, grid=grid, cut=cut)):
        lows[step], highs[step] = low, high
    return Monitoring(lows=lows, highs=highs)


def is_decided(x: Floats, *, margin: float, alpha: float = ALPHA, even: float = 0.5) -> bool:
    """Whether non-inferiority, or inferiority beyond the margin, was certain after any input: `betting` up to there."""
    return any(low > even - margin or high < even - margin for low, high in _limits(x, alpha=alpha))


def completed(mean: Floats, votes: Ints, last: Ints, *, wanted: int) -> Floats:
    """The scores of the inputs that have all their votes, in the order of the last vote on each."""
    whole = votes >= wanted
    return mean[whole][np.argsort(last[whole])]


def _limits(x: Floats, *, alpha: float = ALPHA, grid: int = 1000, cut: float = 0.5) -> Iterator[tuple[float, float]]:
    """One step after the other, so that whoever has seen enough need not have the rest."""
    if x.size and (x.min() < 0 or x.max() > 1):
        raise ValueError("The score of an input lies between 0 and 1.")
    means = np.arange(grid + 1) / grid
    with np.errstate(divide="ignore"):
        most_up, most_down = cut / means, cut / (1 - means)
    rising, falling = np.zeros(grid + 1), np.zeros(grid + 1)
    threshold = math.log(2 / alpha)
    low, high = 0.0, 1.0
    for value, stake in zip(x, _stakes(x, alpha), strict=True):
        rising += np.log1p(np.minimum(stake, most_up) * (value - means))
        falling += np.log1p(-np.minimum(stake, most_down) * (value - means))
        kept = np.maximum(rising, falling) <= threshold
        if not kept.all():  # what is out stays out: nobody need bet on it any more
            means, most_up, most_down = means[kept], most_up[kept], most_down[kept]
            rising, falling = rising[kept], falling[kept]
        if means.size:  # that none is left has chance alpha; then the last limits stand
            low, high = float(means[0]), float(means[-1])
        yield low, high


def asymptotic(x: Floats, *, alpha: float = ALPHA, best_at: int = 50) -> Monitoring:
    """Closed-form sequence for large samples (Waudby-Smith et al. 2024, eq. 8), tightest at `best_at` inputs.

    To be used from about 20 inputs on.
    """
    t = np.arange(1, x.size + 1)
    mean = np.cumsum(x) / t
    spread = np.sqrt(np.maximum(0.0, np.cumsum(x**2) / t - mean**2))
    rho2 = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / best_at
    half = spread * np.sqrt(2 * (t * rho2 + 1) / (t**2 * rho2) * np.log(np.sqrt(t * rho2 + 1) / alpha))
    return Monitoring(lows=mean - half, highs=mean + half)


def _stakes(x: Floats, alpha: float) -> Floats:
    """How much to bet at each step, from the values before it alone."""
    t = np.arange(1, x.size + 1)
    centre = (0.5 + np.cumsum(x)) / (t + 1)
    variance = (0.25 + np.cumsum((x - centre) ** 2)) / (t + 1)
    before = np.concatenate([[0.25], variance])[: x.size]
    return np.asarray(np.sqrt(2 * math.log(2 / alpha) / (before * t * np.log(t + 1))), dtype=float)
