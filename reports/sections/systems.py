"""Each system by itself: how fast it answered, what a request costs, how often it failed or was good enough."""

from typing import Any

import numpy as np

from reports.measurements import Measured, Timings
from reports.sections import costs
from reports.sections.intervals import missing, written
from reports.sections.study import Study
from reports.statistics import intervals, latency
from reports.statistics.interval import Floats, Interval, Ints
from reports.votes import UNKNOWN

Section = dict[str, Any]
QUANTILES = {"e2e_p50": 0.5, "e2e_p95": 0.95, "e2e_p99": 0.99}
FIRST_TOKEN = {"ttft_p50": 0.5, "ttft_p95": 0.95}
# More dots than this hide each other; evenly spaced ranks keep the shape.
MOST_DOTS = 200


def systems(study: Study) -> list[Section]:
    """One entry a system, the baseline last."""
    return [system(study, arm) for arm in study.order]


def system(study: Study, arm: int) -> Section:
    """All that is said about one system."""
    measured, identity = study.measured[arm], study.identities[arm]
    return {
        "name": identity.name,
        "arm": study.ballots.arms[arm],
        "baseline": arm == study.baseline,
        "model": identity.model_id,
        "dialect": identity.dialect,
        "parameters": identity.parameters,
        "system_prompt": identity.system_prompt,
        "facts": identity.facts,
        "latency": _latency(study, arm, measured),
        "cost": costs.cost(measured, costs.stated(study, arm), study.assumed),
        "failures": _failures(measured),
        "acceptable": _acceptable(study, arm),
    }


def _latency(study: Study, arm: int, measured: Measured) -> Section:
    times = measured.timings
    section: Section = {
        "n": len(times),
        "concurrency": measured.concurrency,
        "samples": measured.samples,
        "throughput_rps": measured.throughput,
        "throughput_from": _throughput_from(measured),
    }
    section |= _quantiles(study, f"latency {arm}", times.e2e, times.input, QUANTILES)
    section["first_pass_p95"] = latency.quantile(times.first_pass, 0.95)
    first_token = ~np.isnan(times.ttft)
    section |= _quantiles(study, f"ttft {arm}", times.ttft[first_token], times.input[first_token], FIRST_TOKEN)
    section |= {
        "cold_starts": measured.tally.cold_starts,
        "retries": measured.tally.retries,
        "longest": float(times.e2e.max()) if len(times) else None,
        "dots": _dots(times),
        "load_runs": [dict(run) for run in measured.load_runs],
    }
    return section


def _throughput_from(measured: Measured) -> str | None:
    if measured.throughput is None:
        return None
    if measured.loaded:
        return "the best load run without failures"
    return f"{measured.concurrency} in flight over the mean time of an answer: a lower bound"


def _quantiles(study: Study, purpose: str, times: Floats, item: Ints, wanted: dict[str, float]) -> Section:
    found = latency.quantiles(times, item, tuple(wanted.values()), chance=study.chance(purpose))
    return {name: written(interval) for name, interval in zip(wanted, found, strict=True)}


def _dots(times: Timings) -> list[float]:
    if not len(times):
        return []
    ordered = np.sort(times.e2e)
    places = np.linspace(0, ordered.size - 1, min(MOST_DOTS, ordered.size)).round().astype(np.int64)
    return [round(float(value), 1) for value in ordered[places]]


def _failures(measured: Measured) -> Section:
    tally = measured.tally
    return {
        "requests": tally.requests,
        "failed": tally.failed,
        "truncated": tally.truncated,
        "refused": tally.refused,
        "empty": tally.empty,
        "complete": tally.complete,
        "pending": tally.pending,
        "missing": tally.missing,
    }


def _acceptable(study: Study, arm: int) -> Section:
    """The share of answers found good enough, every input counting the same."""
    cast = study.votes
    sides = ((cast.left == arm, cast.left_ok), (cast.right == arm, cast.right_ok))
    asked = [(here & (ok != UNKNOWN), ok) for here, ok in sides]
    answers = np.concatenate([ok[mask] for mask, ok in asked]).astype(float)
    items = np.concatenate([cast.input[mask] for mask, _ in asked])
    if not answers.size:
        return missing("raters were not asked whether an answer is good enough to use")
    share: Interval = intervals.panel(answers, items)
    return written(share.within(0, 1))
