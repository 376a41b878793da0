"""What 1,000 requests to a system cost, from its prices or its GPUs, with every assumption said."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from reports.measurements import Measured, Usage
from reports.rounding import percent
from reports.sections.intervals import missing, written
from reports.sections.study import Study
from reports.statistics import cost as arithmetic
from reports.statistics import intervals, scores
from reports.statistics.cost import Prices, Rented
from reports.statistics.interval import Interval, without_limits

Section = dict[str, Any]
TOKENS, GPU, NONE = "tokens", "gpu", "none"
BUSY_WORDS = "from GPU price and throughput"


def stated(study: Study, arm: int) -> dict[str, Any]:
    """The costs of a system as they are assumed now: what its owner gave, and what was changed since."""
    changed = study.assumed.get("systems", {}).get(study.ballots.arms[arm], {})
    return {**study.measured[arm].cost, **{name: value for name, value in changed.items() if value is not None}}


def basis(cost: Mapping[str, Any]) -> str:
    """How a system is paid for."""
    if cost.get("input_per_million") is not None and cost.get("output_per_million") is not None:
        return TOKENS
    return GPU if cost.get("gpu_hourly") is not None else NONE


def cost(measured: Measured, own: Mapping[str, Any], assumed: Mapping[str, Any]) -> Section:
    """The section of report.json; `own` is what is stated of the system, `assumed` what is stated of the volume."""
    usage, paid = measured.usage, basis(own)
    figures = {TOKENS: _by_tokens, GPU: _by_gpu, NONE: _by_nothing}[paid](measured, own, assumed)
    return {
        "basis": paid,
        "stated": dict(own),
        **figures,
        "input_tokens_mean": float(usage.prompt.mean()) if len(usage) else None,
        "output_tokens_mean": float(usage.output.mean()) if len(usage) else None,
        "cached_share_measured": _cached_share(usage),
    }


def prices(own: Mapping[str, Any]) -> Prices:
    """The prices of a system that is paid by tokens."""
    return Prices(
        input=own["input_per_million"], output=own["output_per_million"], cached=own.get("cached_input_per_million")
    )


def rented(own: Mapping[str, Any], assumed: Mapping[str, Any]) -> Rented:
    """The GPUs of a system that is paid by the hour, with operations and storage."""
    return Rented(
        hourly=own["gpu_hourly"],
        gpus=own.get("gpus") or 1,
        hours_per_day=own.get("hours_per_day") or arithmetic.HOURS,
        overhead_per_day=(assumed.get("operations_per_day") or 0.0) + (own.get("storage_per_day") or 0.0),
    )


def _by_tokens(measured: Measured, own: Mapping[str, Any], assumed: Mapping[str, Any]) -> Section:
    usage, tally = measured.usage, measured.tally
    if not len(usage):
        nothing = missing("no token counts were measured")
        return {"per_1000_requests": nothing, "per_1000_requests_busy": None, "assumptions": dict(own), "notes": []}
    share = assumed.get("cached_share")
    retries = tally.retries / tally.requests if tally.requests else 0.0
    interval = arithmetic.per_thousand_by_tokens(
        tokens_in=usage.prompt,
        tokens_out=usage.output,
        cached=usage.prompt * share if share else usage.cached,
        item=usage.input,
        prices=prices(own),
        retries=retries,
    )
    used = {"cached_share": share if share else _cached_share(usage), "retries": retries}
    return {
        "per_1000_requests": written(interval),
        "per_1000_requests_busy": interval.value,
        "assumptions": {**own, **used},
        "notes": _price_notes(own),
    }


def _price_notes(own: Mapping[str, Any]) -> list[str]:
    return [] if own.get("price_date") else ["the date of its prices is not stated."]


def _by_gpu(measured: Measured, own: Mapping[str, Any], assumed: Mapping[str, Any]) -> Section:
    card, volume = rented(own, assumed), assumed.get("requests_per_day")
    utilisation = own.get("utilisation")
    found = arithmetic.by_gpu(
        hourly=card.hourly * card.gpus,
        fixed_per_day=card.fixed_per_day,
        requests_per_second=measured.throughput,
        requests_per_day=volume,
        utilisation=utilisation,
    )
    busy = _busy(measured, found.busy)
    loaded = without_limits(
        found.loaded, n=0, why="it follows from what is stated, not from a sample", method=found.basis
    )
    if not volume and found.loaded and found.busy:
        loaded = busy.scaled(found.loaded / found.busy)
    section = written(loaded) if found.loaded is not None else missing(_no_throughput(measured))
    section["method"] = found.basis
    return {
        "per_1000_requests": section,
        "per_1000_requests_busy": found.busy,
        "per_1000_requests_busy_interval": written(busy),
        "assumptions": {
            **own,
            "gpus": card.gpus,
            "hours_per_day": card.hours_per_day,
            "operations_per_day": assumed.get("operations_per_day") or 0.0,
            "fixed_per_day": card.fixed_per_day,
            "requests_per_day": volume,
            "utilisation": None if volume else utilisation or arithmetic.UTILISATION,
            "basis": found.basis,
        },
        "notes": _gpu_notes(measured, card, volume, utilisation),
    }


def _busy(measured: Measured, value: float | None) -> Interval:
    """The busy cost is proportional to the mean time of an answer, so its limits are that mean's, rescaled."""
    times = measured.timings
    if value is None:
        return without_limits(None, n=0, why=_no_throughput(measured))
    if measured.loaded:
        return without_limits(value, n=1, why="one load run gives no limits", method=BUSY_WORDS)
    mean = intervals.mean(scores.by_input(times.e2e, times.input).mean)
    return mean.scaled(value / mean.value) if mean.value else without_limits(value, n=0, why="nothing was timed")


def _no_throughput(measured: Measured) -> str:
    return "no throughput was measured: nothing was timed" if not len(measured.timings) else "no volume is stated"


def _gpu_notes(measured: Measured, card: Rented, volume: float | None, utilisation: float | None) -> list[str]:
    notes = []
    if not volume and utilisation is None:
        notes.append(
            f"its cost assumes that GPUs work {percent(arithmetic.UTILISATION)} of the time; state your volume."
        )
    if not measured.loaded and measured.throughput is not None and not volume:
        notes.append(
            f"its cost is an upper bound, as the GPU was never loaded beyond {measured.concurrency} requests in flight."
        )
    if volume and measured.throughput:
        needed = arithmetic.gpus_needed(
            requests_per_day=volume, requests_per_second=measured.throughput, hours_per_day=card.hours_per_day
        )
        if needed > 1:
            notes.append(
                f"at the measured throughput {volume:,.0f} requests a day would need {needed} times the GPUs stated, "
                "which its cost does not include."
            )
    return notes


def _by_nothing(measured: Measured, own: Mapping[str, Any], assumed: Mapping[str, Any]) -> Section:
    nothing = missing("neither prices by token nor the price of a GPU hour are stated")
    return {"per_1000_requests": nothing, "per_1000_requests_busy": None, "assumptions": dict(own), "notes": []}


def _cached_share(usage: Usage) -> float | None:
    total = float(np.sum(usage.prompt))
    return float(np.sum(usage.cached)) / total if total else None
