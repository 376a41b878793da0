"""The distribution of answer times: one dot an answer, quantile marks, every system on one scale."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reports.charts.scale import Scale, Tick, spreading, ticks
from reports.rounding import duration, limits

HEIGHT = 68
BAND = (22.0, 58.0)
CLOSE = 14.0  # percent of the width: two labels on a phone
# Steps of the golden section spread neighbours evenly over the band, whatever their number.
GOLDEN = 0.618033988749895


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A quantile: its place and the ends of its interval in percent; `open_ended` has no upper limit.

    `anchor` says which end of its label stands at the place, so that neighbours do not write over each other.
    """

    name: str
    at: float
    anchor: str
    low: float | None
    high: float | None
    open_ended: bool
    value: str
    interval: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyRow:
    """One system: dots as (x in percent, y in pixels)."""

    name: str
    baseline: bool
    dots: tuple[tuple[float, float], ...]
    marks: tuple[Mark, ...]
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """All systems on one axis."""

    rows: tuple[LatencyRow, ...]
    ticks: tuple[Tick, ...]
    height: int
    log: bool


def latency(report: Mapping[str, Any]) -> Latency | None:
    """None where nothing was timed."""
    timed = [system for system in report["systems"] if system["latency"]["dots"]]
    if not timed:
        return None
    values = [dot for system in timed for dot in system["latency"]["dots"]]
    values += [system["latency"][name]["value"] for system in timed for name in ("e2e_p50", "e2e_p95")]
    values += [system["latency"]["e2e_p95"]["high"] for system in timed]
    scale = spreading(values)
    return Latency(
        rows=tuple(_row(scale, system) for system in timed),
        ticks=ticks(scale, duration, wanted=5),
        height=HEIGHT,
        log=scale.log,
    )


def _row(scale: Scale, system: Mapping[str, Any]) -> LatencyRow:
    times = system["latency"]
    marks = _apart([_mark(scale, name, times[key]) for name, key in (("p50", "e2e_p50"), ("p95", "e2e_p95"))])
    return LatencyRow(
        name=system["name"],
        baseline=system["baseline"],
        dots=_dots(scale, times["dots"]),
        marks=marks,
        n=times["n"],
    )


def _apart(marks: Sequence[Mark | None]) -> tuple[Mark, ...]:
    """The labels of marks that are close look away from each other."""
    known = [mark for mark in marks if mark]
    if len(known) == 2 and known[1].at - known[0].at < CLOSE:
        return replace(known[0], anchor="end"), replace(known[1], anchor="start")
    return tuple(known)


def _dots(scale: Scale, values: Sequence[float]) -> tuple[tuple[float, float], ...]:
    low, high = BAND
    return tuple(
        (scale.at(value), round(low + (high - low) * ((number * GOLDEN) % 1), 1)) for number, value in enumerate(values)
    )


def _mark(scale: Scale, name: str, interval: Mapping[str, Any]) -> Mark | None:
    value, low, high = (interval.get(key) for key in ("value", "low", "high"))
    if value is None:
        return None
    return Mark(
        name=name,
        at=scale.at(value),
        anchor="middle",
        low=None if low is None else scale.at(low),
        high=None if high is None else scale.at(high),
        open_ended=high is None and low is not None,
        value=duration(value),
        interval=limits(interval, "duration"),
    )
