"""Wins, ties, both bad and losses of every pair as one bar each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.rounding import percent

PARTS = (("wins", "better"), ("both_good", "both good"), ("both_bad", "both bad"), ("losses", "worse"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A stretch of the bar, in percent of its width; `label` is empty where there is no room for one."""

    kind: str
    name: str
    start: float
    width: float
    middle: float
    count: int
    share: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteBar:
    """One pair."""

    candidate: str
    baseline: str
    votes: int
    parts: tuple[Part, ...]


def bars(report: Mapping[str, Any]) -> tuple[VoteBar, ...]:
    """One bar a pair."""
    return tuple(_bar(pair) for pair in report["pairs"] if pair["votes"])


def _bar(pair: Mapping[str, Any]) -> VoteBar:
    parts, start = [], 0.0
    for key, name in PARTS:
        width = 100 * pair[key] / pair["votes"]
        parts.append(
            Part(
                kind=key.replace("_", "-"),
                name=name,
                start=round(start, 2),
                width=round(width, 2),
                middle=round(start + width / 2, 2),
                count=pair[key],
                share=percent(pair[key] / pair["votes"]),
                label=str(pair[key]) if width >= 6 else "",
            )
        )
        start += width
    return VoteBar(candidate=pair["candidate"], baseline=pair["baseline"], votes=pair["votes"], parts=tuple(parts))
