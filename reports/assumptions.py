"""What an owner assumes about volume and cost: stated, dated, never overwritten, and never touching quality."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from accounts.models import User
from experiments.models import Experiment
from reports.models import Assumptions

MOST = 1e12
SHARE, POSITIVE = (0.0, 1.0), 0.001
# Each amount that may be assumed of everything, with the least and the most that make sense; money is USD.
GENERAL = {
    "requests_per_day": (0.0, MOST),
    "operations_per_day": (0.0, MOST),
    "governance_per_year": (0.0, MOST),
    "vendor_risk_per_year": (0.0, MOST),
    "cached_share": SHARE,
    "p95_target_ms": (1.0, 3_600_000.0),
}
BY_TOKENS = dict.fromkeys(
    ("input_per_million", "output_per_million", "cached_input_per_million", "cache_write_per_million"), (0.0, MOST)
)
RENTED = {"gpu_hourly": (0.0, MOST), "gpus": (POSITIVE, 10_000.0), "hours_per_day": (POSITIVE, 24.0)}
OWNED = {
    "purchase_price": (0.0, MOST),
    "residual_value": (0.0, MOST),
    "years": (POSITIVE, 100.0),
    "interest_rate": SHARE,
    "kilowatts": (0.0, 100_000.0),
    "pue": (1.0, 10.0),
    "kwh_price": (0.0, MOST),
    "hosting_per_day": (0.0, MOST),
}
BY_GPU = {
    "utilisation": (POSITIVE, 1.0),
    "server_share": (POSITIVE, 1.0),
    "storage_per_day": (0.0, MOST),
    "variable_per_million": (0.0, MOST),
    "hosted_input_per_million": (0.0, MOST),
    "hosted_output_per_million": (0.0, MOST),
}
# What may be assumed of each system, under "systems" by the code of its arm; it replaces what the system's cost says.
OF_A_SYSTEM = {**BY_TOKENS, **RENTED, **OWNED, **BY_GPU}
WORDS = ("price_date", "price_source")


class UnknownAssumption(ValueError):
    """A name that is no assumption, or a value that cannot be one."""


def state(*, experiment: Experiment, values: Mapping[str, Any], by: User | None = None) -> Assumptions:
    """Add assumptions as of now; all names are optional, and those not given are as before.

    Amounts are USD and requests a day; shares 0 to 1; `systems` maps an arm's code to names of OF_A_SYSTEM.
    Raises UnknownAssumption.
    """
    merged = current(experiment)
    for name, value in values.items():
        if name == "systems":
            merged["systems"] = _of_systems(merged.get("systems", {}), value)
        else:
            merged[name] = _checked(name, value, GENERAL)
    return Assumptions.objects.create(experiment=experiment, values=merged, stated_by=by, stated_at=timezone.now())


def check(values: Mapping[str, Any]) -> None:
    """Raise UnknownAssumption where somebody else's record holds what could not have been stated here."""
    for name, value in values.items():
        if name != "systems":
            _checked(name, value, GENERAL)
        elif isinstance(value, dict) and all(isinstance(given, dict) for given in value.values()):
            _of_systems({}, value)
        else:
            raise UnknownAssumption("systems must be an object of objects.")


def current(experiment: Experiment) -> dict[str, Any]:
    """The assumptions in force; empty where none were stated."""
    latest = Assumptions.objects.filter(experiment=experiment).order_by("-stated_at", "-pk").first()
    return dict(latest.values) if latest else {}


def history(experiment: Experiment) -> list[Assumptions]:
    """All that was ever assumed, newest first."""
    return list(
        Assumptions.objects.filter(experiment=experiment).select_related("stated_by").order_by("-stated_at", "-pk")
    )


def problem(name: str, value: float, bounds: Mapping[str, tuple[float, float]]) -> str:
    """What is wrong with an amount, empty where nothing is."""
    least, most = bounds[name]
    if least <= value <= most:
        return ""
    return f"at least {least:g}" if most == MOST and value < least else f"from {least:g} to {most:g}"


def is_usable(name: str, value: Any) -> bool:
    """Whether a system's cost can be computed with it: a bundle or an older version may hold what is not."""
    if name in WORDS:
        return isinstance(value, str)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and name in OF_A_SYSTEM and not problem(name, value, OF_A_SYSTEM)


def _of_systems(known: Mapping[str, Any], given: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    merged = {code: dict(values) for code, values in known.items()}
    for code, values in given.items():
        own = merged.setdefault(code, {})
        own.update({name: _checked(name, value, OF_A_SYSTEM) for name, value in values.items()})
    return merged


def _checked(name: str, value: Any, bounds: Mapping[str, tuple[float, float]]) -> Any:
    if name in WORDS and bounds is OF_A_SYSTEM:
        return None if value is None else str(value)
    if name not in bounds:
        raise UnknownAssumption(f"{name!r} is no assumption; known are {', '.join(bounds)}.")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnknownAssumption(f"{name} must be a number, not {value!r}.")
    if wrong := problem(name, value, bounds):
        raise UnknownAssumption(f"{name} must be {wrong}, not {value!r}.")
    return value
