"""How long an endpoint is waited for: the names of its deadlines, what they may be, and the columns that hold them."""

from collections.abc import Mapping

from backends.client import Deadlines
from backends.models import Endpoint

LONGEST = 86_400.0
DEFAULTS: Mapping[str, float | None] = {"connect": 10.0, "first_token": None, "silence": 120.0, "total": 300.0}
MEANINGS: Mapping[str, str] = {
    "connect": "to connect",
    "first_token": "to the first token (thoughts count), whatever keeps the connection alive meanwhile",
    "silence": "without a byte",
    "total": "for the whole answer",
}


def problems(given: Mapping[str, float | None]) -> list[str]:
    """What is wrong with deadlines in seconds, a sentence each."""
    found = [
        f"the deadline {name!r} is not known. Known are: {', '.join(DEFAULTS)}."
        for name in given
        if name not in DEFAULTS
    ]
    found += [
        f"the deadline {name!r} must be above 0 and at most {LONGEST:.0f} seconds, not {value:g}."
        for name, value in given.items()
        if name in DEFAULTS and value is not None and not 0 < value <= LONGEST
    ]
    whole = {**DEFAULTS, **given}
    first, total = whole["first_token"], whole["total"]
    if not found and first is not None and total is not None and first > total:
        found.append(f"the first token may take {first:g} s, but the whole answer only {total:g} s: raise 'total'.")
    return found


def columns(given: Mapping[str, float | None]) -> dict[str, float | None]:
    """Of an endpoint; what is not given is as usual."""
    chosen = {name: value for name, value in given.items() if value is not None}
    return {f"{name}_seconds": value for name, value in {**DEFAULTS, **chosen}.items()}


def stated(endpoint: Endpoint) -> dict[str, float | None]:
    """The endpoint's deadlines by name."""
    return {name: getattr(endpoint, f"{name}_seconds") for name in DEFAULTS}


def deadlines_of(endpoint: Endpoint) -> Deadlines:
    """The same for a client; none outlasts the whole answer's."""
    total = endpoint.total_seconds
    return Deadlines(
        connect=min(endpoint.connect_seconds, total),
        first_token=endpoint.first_token_seconds,
        silence=min(endpoint.silence_seconds, total),
        total=total,
    )
