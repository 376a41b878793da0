"""What an owner assumes about volume and cost: stated, dated, never overwritten, and never touching quality."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from accounts.models import User
from experiments.models import Experiment
from reports.models import Assumptions

DEFAULT_UTILISATION = 0.3
GENERAL = ("requests_per_day", "operations_per_day", "governance_per_year", "cached_share")
# What may be assumed of each system, under "systems" by the code of its arm; it replaces what the system's cost says.
OF_A_SYSTEM = (
    "input_per_million",
    "output_per_million",
    "cached_input_per_million",
    "price_date",
    "price_source",
    "gpu_hourly",
    "gpus",
    "hours_per_day",
    "utilisation",
    "storage_per_day",
    "variable_per_million",
)


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


def current(experiment: Experiment) -> dict[str, Any]:
    """The assumptions in force; empty where none were stated."""
    latest = Assumptions.objects.filter(experiment=experiment).order_by("-stated_at", "-pk").first()
    return dict(latest.values) if latest else {}


def history(experiment: Experiment) -> list[Assumptions]:
    """All that was ever assumed, newest first."""
    return list(
        Assumptions.objects.filter(experiment=experiment).select_related("stated_by").order_by("-stated_at", "-pk")
    )


def _of_systems(known: Mapping[str, Any], given: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    merged = {code: dict(values) for code, values in known.items()}
    for code, values in given.items():
        own = merged.setdefault(code, {})
        own.update({name: _checked(name, value, OF_A_SYSTEM) for name, value in values.items()})
    return merged


def _checked(name: str, value: Any, known: tuple[str, ...]) -> Any:
    if name not in known:
        raise UnknownAssumption(f"{name!r} is no assumption; known are {', '.join(known)}.")
    if name in {"price_date", "price_source"} or value is None:
        return value if value is None else str(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise UnknownAssumption(f"{name} must be a number of at least 0, not {value!r}.")
    if name in {"cached_share", "utilisation"} and value > 1:
        raise UnknownAssumption(f"{name} is a share between 0 and 1, not {value!r}.")
    return value
