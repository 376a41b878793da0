"""What each system's server sustains, what that was taken from, and whether it could have done more."""

from typing import Any

from reports.measured import Measured
from reports.rounding import duration
from reports.statistics import latency
from reports.statistics.throughput import Level, Sustained
from reports.statistics.throughput import sustained as chosen

Section = dict[str, Any]


def sustained(measured: Measured, target: float | None) -> Sustained:
    """The load that counts for capacity, within the p95 in ms that is wanted."""
    runs = [
        Level(
            concurrency=run["concurrency"],
            throughput=run["throughput_rps"],
            failed=run["failed"],
            p95=run["quantiles"].get("e2e_p95"),
        )
        for run in measured.load_runs
    ]
    return chosen(runs, own=_own(measured), p95_target=target)


def section(measured: Measured, target: float | None) -> Section:
    """The keys of `latency` in report.json that speak of throughput."""
    found = sustained(measured, target)
    return {
        "throughput_rps": found.throughput,
        "throughput_from": _words(found, target),
        "throughput": {
            "concurrency": found.level.concurrency if found.level else None,
            "p95": found.level.p95 if found.level else None,
            "p95_target": target,
            "loaded": found.loaded,
            "lower_bound": found.lower_bound if found.level else None,
            "why": found.why or None,
        },
    }


def _own(measured: Measured) -> Level | None:
    """Little's law: what was in flight over the mean time of one, which no load run has to confirm."""
    times = measured.timings
    mean = float(times.e2e.mean()) if len(times) else 0.0
    if mean <= 0:
        return None
    places = min(measured.concurrency, measured.lowered_to or measured.concurrency)
    first = times.first_pass if times.first_pass.size else times.e2e
    return Level(concurrency=places, throughput=places * 1000 / mean, p95=latency.quantile(first, 0.95))


def _words(found: Sustained, target: float | None) -> str:
    level = found.level
    if level is None:
        return found.why if target is None else f"none, as {found.why} of {duration(target)}"
    if found.loaded:
        of = f"the load run with {level.concurrency} in flight, the best without failures"
    else:
        of = f"{level.concurrency} in flight over the mean time of an answer"
    if target is not None:
        of += f" within a p95 of {duration(target)}"
    elif found.loaded and level.p95 is not None:
        of += f"; its p95 was {duration(level.p95)}, and no target is stated"
    return f"{of}; a lower bound, as the server was not seen at its limit" if found.lower_bound else of
