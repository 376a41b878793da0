"""The betting sequence of a monitored pair: the limits after each complete input, against the margin."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.charts.scale import Scale, Tick, ticks
from reports.rounding import NBSP, count, percent

ROWS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """A band as the `points` of an SVG polygon in a box of 100 by 100, y downward; `rows` are some of it as a table."""

    name: str
    band: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    even: float
    margin: float
    rows: tuple[tuple[str, str, str], ...]


def sequences(report: Mapping[str, Any]) -> tuple[Sequence, ...]:
    """One a monitored pair with a complete input."""
    margin = report["experiment"]["margin"]
    return tuple(_sequence(pair, margin) for pair in report["pairs"] if pair["monitoring"])


def _sequence(pair: Mapping[str, Any], margin: float) -> Sequence:
    path = pair["monitoring"]["path"]
    x, y = Scale(0, path[-1][0]), Scale(0, 1)
    upper = [f"{x.at(step):g},{100 - y.at(high):g}" for step, _, high in path]
    lower = [f"{x.at(step):g},{100 - y.at(low):g}" for step, low, _ in path]
    shown = path[:: max(1, len(path) // ROWS)]
    return Sequence(
        name=f"{pair['candidate']} against {pair['baseline']}",
        band=" ".join(["0,0", *upper, *lower[::-1], "0,100"]),
        x_ticks=ticks(x, count, wanted=5),
        y_ticks=tuple(
            Tick(round(100 - tick.at, 2), tick.label, tick.anchor)
            for tick in ticks(y, lambda value: f"{value * 100:.4g}{NBSP}%", wanted=4)
        ),
        even=50.0,
        margin=round(100 - y.at(0.5 - margin), 2),
        rows=tuple((count(step), percent(low), percent(high)) for step, low, high in _with_last(shown, path[-1])),
    )


def _with_last(shown: list[Any], last: Any) -> list[Any]:
    return shown if shown[-1] == last else [*shown, last]
