"""p values of several questions at once, raised so that the set of them errs no more often than one would."""

from collections.abc import Callable, Sequence

import numpy as np

from reports.statistics.interval import Floats


def holm(p: Sequence[float | None]) -> tuple[float | None, ...]:
    """Adjusted for the chance of any false alarm (Holm 1979); those that are None stay so and are not counted."""
    return _among_known(p, _holm)


def benjamini_hochberg(p: Sequence[float | None]) -> tuple[float | None, ...]:
    """Adjusted for the expected share of false alarms (Benjamini and Hochberg 1995), for exploring; None stays so."""
    return _among_known(p, _benjamini_hochberg)


def _holm(rising: Floats) -> Floats:
    raised = rising * np.arange(rising.size, 0, -1)
    return np.minimum(np.maximum.accumulate(raised), 1)


def _benjamini_hochberg(rising: Floats) -> Floats:
    raised = rising * rising.size / np.arange(1, rising.size + 1)
    return np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1)


def _among_known(p: Sequence[float | None], adjusted: Callable[[Floats], Floats]) -> tuple[float | None, ...]:
    known = [place for place, value in enumerate(p) if value is not None]
    values = np.array([value for value in p if value is not None], dtype=float)
    order = np.argsort(values, kind="stable")
    raised: list[float | None] = [None] * len(p)
    for place, value in zip(order, adjusted(values[order]), strict=True):
        raised[known[int(place)]] = float(value)
    return tuple(raised)
