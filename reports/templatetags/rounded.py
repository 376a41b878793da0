"""Template filters that write numbers and intervals: every one of them asks `reports.rounding`."""

from collections.abc import Mapping
from typing import Any

from django import template

from reports.rounding import STYLES, limits, moment

register = template.Library()
register.filter("moment", moment)


@register.filter
def rounded(value: float | None, style: str) -> str:
    """A number in a style of `reports.rounding`: percent, points, duration, money, volume, count, p, decimal …"""
    return STYLES[style](value)


@register.filter
def between(interval: Mapping[str, Any] | None, style: str) -> str:
    """The limits of an interval, or a dash."""
    return limits(interval, style)


@register.filter
def estimate(interval: Mapping[str, Any] | None, style: str) -> str:
    """The value of an interval, or a dash."""
    return STYLES[style](interval["value"] if interval else None)
