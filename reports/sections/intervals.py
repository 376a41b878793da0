"""An interval as report.json holds it: value, low, high, method, n, and why where something is missing."""

from typing import Any

from reports.statistics.interval import Interval

Written = dict[str, Any]


def written(interval: Interval) -> Written:
    """All of an interval that readers need."""
    return {
        "value": interval.value,
        "low": interval.low,
        "high": interval.high,
        "method": interval.method,
        "n": interval.n,
        "why": interval.why,
    }


def missing(why: str, *, n: int = 0) -> Written:
    """No estimate at all, and the reason."""
    return {"value": None, "low": None, "high": None, "method": None, "n": n, "why": why}
