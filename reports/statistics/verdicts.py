"""How a verdict on two sides becomes a number: the only place that knows the codes."""

import numpy as np
from numpy.typing import NDArray

from reports.statistics.interval import Floats

LEFT, RIGHT, BOTH_GOOD, BOTH_BAD = range(4)
NAMES = ("left", "right", "both_good", "both_bad")
_WORTH_ON_THE_LEFT: Floats = np.array([1.0, 0.0, 0.5, 0.5])


class UnknownVerdict(ValueError):
    """A verdict that is none of the four; it is never taken for a tie."""


def coded(names: NDArray[np.str_] | list[str]) -> NDArray[np.int64]:
    """Codes for verdict names; raises UnknownVerdict, naming what it met."""
    words, places = np.unique(np.asarray(names, dtype=str), return_inverse=True)
    if strangers := [str(word) for word in words if word not in NAMES]:
        raise UnknownVerdict(f"Unknown verdict {strangers[0]!r}: it must be one of {', '.join(NAMES)}.")
    table = np.array([NAMES.index(str(word)) for word in words], dtype=np.int64)
    return table[places].reshape(-1)


def left_score(verdict: NDArray[np.integer]) -> Floats:
    """What each verdict is worth to the left side: 1 left, 0 right, ½ both good or both bad. Raises UnknownVerdict."""
    if verdict.size and (verdict.min() < LEFT or verdict.max() > BOTH_BAD):
        stranger = int(verdict[(verdict < LEFT) | (verdict > BOTH_BAD)][0])
        raise UnknownVerdict(f"Unknown verdict code {stranger}: it must be 0 to 3 ({', '.join(NAMES)}).")
    worth: Floats = _WORTH_ON_THE_LEFT[verdict]
    return worth


def candidate_score(verdict: NDArray[np.integer], on_left: NDArray[np.bool_]) -> Floats:
    """What each verdict is worth to the candidate, which was on the left where `on_left`. Raises UnknownVerdict."""
    worth = left_score(verdict)
    return np.where(on_left, worth, 1 - worth)
