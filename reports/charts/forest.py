"""The forest plot: scores with their intervals on one scale, against no difference and against the margin."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reports.charts.scale import Scale, Tick, linear, ticks
from reports.rounding import NBSP, limits, percent

Report = Mapping[str, Any]
Line = tuple[str, str, str, Mapping[str, Any], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """One line; places in percent of the width, None where there is nothing to draw. `group` opens a block."""

    label: str
    group: str
    note: str
    at: float | None
    low: float | None
    high: float | None
    score: str
    interval: str
    strong: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """The rows and what they share: `even` is the place of ½, `margin` of ½ less the margin."""

    rows: tuple[ForestRow, ...]
    ticks: tuple[Tick, ...]
    even: float
    margin: float
    margin_label: str


def forest(report: Report) -> Forest | None:
    """Every pair by both scopes, then the main pair's slices; None where nothing was judged."""
    margin = report["experiment"]["margin"]
    lines = list(_lines(report))
    if not lines:
        return None
    limits_of = [interval.get(key) for _, _, _, interval, _ in lines for key in ("low", "high", "value")]
    scale = linear([*limits_of, 0.5, 0.5 - margin, 0.5 + margin], room=0.05)
    scale = Scale(max(0.0, scale.low), min(1.0, scale.high))
    return Forest(
        rows=tuple(_row(scale, line) for line in lines),
        ticks=ticks(scale, lambda value: f"{value * 100:.4g}{NBSP}%", wanted=5),
        even=scale.at(0.5),
        margin=scale.at(0.5 - margin),
        margin_label=percent(0.5 - margin),
    )


def _lines(report: Report) -> Iterable[Line]:
    for pair in report["pairs"]:
        scope = pair["noninferiority"]["scope"]
        group = f"{pair['candidate']} against {pair['baseline']}"
        for name, words in (("population", "new inputs, other raters"), ("panel", "new inputs, these raters")):
            if pair["score"][name]["value"] is not None:
                yield words, group, "the verdict's" if name == scope else "", pair["score"][name], name == scope
    for one in report["slices"]:
        if one["score"]["value"] is not None:
            kind = "by criterion" if one["by"] == "criterion" else "by tag"
            label, group = (
                f"{one['name']} ({one['inputs']} {'input' if one['inputs'] == 1 else 'inputs'})",
                f"{one['candidate']}, {kind}",
            )
            yield label, group, "", one["score"], False


def _row(scale: Scale, line: Line) -> ForestRow:
    label, group, note, interval, strong = line
    value, low, high = (interval.get(key) for key in ("value", "low", "high"))
    return ForestRow(
        label=label,
        group=group,
        note=note,
        at=None if value is None else scale.at(value),
        low=None if low is None else scale.at(low),
        high=None if high is None else scale.at(high),
        score=percent(value),
        interval=limits(interval, "percent"),
        strong=strong,
    )
