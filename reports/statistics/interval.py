"""What an estimate is: a value with its limits, the way they were found, and the reason where there are none."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int8]
Bools = NDArray[np.bool_]
LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate with two-sided limits of 95 % confidence, unless `method` says otherwise.

    `n` counts the independent units (inputs, runs, raters' votes where nothing else repeats). A limit that cannot be
    computed is None, and `why` says so in a sentence. `se` and `df` are set where the limits are value ± t(df)·se.
    """

    value: float | None
    low: float | None
    high: float | None
    method: str
    n: int
    why: str | None = None
    se: float | None = None
    df: float | None = None

    def within(self, floor: float, ceiling: float) -> "Interval":
        """The same with its limits cut to a range that they cannot leave, such as 0 and 1."""
        low = None if self.low is None else min(max(self.low, floor), ceiling)
        high = None if self.high is None else min(max(self.high, floor), ceiling)
        return replace(self, low=low, high=high)

    def scaled(self, factor: float) -> "Interval":
        """The same in another unit: everything times a positive factor."""

        def times(number: float | None) -> float | None:
            return None if number is None else number * factor

        return replace(self, value=times(self.value), low=times(self.low), high=times(self.high), se=times(self.se))

    @property
    def half_width(self) -> float | None:
        """Half the distance between the limits."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


def without_limits(value: float | None, *, n: int, why: str, method: str = "not computable") -> Interval:
    """An estimate, or none at all, for which no limits can be given."""
    return Interval(value=value, low=None, high=None, method=method, n=n, why=why)
