"""From values to places on a picture: in percent of its width, so that text keeps its size on every screen."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

from reports.rounding import Style

STEPS = (1, 2, 2.5, 5, 10)
DECADE = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the axis: its place in percent, its label, and which end of the axis it is at."""

    at: float
    label: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear or logarithmic axis from `low` to `high`, which are the edges of the picture."""

    low: float
    high: float
    log: bool = False

    def at(self, value: float) -> float:
        """The place of a value in percent, kept between the edges."""
        position, low, high = self._position(value), self._position(self.low), self._position(self.high)
        share = (position - low) / (high - low) if high > low else 0.5
        return round(100 * min(1.0, max(0.0, share)), 2)

    def holds(self, value: float | None) -> bool:
        """Whether a value lies within the picture."""
        return value is not None and self.low <= value <= self.high

    def _position(self, value: float) -> float:
        return log10(max(value, self.low)) if self.log else value


def linear(values: Iterable[float | None], *, room: float = 0.06, floor_at: float | None = None) -> Scale:
    """A linear scale that holds all values, with some room at both ends."""
    known = _known(values)
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    spread = (high - low) or abs(high) or 1.0
    low, high = low - room * spread, high + room * spread
    return Scale(max(low, floor_at) if floor_at is not None else low, high)


def spreading(values: Iterable[float | None], *, room: float = 0.05) -> Scale:
    """Linear from nought, or logarithmic where the largest is more than 20 times the smallest."""
    known = [value for value in _known(values) if value > 0]
    if not known:
        return Scale(0.0, 1.0)
    low, high = min(known), max(known)
    if high / low <= 20:
        return Scale(0.0, high * (1 + room))
    stretch = (high / low) ** room
    return Scale(low / stretch, high * stretch, log=True)


def ticks(scale: Scale, label: Style | Callable[[float], str], *, wanted: int = 5) -> tuple[Tick, ...]:
    """About as many round values as wanted."""
    values = _decades(scale, wanted) if scale.log else _round_values(scale, wanted)
    return tuple(Tick(scale.at(value), label(value), _anchor(scale.at(value))) for value in values)


def _anchor(at: float) -> str:
    return "start" if at < 4 else "end" if at > 96 else "middle"


def _round_values(scale: Scale, wanted: int) -> list[float]:
    rough = (scale.high - scale.low) / max(1, wanted)
    size = 10 ** floor(log10(rough))
    step = next(step * size for step in STEPS if step * size >= rough * 0.999)
    first, last = ceil(scale.low / step - 1e-9), floor(scale.high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _decades(scale: Scale, wanted: int) -> list[float]:
    first, last = floor(log10(scale.low)), ceil(log10(scale.high))
    every = [step * 10.0**power for power in range(first, last + 1) for step in DECADE]
    inside = [value for value in every if scale.holds(value)]
    if len(inside) <= wanted + 2:
        return inside
    whole = [value for value in inside if abs(log10(value) - round(log10(value))) < 1e-9]
    return whole[:: max(1, ceil(len(whole) / (wanted + 1)))]


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None and isfinite(value)]
