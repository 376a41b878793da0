"""What 1,000 requests to a system cost, from its prices or its GPUs, with every assumption said."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from reports import assumptions
from reports.measured import Measured, Usage
from reports.rounding import count
from reports.sections import machines
from reports.sections.intervals import missing, written
from reports.sections.study import Study
from reports.statistics import cost as arithmetic
from reports.statistics.cost import Prices, Tokens

Section = dict[str, Any]
TOKENS, GPU, NONE = "tokens", "gpu", "none"
PRICE_LIST = "genai-prices"


def stated(study: Study, arm: int) -> dict[str, Any]:
    """The costs of a system as they are assumed now: what its owner gave, and what was changed since."""
    changed = study.assumed.get("systems", {}).get(study.ballots.arms[arm], {})
    both = {**study.measured[arm].cost, **{name: value for name, value in changed.items() if value is not None}}
    return {name: value for name, value in both.items() if assumptions.is_usable(name, value)}


def basis(cost: Mapping[str, Any]) -> str:
    """How a system is paid for."""
    if cost.get("input_per_million") is not None and cost.get("output_per_million") is not None:
        return TOKENS
    return GPU if machines.stated(cost) else NONE


def cost(measured: Measured, own: Mapping[str, Any], assumed: Mapping[str, Any]) -> Section:
    """The section of report.json; `own` is what is stated of the system, `assumed` what is stated of the volume."""
    paid, means = basis(own), tokens_of_a_request(measured)
    if paid == TOKENS:
        figures = _by_tokens(measured, own, assumed)
    elif paid == GPU:
        figures = machines.by_gpu(measured, own, assumed, sum(means) if means else None)
    else:
        figures = _without("neither prices by token nor the price of a GPU are stated", own)
    return {
        "basis": paid,
        "stated": dict(own),
        **figures,
        "input_tokens_mean": means[0] if means else None,
        "output_tokens_mean": means[1] if means else None,
        "estimated": {"answers": int(measured.usage.estimated.sum()), "of": len(measured.usage)},
        "cached_share_measured": cached_share(measured),
        "hosted": _hosted(measured, own, assumed),
    }


def sharing(study: Study, arm: int) -> list[str]:
    """A note where another system has GPUs at the same server and neither was given its share of them."""
    server = study.measured[arm].server
    whole = [
        other
        for other in study.order
        if server is not None
        and study.measured[other].server == server
        and basis(stated(study, other)) == GPU
        and not stated(study, other).get("server_share")
    ]
    others = [study.name(other) for other in whole if other != arm]
    if arm not in whole or not others:
        return []
    return [f"it shares a server with {', '.join(others)}: if both will run, state the share of each."]


def prices(own: Mapping[str, Any]) -> Prices:
    """The prices of a system that is paid by tokens."""
    return Prices(
        input=own["input_per_million"],
        output=own["output_per_million"],
        cached=own.get("cached_input_per_million"),
        cache_write=own.get("cache_write_per_million"),
    )


def hosted_prices(own: Mapping[str, Any]) -> Prices | None:
    """Of the same open model at a host that is paid by tokens; None where they are not stated."""
    read, out = own.get("hosted_input_per_million"), own.get("hosted_output_per_million")
    return None if read is None or out is None else Prices(input=read, output=out)


def tokens_of_a_request(measured: Measured) -> tuple[float, float] | None:
    """Mean tokens in (written to a cache included) and out; None where nothing was answered."""
    usage = _first_pass(measured.usage)
    if not len(usage):
        return None
    return float((usage.prompt + usage.cache_write).mean()), float(usage.output.mean())


def cached_share(measured: Measured) -> float | None:
    """The share of input tokens that were read from a cache."""
    usage = _first_pass(measured.usage)
    total = float(np.sum(usage.prompt))
    return float(np.sum(usage.cached)) / total if total else None


def _first_pass(usage: Usage) -> Usage:
    """A later pass asks what was asked before, and meets a cache that life would not have warmed."""
    return usage.where(usage.sample == 0) if (usage.sample == 0).any() else usage


def _by_tokens(measured: Measured, own: Mapping[str, Any], assumed: Mapping[str, Any]) -> Section:
    usage = _first_pass(measured.usage)
    if not len(usage):
        return _without("no answer came whose tokens could be priced", own)
    priced, share = prices(own), assumed.get("cached_share")
    extra = _without_answer(measured, priced, share)
    tokens = _tokens(usage, share)
    interval = arithmetic.per_thousand_by_tokens(tokens, item=usage.input, prices=priced, retries=extra)
    answered = (interval.value or 0.0) / (1 + extra)
    return {
        "per_1000_requests": written(interval),
        "per_1000_requests_busy": interval.value,
        "without_answer": {
            "per_1000_requests": answered * extra,
            "share": extra,
            "failed_calls": measured.tally.begun,
            "unusable_answers": len(measured.unusable),
        },
        "lines": None,
        "assumptions": {**own, "cached_share": cached_share(measured) if share is None else share, "retries": extra},
        "notes": _price_notes(own, usage),
    }


def _without_answer(measured: Measured, priced: Prices, share: float | None) -> float:
    """What was paid for no usable answer, as a share of what the answers cost.

    Answers cut off, refused or empty by their tokens; failed calls that had begun like a mean answer.
    """
    answers = _tokens(measured.usage, share).usd(priced)
    paid = float(answers.sum())
    if not paid:
        return 0.0
    unusable = float(_tokens(measured.unusable, share).usd(priced).sum())
    return (unusable + measured.tally.begun * float(answers.mean())) / paid


def _tokens(usage: Usage, share: float | None) -> Tokens:
    cached = usage.cached if share is None else usage.prompt * share
    return Tokens(read=usage.prompt, cached=cached, cache_write=usage.cache_write, out=usage.output)


def _price_notes(own: Mapping[str, Any], usage: Usage) -> list[str]:
    notes, guessed = [], int(usage.estimated.sum())
    if not own.get("price_date"):
        notes.append("the date of its prices is not stated.")
    if str(own.get("price_source", "")).startswith(PRICE_LIST):
        notes.append(f"its prices are the default of {own['price_source']}; nobody here has confirmed them.")
    if guessed:
        notes.append(
            f"the tokens of {count(guessed)} of {count(len(usage))} answers are estimated from their characters, "
            "as nobody counted them; so is their cost."
        )
    if usage.cache_write.any() and own.get("cache_write_per_million") is None:
        notes.append("what it wrote to a cache is priced like any input, as no price of that is stated.")
    return notes


def _hosted(measured: Measured, own: Mapping[str, Any], assumed: Mapping[str, Any]) -> Section | None:
    """The third way: what the same requests would cost at a host that is paid by tokens."""
    priced, usage = hosted_prices(own), _first_pass(measured.usage)
    if priced is None or not len(usage):
        return None
    interval = arithmetic.per_thousand_by_tokens(_tokens(usage, 0.0), item=usage.input, prices=priced)
    return {
        "per_1000_requests": written(interval),
        "input_per_million": priced.input,
        "output_per_million": priced.output,
    }


def _without(why: str, own: Mapping[str, Any]) -> Section:
    return {
        "per_1000_requests": missing(why),
        "per_1000_requests_busy": None,
        "without_answer": None,
        "lines": None,
        "assumptions": dict(own),
        "notes": [],
    }
