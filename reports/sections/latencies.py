"""How fast each system answered and under which load, and whether two of them are shown to differ."""

from datetime import timedelta
from typing import Any

import numpy as np

from reports.measured import Measured, Timings
from reports.rounding import duration, limits
from reports.sections import capacity, costs
from reports.sections.intervals import Written, written
from reports.sections.study import Study
from reports.statistics import latency
from reports.statistics.interval import Floats, Interval, Ints

Section = dict[str, Any]
END_TO_END = {"e2e_p50": 0.5, "e2e_p95": 0.95, "e2e_p99": 0.99}
NOTICED = {"ttft": "ttft", "first_visible": "first visible", "user": "user time"}
HALVES = {"p50": 0.5, "p95": 0.95}
# More dots than this hide each other; evenly spaced ranks keep the shape.
MOST_DOTS = 200


def of_system(study: Study, arm: int) -> Section:
    """The section `latency` of a system."""
    measured = study.measured[arm]
    times, tally = measured.timings, measured.tally
    section: Section = {
        "n": len(times),
        "sent": tally.requests,
        "concurrency": measured.concurrency,
        "lowered_to": measured.lowered_to,
        "samples": measured.samples,
        "load": _load(measured),
        "beside": _beside(study, arm),
        **capacity.section(measured, _target(study, arm)),
        **_quantiles(study, f"latency {arm}", times, times.e2e, END_TO_END),
        "first_pass_p95": latency.quantile(times.first_pass, 0.95),
    }
    for column, purpose in NOTICED.items():
        wanted = {f"{column}_{name}": q for name, q in HALVES.items()}
        section |= _quantiles(study, f"{purpose} {arm}", times, getattr(times, column), wanted)
    return section | {
        "p95": _headline(times, section["e2e_p95"]),
        "output_tokens_mean": _mean(times.output),
        "tokens_per_second": _median(_a_second(times)),
        "ms_per_token": _median(_per_token(times)),
        "cold_starts": tally.cold_starts,
        "retries": tally.retries,
        "longest": float(times.e2e.max()) if len(times) else None,
        "dots": _dots(times),
        "load_runs": [dict(run) for run in measured.load_runs],
    }


def differences(study: Study) -> list[Section]:
    """Of every candidate against the baseline, by inputs that both answered."""
    if study.baseline is None:
        return []
    return [_difference(study, arm, study.baseline) for arm in study.order if arm != study.baseline]


def _difference(study: Study, candidate: int, baseline: int) -> Section:
    own, other = study.measured[candidate], study.measured[baseline]
    passes = min(own.samples, other.samples)  # a later pass may meet a warm cache: like is compared with like
    found = latency.paired_differences(
        _passes(own.timings, passes),
        _passes(other.timings, passes),
        tuple(HALVES.values()),
        chance=study.chance(f"latency {candidate} against {baseline}"),
    )
    section: Section = {name: written(interval) for name, interval in zip(HALVES, found, strict=True)}
    alike = own.concurrency == other.concurrency
    unlike = f"measured with {own.concurrency} and with {other.concurrency} in flight: not the same load"
    return {
        "candidate": study.name(candidate),
        "baseline": study.name(baseline),
        **section,
        "passes": passes,
        "words": {name: _shown(section[name]) for name in HALVES},
        "same_load": alike,
        "note": None if alike else unlike,
    }


def _passes(times: Timings, count: int) -> tuple[Floats, Ints]:
    """The times of the first passes, and the inputs that they answer."""
    first = times.sample < count
    return times.e2e[first], times.input[first]


def _shown(difference: Written) -> str:
    """Two are called different only where the limits of the paired difference exclude 0."""
    low, high = difference["low"], difference["high"]
    if low is None or high is None:
        return "not computed"
    if low > 0:
        return f"slower by {duration(difference['value'])} ({limits(difference, 'delay')})"
    if high < 0:
        return f"faster by {duration(-difference['value'])} ({limits(difference, 'delay')})"
    return f"not shown to differ ({limits(difference, 'delay')})"


def _target(study: Study, arm: int) -> float | None:
    """The p95 wanted of GPUs; what an API can bear is not the owner's to say."""
    own = costs.basis(costs.stated(study, arm)) == costs.GPU
    target: float | None = study.assumed.get("p95_target_ms") if own else None
    return target


def _load(measured: Measured) -> str:
    if measured.server is None:
        return "recorded elsewhere: under which load is not known"
    one = "1 request" if measured.concurrency == 1 else f"{measured.concurrency} requests"
    return f"closed loop, {one} in flight: the next is sent when one comes back"


def _beside(study: Study, arm: int) -> list[Section]:
    """The systems that were asked at the same server, and whether at the same time."""
    own = study.measured[arm]
    return [
        {"name": study.name(other), "interleaved": _overlap(own, study.measured[other])}
        for other in study.order
        if other != arm and own.server is not None and study.measured[other].server == own.server
    ]


def _overlap(one: Measured, other: Measured) -> bool:
    first, second = one.tally, other.tally
    if first.first_at is None or second.first_at is None or first.last_at is None or second.last_at is None:
        return False
    shared = min(first.last_at, second.last_at) - max(first.first_at, second.first_at)
    return shared > timedelta(0)


def _quantiles(study: Study, purpose: str, of: Timings, times: Floats, wanted: dict[str, float]) -> Section:
    known = ~np.isnan(times)
    found = latency.quantiles(times[known], of.input[known], tuple(wanted.values()), chance=study.chance(purpose))
    return {name: written(interval) for name, interval in zip(wanted, found, strict=True)}


def _headline(times: Timings, everything: Written) -> Section:
    """p95 of the first pass, since a later one may meet a warm cache; of all answers where each was asked for once."""
    if times.first_pass.size in {0, len(times)}:
        return {**everything, "of": "all answers"}
    first: Interval = latency.from_single_runs(times.first_pass, 0.95)
    return {**written(first), "of": "first pass"}


def _a_second(times: Timings) -> Floats:
    """Tokens of each answer over its whole time, so that waiting is in it."""
    took = times.e2e > 0
    return np.asarray(times.output[took] / times.e2e[took] * 1000)


def _per_token(times: Timings) -> Floats:
    """Milliseconds a token after the first. Where thinking is hidden its tokens are not in the stream: none."""
    streamed = (times.output > 1) & (times.e2e > times.ttft)
    hidden = (times.reasoning > 0) & ~(times.first_visible > times.ttft)
    return np.asarray((times.e2e - times.ttft)[streamed & ~hidden] / (times.output[streamed & ~hidden] - 1))


def _mean(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else None


def _median(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else None


def _dots(times: Timings) -> list[float]:
    if not len(times):
        return []
    ordered = np.sort(times.e2e)
    places = np.linspace(0, ordered.size - 1, min(MOST_DOTS, ordered.size)).round().astype(np.int64)
    return [round(float(value), 1) for value in ordered[places]]
