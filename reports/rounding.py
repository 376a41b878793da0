"""How a number is written: the page, its pictures, Markdown, HTML and PDF all ask here, so that they agree."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import ceil
from typing import Any

NOTHING = "–"
# A number never parts from its unit at the end of a line.
NBSP = "\u00a0"
Style = Callable[[float | None], str]


def percent(value: float | None) -> str:
    """A proportion with one decimal: 0.5917 is `59.2 %`."""
    return NOTHING if value is None else f"{_plain(value * 100, 1)}{NBSP}%"


def points(value: float | None) -> str:
    """A difference of proportions in points, signed: 0.042 is `+4.2 points`."""
    return NOTHING if value is None else f"{_signed(value * 100, 1)}{NBSP}points"


def span(value: float | None) -> str:
    """A margin or half a width in points, without a sign: 0.1 is `10 points`, 0.0825 is `8.3 points`."""
    return NOTHING if value is None else f"{_short(value * 100)}{NBSP}points"


def span_up(value: float | None) -> str:
    """The same, rounded up: what is asked for must not be a little too narrow."""
    return NOTHING if value is None else f"{_short(ceil(value * 1000 - 1e-9) / 10)}{NBSP}points"


def whole_percent(value: float | None) -> str:
    """A chance, as exactly as it is known: 0.687 is `69 %`."""
    return NOTHING if value is None else f"{_plain(value * 100, 0)}{NBSP}%"


def hours(value: float | None) -> str:
    """A length of work: `25 minutes`, `2.5 hours`, `40 hours`."""
    if value is None:
        return NOTHING
    if value < 1:
        minutes = max(1, round(value * 60))
        return f"{minutes}{NBSP}minute{'' if minutes == 1 else 's'}"
    written = _short(value) if value < 10 else f"{value:,.0f}"
    return f"{written}{NBSP}hour{'' if written == '1' else 's'}"


def duration(value: float | None) -> str:
    """Milliseconds below a second, seconds above: `842 ms`, `2.14 s`, `21.1 s`, `245 s`."""
    if value is None:
        return NOTHING
    if abs(value) < 999.5:
        return f"{value:.0f}{NBSP}ms"
    seconds = value / 1000
    digits = 2 if seconds < 9.995 else 1 if seconds < 99.95 else 0
    return f"{seconds:,.{digits}f}{NBSP}s"


def delay(value: float | None) -> str:
    """A difference of times, signed: `+120 ms`, `−1.40 s`."""
    if value is None:
        return NOTHING
    written = duration(value).replace("-", "−")
    return written if written[0] in "−0" else f"+{written}"


def pace(value: float | None) -> str:
    """Milliseconds a token, with a decimal: `12.5 ms`."""
    return NOTHING if value is None else f"{value:.1f}{NBSP}ms"


def seconds(value: float | None) -> str:
    """Seconds that a person took: `34 s`, `3 min 10 s`."""
    if value is None:
        return NOTHING
    whole = round(value)
    return f"{whole}{NBSP}s" if whole < 120 else f"{whole // 60}{NBSP}min {whole % 60:02d}{NBSP}s"


def money(value: float | None) -> str:
    """USD to the cent, below ten cents three digits, from a thousand whole: `6.89 USD`, `0.0413 USD`, `6,000 USD`."""
    if value is None:
        return NOTHING
    size = abs(value)
    if size >= 999.995:
        return f"{value:,.0f}{NBSP}USD"
    return f"{value:,.2f}{NBSP}USD" if size >= 0.0995 or size == 0 else f"{value:.3g}{NBSP}USD"


def money_short(value: float | None) -> str:
    """USD on an axis, without needless digits: `1,000 USD`, `0.5 USD`."""
    return NOTHING if value is None else f"{value:,.6g}{NBSP}USD"


def volume(value: float | None) -> str:
    """A large count in short: `4.42 million`, `556`, `12,300`."""
    if value is None:
        return NOTHING
    if abs(value) >= 999_500:
        return f"{value / 1e6:,.3g}{NBSP}million" if abs(value) < 999.5e6 else f"{value / 1e9:,.3g}{NBSP}billion"
    return f"{value:,.0f}" if abs(value) >= 99.5 else f"{value:.3g}"


def volume_short(value: float | None) -> str:
    """The same on an axis: `500 k`, `10 M`."""
    if value is None:
        return NOTHING
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:,.3g}{NBSP}{unit}"
    return f"{value:.3g}"


def count(value: float | None) -> str:
    """A whole number with separators: `8,931`."""
    return NOTHING if value is None else f"{value:,.0f}"


def p_value(value: float | None) -> str:
    """A probability: three decimals, and `< 0.001` below."""
    if value is None:
        return NOTHING
    return "< 0.001" if value < 0.0005 else f"{value:.3f}"


def decimal(value: float | None) -> str:
    """A plain number with two decimals: agreement, coefficients, rates."""
    return NOTHING if value is None else _plain(value, 2)


def rating(value: float | None) -> str:
    """Elo points, signed and whole."""
    return NOTHING if value is None else _signed(value, 0)


STYLES: dict[str, Style] = {
    "percent": percent,
    "points": points,
    "span": span,
    "span up": span_up,
    "whole percent": whole_percent,
    "hours": hours,
    "duration": duration,
    "delay": delay,
    "pace": pace,
    "seconds": seconds,
    "money": money,
    "volume": volume,
    "count": count,
    "p": p_value,
    "decimal": decimal,
    "rating": rating,
}


def moment(value: str | None) -> str:
    """A time as the report keeps it, to the minute: `26 November 2026, 17:59 (UTC)`."""
    if not value:
        return NOTHING
    at = datetime.fromisoformat(value).astimezone(UTC)
    return f"{at.day} {at:%B %Y, %H:%M} (UTC)"


def limits(interval: Mapping[str, Any] | None, style: str) -> str:
    """The limits of an interval in words: `45.0 % to 73.4 %`, `at least 1.21 s`, or a dash."""
    if interval is None:
        return NOTHING
    write = STYLES[style]
    low, high = interval.get("low"), interval.get("high")
    if low is None and high is None:
        return NOTHING
    if high is None:
        return f"at least {write(low)}"
    return f"at most {write(high)}" if low is None else f"{write(low)} to {write(high)}"


def _plain(value: float, digits: int) -> str:
    written = f"{value:.{digits}f}"
    # Minus nought is nought.
    return written.removeprefix("-") if float(written) == 0 else written.replace("-", "−")


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _signed(value: float, digits: int) -> str:
    written = _plain(value, digits)
    return written if written.startswith("−") or float(written) == 0 else f"+{written}"
