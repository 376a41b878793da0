"""What a load run showed: answers a second and p95 by the number of requests in flight, one figure a system."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.charts.scale import Scale, Tick, ticks
from reports.rounding import count, decimal, duration, volume

Run = Mapping[str, Any]
MOST_LABELS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One level, in percent of width and height from the top; `failed` says that requests did."""

    x: float
    y: float
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One quantity against the number in flight; `line` are the points of a polyline, `target` a height in percent."""

    title: str
    line: str
    points: tuple[Point, ...]
    y_ticks: tuple[Tick, ...]
    target: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadCurve:
    """The panels of one system above each other, with the same numbers as rows of text."""

    name: str
    panels: tuple[Panel, ...]
    x_ticks: tuple[Tick, ...]
    target: str
    rows: tuple[tuple[str, ...], ...]


def load_curves(report: Mapping[str, Any]) -> tuple[LoadCurve, ...]:
    """Of every system that was put under load, in the order of the report."""
    return tuple(_curve(system) for system in report["systems"] if system["latency"]["load_runs"])


def _curve(system: Mapping[str, Any]) -> LoadCurve:
    latency = system["latency"]
    last = {run["concurrency"]: run for run in latency["load_runs"]}
    runs = [last[places] for places in sorted(last)]
    x = Scale(min(last) / 1.25, max(last) * 1.25, log=True)
    target = latency["throughput"]["p95_target"]
    slow = [run for run in runs if _p95(run) is not None]
    panels = [_panel("Answers a second", x, runs, lambda run: float(run["throughput_rps"]), volume)]
    if slow:
        panels.append(_panel("p95", x, slow, _p95, duration, target=target))
    return LoadCurve(
        name=system["name"],
        panels=tuple(panels),
        x_ticks=_in_flight(x, sorted(last)),
        target=duration(target) if target is not None else "",
        rows=tuple(_row(run) for run in runs),
    )


def _panel(
    title: str,
    x: Scale,
    runs: Sequence[Run],
    value: Callable[[Run], Any],
    label: Callable[[float | None], str],
    *,
    target: float | None = None,
) -> Panel:
    y = Scale(0.0, max([*(value(run) for run in runs), target or 0.0]) * 1.1 or 1.0)
    places = [Point(x=x.at(run["concurrency"]), y=_from_top(y, value(run)), failed=run["failed"] > 0) for run in runs]
    return Panel(
        title=title,
        line=" ".join(f"{point.x:g},{point.y:g}" for point in places),
        points=tuple(places),
        y_ticks=tuple(Tick(round(100 - tick.at, 2), tick.label, "end") for tick in ticks(y, label, wanted=3)),
        target=None if target is None else _from_top(y, target),
    )


def _in_flight(x: Scale, levels: Sequence[int]) -> tuple[Tick, ...]:
    """A label at each level, or at some of them where all would touch."""
    step = -(-len(levels) // MOST_LABELS)
    shown = levels[::-1][::step][::-1]
    return tuple(Tick(x.at(places), count(places), "middle") for places in shown)


def _p95(run: Run) -> float | None:
    value: float | None = run["quantiles"].get("e2e_p95")
    return value


def _from_top(y: Scale, value: float) -> float:
    return round(100 - y.at(value), 2)


def _row(run: Run) -> tuple[str, ...]:
    times = [duration(run["quantiles"].get(name)) for name in ("e2e_p50", "e2e_p95", "e2e_p99", "ttft_p95")]
    return (
        count(run["concurrency"]),
        count(run["requests"]),
        count(run["failed"]),
        decimal(run["throughput_rps"]),
        *times,
    )
