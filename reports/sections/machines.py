"""What GPUs cost, rented or owned: by the hour, by the day, and by 1,000 requests with every assumption said."""

from collections.abc import Mapping
from typing import Any

from reports.measured import Measured
from reports.rounding import count, duration, percent
from reports.sections import capacity
from reports.sections.intervals import missing, written
from reports.statistics import cost as arithmetic
from reports.statistics import intervals, scores
from reports.statistics.cost import Owned, Rented
from reports.statistics.interval import Interval, without_limits
from reports.statistics.throughput import Sustained

Section = dict[str, Any]
Stated = Mapping[str, Any]
BUSY_WORDS = "from GPU price and throughput"


def stated(own: Stated) -> bool:
    """Whether the price of a machine is: of an hour of it, or of buying it."""
    return own.get("gpu_hourly") is not None or bought(own)


def bought(own: Stated) -> bool:
    """Whether the machine is one's own; a purchase price counts before an hourly one."""
    return own.get("purchase_price") is not None


def machine(own: Stated, assumed: Stated) -> Rented:
    """The GPUs with operations and storage; an owned machine as what it costs in each of the day's 24 hours."""
    overhead = (assumed.get("operations_per_day") or 0.0) + (own.get("storage_per_day") or 0.0)
    share = own["server_share"] if own.get("server_share") else 1.0
    if bought(own):
        hourly = owned(own).fixed_per_day / arithmetic.HOURS
        return Rented(hourly=hourly, overhead_per_day=overhead, share=share)
    return Rented(
        hourly=own["gpu_hourly"],
        gpus=own.get("gpus") or 1,
        hours_per_day=own.get("hours_per_day") or arithmetic.HOURS,
        overhead_per_day=overhead,
        share=share,
    )


def owned(own: Stated) -> Owned:
    """A machine that was bought, with what was not stated as Owned has it."""
    given = {
        name: own[key]
        for name, key in (
            ("residue", "residual_value"),
            ("years", "years"),
            ("rate", "interest_rate"),
            ("kilowatts", "kilowatts"),
            ("pue", "pue"),
            ("kwh_price", "kwh_price"),
            ("hosting_per_day", "hosting_per_day"),
        )
        if own.get(key) is not None
    }
    return Owned(price=own["purchase_price"], **given)


def by_gpu(measured: Measured, own: Stated, assumed: Stated, tokens: float | None) -> Section:
    """The figures of the section `cost`; `tokens` are those of a mean request, in and out."""
    card, volume = machine(own, assumed), assumed.get("requests_per_day")
    sustained = capacity.sustained(measured, assumed.get("p95_target_ms"))
    found, idle = (
        arithmetic.by_gpu(
            hourly=card.hourly * card.gpus,  # a share of the hours serves the same share of the requests
            fixed_per_day=card.fixed_per_day,
            requests_per_second=sustained.throughput,
            requests_per_day=requests,
            utilisation=own.get("utilisation"),
            variable_per_thousand=(own.get("variable_per_million") or 0.0) * (tokens or 0.0) / 1000,
        )
        for requests in (volume, None)
    )
    busy = _busy(measured, sustained, found.busy)
    return {
        "per_1000_requests": _loaded(found, busy, volume, sustained),
        "per_1000_requests_busy": found.busy,
        "per_1000_requests_busy_interval": written(busy),
        "without_answer": None,
        "lines": {
            "busy": found.busy,
            "at_utilisation": idle.loaded,
            "utilisation": own.get("utilisation") or arithmetic.UTILISATION,
            "bill": found.loaded if volume else None,
            "requests_per_day": volume,
        },
        "assumptions": _assumptions(own, assumed, card, found.basis),
        "notes": _notes(measured, sustained, own, assumed),
    }


def _loaded(found: arithmetic.GpuCost, busy: Interval, volume: float | None, sustained: Sustained) -> Section:
    if found.loaded is None:
        return missing(sustained.why) | {"method": found.basis}
    loaded = without_limits(
        found.loaded, n=0, why="it follows from what is stated, not from a sample", method=found.basis
    )
    if not volume and found.busy:
        loaded = busy.scaled(found.loaded / found.busy)
    return written(loaded) | {"method": found.basis}


def _assumptions(own: Stated, assumed: Stated, card: Rented, basis: str) -> Section:
    volume = assumed.get("requests_per_day")
    return {
        **own,
        "owned": bought(own),
        "hourly": card.hourly,
        "gpus": card.gpus,
        "hours_per_day": card.hours_per_day,
        "server_share": card.share,
        "operations_per_day": assumed.get("operations_per_day") or 0.0,
        "fixed_per_day": card.fixed_per_day,
        "requests_per_day": volume,
        "utilisation": None if volume else own.get("utilisation") or arithmetic.UTILISATION,
        "p95_target_ms": assumed.get("p95_target_ms"),
        "basis": basis,
    }


def _busy(measured: Measured, sustained: Sustained, value: float | None) -> Interval:
    """The busy cost is proportional to the mean time of an answer, so its limits are that mean's, rescaled."""
    times = measured.timings
    if value is None:
        return without_limits(None, n=0, why=sustained.why)
    if sustained.loaded:
        return without_limits(value, n=1, why="one load run gives no limits", method=BUSY_WORDS)
    mean = intervals.mean(scores.by_input(times.e2e, times.input).mean)
    return mean.scaled(value / mean.value) if mean.value else without_limits(value, n=0, why="nothing was timed")


def _notes(measured: Measured, sustained: Sustained, own: Stated, assumed: Stated) -> list[str]:
    volume, target = assumed.get("requests_per_day"), assumed.get("p95_target_ms")
    notes = []
    if not volume and own.get("utilisation") is None:
        notes.append(
            f"its cost assumes that GPUs work {percent(arithmetic.UTILISATION)} of the time; state your volume."
        )
    level = sustained.level
    if level and sustained.lower_bound and not volume:
        notes.append(
            "its throughput is a lower bound and its cost an upper bound, as the GPU was never loaded beyond "
            f"{level.concurrency} {'request' if level.concurrency == 1 else 'requests'} in flight."
        )
    if level and target is None and sustained.loaded and level.p95 is not None:
        notes.append(
            f"its throughput is that of the best level of the load run, whose p95 was {duration(level.p95)}; "
            "state the p95 you would allow."
        )
    if level is None and volume and sustained.why:
        notes.append(f"{sustained.why}: whether its GPUs can serve the stated volume is not known.")
    return [*notes, *_beyond_capacity(machine(own, assumed), sustained, volume)]


def _beyond_capacity(card: Rented, sustained: Sustained, volume: float | None) -> list[str]:
    if not volume or not sustained.throughput:
        return []
    needed = arithmetic.gpus_needed(
        requests_per_day=volume,
        requests_per_second=sustained.throughput * card.share,
        hours_per_day=card.hours_per_day,
    )
    if needed == 1:
        return []
    return [
        f"at the measured throughput {count(volume)} requests a day would need {needed} times the GPUs stated, "
        "which its cost does not include."
    ]
