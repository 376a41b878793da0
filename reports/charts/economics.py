"""Cost against volume with the break-even point, and the tornado of what moves that point."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log10
from typing import Any

from reports.charts.scale import Scale, Tick, ticks
from reports.rounding import money, money_short, volume, volume_short

POINTS = 60
Curve = Callable[[float], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A curve as the `points` of an SVG polyline in a box of 100 by 100, y downward."""

    name: str
    kind: str
    points: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """Where two curves meet, in percent of width and height."""

    x: float
    y: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """USD a day against tokens a day, both logarithmic; `rows` are the same numbers as a table."""

    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    crossing: Crossing | None
    today: Crossing | None
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """How far the break-even point moves as one assumption moves; places in percent."""

    name: str
    assumption: str
    start: float
    width: float
    low: str
    high: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tornado:
    """The bars, widest first, around the place of the point as it stands."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    base: float
    base_label: str


def cost_against_volume(report: Mapping[str, Any]) -> Volume | None:
    """None where there is no fixed cost to set against a price per token."""
    stated = (report["break_even"] or {}).get("inputs") or {}
    price, fixed = stated.get("api_price_per_million"), stated.get("fixed_per_day")
    if not price or fixed is None:
        return None
    variable = stated.get("variable_per_million") or 0.0
    point, today = report["break_even"]["tokens_per_day"], stated.get("tokens_per_day")
    x, y = _axes(price, max(fixed, 0.01), variable, point, today)
    volumes = [10 ** (log10(x.low) + step * (log10(x.high) - log10(x.low)) / POINTS) for step in range(POINTS + 1)]
    curves: dict[str, Curve] = {"api": lambda t: price * t / 1e6, "own": lambda t: fixed + variable * t / 1e6}
    names = {"api": stated["baseline"], "own": stated["candidate"]}
    lines = tuple(
        Line(name=names[kind], kind=kind, points=" ".join(f"{x.at(t):g},{100 - y.at(f(t)):g}" for t in volumes))
        for kind, f in curves.items()
    )
    return Volume(
        lines=lines,
        x_ticks=ticks(x, volume_short, wanted=4),
        y_ticks=tuple(
            Tick(round(100 - tick.at, 2), tick.label, tick.anchor) for tick in ticks(y, money_short, wanted=4)
        ),
        crossing=_crossing(x, y, stated.get("crossing"), curves["api"]),
        today=_crossing(x, y, today, curves["own"]),
        rows=tuple((volume(t), money(curves["api"](t)), money(curves["own"](t))) for t in _round_volumes(point, today)),
    )


def _axes(price: float, fixed: float, variable: float, point: float | None, today: float | None) -> tuple[Scale, Scale]:
    middle = fixed / price * 1e6
    centres = [middle, *(value for value in (point, today) if value)]
    low, high = min(centres) / 30, max(centres) * 30
    cheapest = min(price * low / 1e6, fixed)
    dearest = max(price * high / 1e6, fixed + variable * high / 1e6)
    return Scale(low, high, log=True), Scale(cheapest / 1.5, dearest * 1.5, log=True)


def _crossing(x: Scale, y: Scale, tokens: float | None, cost: Curve) -> Crossing | None:
    if not tokens or not x.holds(tokens):
        return None
    return Crossing(x=x.at(tokens), y=round(100 - y.at(cost(tokens)), 2), label=volume(tokens))


def _round_volumes(point: float | None, today: float | None) -> list[float]:
    every = {1e4, 1e5, 1e6, 1e7, 1e8, *(value for value in (point, today) if value)}
    return sorted(every)


def tornado(report: Mapping[str, Any]) -> Tornado | None:
    """None where the point cannot be computed."""
    found = report["break_even"] or {}
    base, moved = found.get("tokens_per_day"), found.get("sensitivity") or []
    ends = [end for one in moved for end in (one["low"], one["high"]) if end]
    if not base or not ends:
        return None
    scale = Scale(min([base, *ends]) / 1.3, max([base, *ends]) * 1.3, log=True)
    return Tornado(
        bars=tuple(_bar(scale, one) for one in moved),
        ticks=ticks(scale, volume_short, wanted=4),
        base=scale.at(base),
        base_label=volume(base),
    )


def _bar(scale: Scale, one: Mapping[str, Any]) -> Bar:
    low, high = one["low"], one["high"]
    start = scale.at(low) if low else 0.0
    end = scale.at(high) if high else 100.0
    return Bar(
        name=one["name"],
        assumption=one.get("assumption", ""),
        start=min(start, end),
        width=round(abs(end - start), 2),
        low=volume(low) if low is not None else "never",
        high=volume(high) if high is not None else "never",
    )
