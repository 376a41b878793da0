"""From which volume on a system of one's own costs less than the API, and what that answer hangs on."""

from collections.abc import Mapping
from dataclasses import replace
from math import ceil, isfinite
from typing import Any

from reports.sections import capacity, costs, machines
from reports.sections.study import Study
from reports.statistics import break_even as arithmetic
from reports.statistics import cost
from reports.statistics.break_even import Situation

Section = dict[str, Any]
USUAL_INPUT_SHARE = 0.75


def break_even(study: Study, report: Mapping[str, Any]) -> Section:
    """Tokens a day with and without the value of governance; nulls with a why where the two are not comparable."""
    baseline = study.baseline
    candidate = _own_system(study, report)
    if baseline is None or costs.basis(costs.stated(study, baseline)) != costs.TOKENS:
        return _nothing("the system in use today is not paid by tokens")
    if candidate is None:
        return _nothing("no candidate is paid by GPU hours")
    now = situation(study, candidate, baseline)
    tokens, plain = now.tokens_per_day, now.tokens_per_day_without_governance
    section: Section = {
        "tokens_per_day": _finite(tokens),
        "tokens_per_day_without_governance": _finite(plain),
        "requests_per_day": requests_at(tokens, sum(_tokens(study, baseline, candidate))),
        "inputs": _inputs(study, candidate, baseline, now),
        "sensitivity": [
            {
                "name": bar.name,
                "low": _finite(bar.low),
                "high": _finite(bar.high),
                "assumption": f"{bar.low_setting} to {bar.high_setting}",
            }
            for bar in arithmetic.tornado(now)
        ],
    }
    section["hosted"] = _hosted(study, candidate, now)
    if not isfinite(tokens):
        section["why"] = "a token of one's own costs no less than one of the API, so no volume breaks even"
    return section


def situation(study: Study, candidate: int, baseline: int) -> Situation:
    """The assumptions and measurements that the point follows from."""
    own, assumed = costs.stated(study, candidate), study.assumed
    card = machines.machine(own, assumed)
    tokens_in, tokens_out = _tokens(study, baseline, candidate)
    total = tokens_in + tokens_out
    share = assumed.get("cached_share")
    measured = costs.cached_share(study.measured[baseline])
    return Situation(
        hourly=card.hourly,
        gpus=card.gpus,
        hours_per_day=card.hours_per_day,
        share=card.share,
        owned=machines.bought(own),
        overhead_per_day=card.overhead_per_day,
        prices=costs.prices(costs.stated(study, baseline)),
        cached_share=(measured or 0.0) if share is None else share,
        input_share=tokens_in / total if total else USUAL_INPUT_SHARE,
        variable_per_million=own.get("variable_per_million") or 0.0,
        governance_per_year=sum(assumed.get(name) or 0.0 for name in ("governance_per_year", "vendor_risk_per_year")),
    )


def _own_system(study: Study, report: Mapping[str, Any]) -> int | None:
    """The verdict's candidate where it runs on GPUs, else the cheapest that does."""
    own = [arm for arm in study.order if arm != study.baseline and costs.basis(costs.stated(study, arm)) == costs.GPU]
    chosen = report["verdict"].get("candidate")
    prices = {system["name"]: system["cost"]["per_1000_requests"]["value"] for system in report["systems"]}

    def rank(arm: int) -> tuple[bool, float]:
        price = prices[study.name(arm)]
        return study.name(arm) != chosen, float("inf") if price is None else price

    return min(own, key=rank, default=None)


def _tokens(study: Study, baseline: int, candidate: int) -> tuple[float, float]:
    """Mean tokens in and out of a request, of the baseline where it answered."""
    found = (costs.tokens_of_a_request(study.measured[arm]) for arm in (baseline, candidate))
    return next((means for means in found if means), (0.0, 0.0))


def requests_at(tokens: float, per_request: float) -> float | None:
    """A volume of tokens as requests a day; None where there is no such volume."""
    return arithmetic.requests_per_day(tokens, tokens_per_request=per_request) if isfinite(tokens) else None


def _inputs(study: Study, candidate: int, baseline: int, now: Situation) -> Section:
    requests, per_request = study.assumed.get("requests_per_day"), sum(_tokens(study, baseline, candidate))
    today = requests * per_request if requests and per_request else None
    plain, most = now.tokens_per_day_without_governance, _capacity(study, candidate)
    return {
        "candidate": study.name(candidate),
        "baseline": study.name(baseline),
        "fixed_per_day": now.fixed_per_day,
        "operations_per_day": now.overhead_per_day,
        "governance_per_year": now.governance_per_year,
        "vendor_risk_per_year": study.assumed.get("vendor_risk_per_year") or 0.0,
        "governance_per_day": now.governance_per_day,
        "governance_needed_per_year": _governance_needed(now, today),
        "api_price_per_million": now.price_per_million,
        "variable_per_million": now.variable_per_million,
        "input_share": now.input_share,
        "cached_share": now.cached_share,
        "tokens_per_request": per_request or None,
        "requests_per_day": requests,
        "tokens_per_day": today,
        "crossing": _finite(plain),
        "capacity_requests_per_day": most,
        "gpus_times": _times(requests_at(now.tokens_per_day, per_request), most),
        "gpus_times_without_governance": _times(requests_at(plain, per_request), most),
    }


def _governance_needed(now: Situation, today: float | None) -> float | None:
    """What avoiding risk would have to be worth a year for today's volume to break even."""
    if today is None:
        return None
    a_day = arithmetic.governance_needed_per_day(
        fixed_per_day=now.fixed_per_day,
        price_per_million=now.price_per_million,
        tokens_per_day=today,
        variable_per_million=now.variable_per_million,
    )
    return a_day * cost.DAYS


def _capacity(study: Study, candidate: int) -> float | None:
    target = study.assumed.get("p95_target_ms")
    throughput = capacity.sustained(study.measured[candidate], target).throughput
    if not throughput:
        return None
    card = machines.machine(costs.stated(study, candidate), study.assumed)
    return cost.capacity_per_day(requests_per_second=throughput * card.share, hours_per_day=card.hours_per_day)


def _times(requests: float | None, most: float | None) -> int | None:
    """How many times the stated GPUs a volume would need; a break-even beyond them is none. None where not known."""
    return max(1, ceil(requests / most)) if requests is not None and most else None


def _hosted(study: Study, candidate: int, now: Situation) -> Section | None:
    """The third way, the same open model paid by tokens: its price of a token, and the volume that pays for GPUs."""
    found = costs.hosted_prices(costs.stated(study, candidate))
    if found is None:
        return None
    there = replace(now, prices=found, cached_share=0.0, governance_per_year=0.0)
    return {
        "candidate": study.name(candidate),
        "input_per_million": found.input,
        "output_per_million": found.output,
        "price_per_million": there.price_per_million,
        "tokens_per_day": _finite(there.tokens_per_day),
    }


def _nothing(why: str) -> Section:
    return {
        "tokens_per_day": None,
        "tokens_per_day_without_governance": None,
        "requests_per_day": None,
        "inputs": {},
        "sensitivity": [],
        "hosted": None,
        "why": why,
    }


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
