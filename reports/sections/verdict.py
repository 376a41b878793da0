"""The answer: switch, stay or undecided, in one sentence, with its reasons and what to keep in mind."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from reports.rounding import NBSP, count, duration, limits, money, percent, volume, whole_percent
from reports.sections.caveats import caveats, of_no_pair

Section = dict[str, Any]
SWITCH, STAY, UNDECIDED = "switch", "stay", "undecided"
SUPERIOR, NON_INFERIOR, BUT_WORSE = "superior", "non-inferior", "non-inferior but worse"
INFERIOR, WORSE, INCONCLUSIVE = "inferior beyond the margin", "worse; margin undecided", "inconclusive"
GOOD_ENOUGH = {SUPERIOR, NON_INFERIOR, BUT_WORSE}
# z(0.975) + z(0.8): a true difference that many standard errors away is found four times in five.
FOUND_WITH_80_PERCENT = 2.8016
DOUBLE = 2.0  # from here on a multiple reads better than a percentage


@dataclass(frozen=True, slots=True)
class Case:
    """One candidate against the baseline, as far as it matters for the answer."""

    pair: Mapping[str, Any]
    candidate: Mapping[str, Any]
    baseline: Mapping[str, Any]

    @property
    def score(self) -> Mapping[str, Any]:
        """The interval that the verdict is taken from."""
        found: Mapping[str, Any] = self.pair["score"][self.pair["noninferiority"]["scope"]]
        watched = self.pair["monitoring"]
        return {**found, "low": watched["low"], "high": watched["high"]} if watched else found

    @property
    def quality(self) -> str | None:
        """The verdict on the margin that counts; None where there is none."""
        settled: str | None = self.pair["noninferiority"]["settled"]
        return settled

    @property
    def price(self) -> float | None:
        """USD per 1,000 requests of the candidate."""
        return _price(self.candidate)

    @property
    def cheaper(self) -> bool | None:
        """Whether the candidate costs less than the baseline; None where either cost is unknown."""
        own, other = _price(self.candidate), _price(self.baseline)
        return None if own is None or other is None else own < other

    @property
    def answer(self) -> str:
        """switch, stay or undecided for this candidate alone."""
        if self.quality == INFERIOR:
            return STAY
        if self.quality not in GOOD_ENOUGH or self.cheaper is None:
            return UNDECIDED
        if self.cheaper:
            return SWITCH
        # Better but dearer is a matter of what better is worth, which no statistic knows.
        return UNDECIDED if self.quality == SUPERIOR else STAY


def verdict(report: Mapping[str, Any]) -> Section:
    """The answer of the whole report: the cheapest candidate that qualifies wins."""
    cases = cases_of(report)
    if not cases:
        return _without_a_case(report)
    chosen = _chosen(cases)
    return {
        "answer": chosen.answer,
        "candidate": chosen.candidate["name"],
        "baseline": chosen.baseline["name"],
        "sentence": sentence(chosen),
        "reasons": [*_reasons(chosen), *(_in_short(case) for case in cases if case is not chosen)],
        "caveats": caveats(report, chosen.pair),
    }


def cases_of(report: Mapping[str, Any]) -> list[Case]:
    """Every candidate that was compared with the baseline."""
    systems = {system["name"]: system for system in report["systems"]}
    baseline = next((system["name"] for system in report["systems"] if system["baseline"]), None)
    against = [pair for pair in report["pairs"] if baseline is not None and pair["baseline"] == baseline]
    return [Case(pair, systems[pair["candidate"]], systems[pair["baseline"]]) for pair in against]


def sentence(case: Case) -> str:
    """The verdict in one sentence, and what is missing in a second."""
    own, other = case.candidate["name"], case.baseline["name"]
    if case.quality is None:
        return f"Not enough data: {case.pair['noninferiority'].get('why') or 'there are too few judgments'}."
    if case.quality not in GOOD_ENOUGH | {INFERIOR}:
        return f"Not enough data: {_quality(case)}. {what_it_would_take(case)}"
    tail = f"; {_latency(case)}." if _latency(case) else "."
    if case.answer == SWITCH:
        return f"Switch to {own}: {_quality(case)}, and {_cost(case)}{tail}"
    if case.answer == STAY:
        cost = "" if case.quality == INFERIOR else f", but {_cost(case)}"
        return f"Stay with {other}: {_quality(case)}{cost}{tail}"
    if case.cheaper is None:
        return f"Undecided: {_quality(case)}, but {_unpriced(case)} not known. State it to get an answer."
    return f"Undecided: {_quality(case)}, but {_cost(case)}: whether that is worth it is yours to say{tail}"


def what_it_would_take(case: Case) -> str:
    """How many inputs would settle the margin four times in five, if the two are equally good."""
    score, margin = case.score, case.pair["noninferiority"]["margin"]
    low, high, inputs = score.get("low"), score.get("high"), case.pair["inputs"]
    if low is None or high is None or not inputs or high <= low:
        return "More inputs and raters are needed."
    se = (high - low) / 2 / 1.96
    wanted = ceil(inputs * (FOUND_WITH_80_PERCENT * se / margin) ** 2)
    if wanted <= inputs:
        return (
            f"With {count(inputs)} inputs the study was large enough to clear two equally good systems, "
            "so a real difference is likely; twice as many inputs would show on which side of the margin it lies."
        )
    return (
        f"About {count(wanted)} inputs, judged like these {count(inputs)}, would settle it if the two are equally good."
    )


def _without_a_case(report: Mapping[str, Any]) -> Section:
    if not report["counts"]["judgments"]:
        left = report["counts"]["left_out_judgments"]
        why = f"Not enough data: {'no judgment that counts is left' if left else 'nobody has judged a pair yet'}."
    elif not any(system["baseline"] for system in report["systems"]):
        why = "Undecided: no system is marked as the one in use today, so there is nothing to switch from."
    else:
        why = "Not enough data: no candidate was compared with the system in use today."
    return {
        "answer": UNDECIDED,
        "candidate": None,
        "baseline": None,
        "sentence": why,
        "reasons": _first(report),
        "caveats": of_no_pair(report) if report["pairs"] or report["left_out"]["words"] else [],
    }


def _first(report: Mapping[str, Any]) -> list[str]:
    """Who leads the ranking, where no system in use decides."""
    ranked = report["ranking"]
    if len(ranked) < 2:
        return []
    low, high = ranked[0]["rank_low"], ranked[0]["rank_high"]
    ranks = "" if low is None else f" (rank {low})" if low == high else f" (rank {low} to {high})"
    return [f"Ranking: {ranked[0]['name']} comes first of {len(ranked)}{ranks}."]


def _chosen(cases: list[Case]) -> Case:
    def by_price(case: Case) -> tuple[float, float]:
        return (case.price if case.price is not None else float("inf"), -(case.score["value"] or 0))

    for answer in (SWITCH, UNDECIDED, STAY):
        if fitting := [case for case in cases if case.answer == answer]:
            return min(fitting, key=by_price)
    raise AssertionError("every case has one of three answers")


def _quality(case: Case) -> str:
    own, other = case.candidate["name"], case.baseline["name"]
    margin = f"{case.pair['noninferiority']['margin'] * 100:.4g} points"
    figures = f"score {percent(case.score['value'])}, {limits(case.score, 'percent')}"
    words = {
        SUPERIOR: f"raters prefer it to {other} ({figures})",
        NON_INFERIOR: f"raters find it as good as {other} within the margin of {margin} ({figures})",
        BUT_WORSE: f"raters find it worse than {other}, but within the margin of {margin} ({figures})",
        INFERIOR: f"raters find {own} worse by more than the margin of {margin} ({figures})",
        WORSE: f"raters find {own} worse than {other}, but not clearly by more than the margin of {margin} ({figures})",
        INCONCLUSIVE: (
            f"for {own} against {other} a loss beyond the margin of {margin} is neither shown nor ruled out ({figures})"
        ),
    }
    found = words[str(case.quality)]
    if case.answer != SWITCH and found.startswith("raters find it"):
        return found.replace("raters find it", f"raters find {own}", 1)
    return found.replace("raters prefer it", f"raters prefer {own}", 1) if case.answer != SWITCH else found


def _cost(case: Case) -> str:
    return f"1,000 requests cost {money(case.price)} instead of {money(_price(case.baseline))}"


def _latency(case: Case) -> str:
    own, other = (system["latency"]["p95"]["value"] for system in (case.candidate, case.baseline))
    return (
        f"95{NBSP}% of its answers take at most {duration(own)} against {duration(other)}"
        if own is not None and other is not None
        else ""
    )


def _price(system: Mapping[str, Any]) -> float | None:
    value: float | None = system["cost"]["per_1000_requests"]["value"]
    return value


def _unpriced(case: Case) -> str:
    without = [system["name"] for system in (case.candidate, case.baseline) if _price(system) is None]
    return f"the cost of {without[0]} is" if len(without) == 1 else f"the costs of {' and '.join(without)} are"


def _reasons(case: Case) -> list[str]:
    own, other, pair = case.candidate["name"], case.baseline["name"], case.pair
    held = pair["noninferiority"]
    found = [
        f"Quality: {own} is {case.quality or 'not comparable'} against {other} at a margin of "
        f"{held['margin'] * 100:.4g} points, for {_SCOPES[held['scope']]}: "
        f"{pair['wins']} wins, {pair['both_good'] + pair['both_bad']} ties, {pair['losses']} losses "
        f"on {pair['inputs']} inputs by {pair['raters']} {'rater' if pair['raters'] == 1 else 'raters'}."
    ]
    if case.cheaper is not None:
        word = against(case.price or 0, _price(case.baseline) or 0)
        found.append(
            f"Cost: {own} takes {money(case.price)} per 1,000 requests, "
            f"{other} {money(_price(case.baseline))}{f' ({word})' if word else ''}."
        )
    if _latency(case):
        found.append(
            f"Latency: the p95 of {own}, within which 95{NBSP}% of its answers are complete, is "
            f"{duration(case.candidate['latency']['p95']['value'])}, "
            f"of {other} {duration(case.baseline['latency']['p95']['value'])}."
        )
    return found


def against(own: float, other: float) -> str:
    """A price beside another in words: `25 % less`, `81 % more`, and from double on `17.8 times as much`."""
    if not other:
        return ""  # nothing is a share or a multiple of nothing
    ratio = own / other
    if ratio >= DOUBLE:
        return f"{volume(ratio) if ratio >= 99.95 else f'{ratio:.1f}'} times as much"
    if abs(ratio - 1) < 0.005:
        return "about the same"
    if 0 < ratio < 0.005:
        return f"less than 1{NBSP}% of that"
    return f"{whole_percent(abs(ratio - 1))} {'less' if ratio < 1 else 'more'}"


def _in_short(case: Case) -> str:
    """Another candidate in one line."""
    score = f"{percent(case.score['value'])}, {limits(case.score, 'percent')}"
    said = [f"{case.candidate['name']}: {case.quality or 'not comparable'} ({score})"]
    if case.price is not None:
        said.append(f"{money(case.price)} per 1,000 requests")
    if _latency(case):
        said.append(f"p95 {duration(case.candidate['latency']['p95']['value'])}")
    return ", ".join(said) + "."


_SCOPES = {"population": "new inputs and other raters of this kind", "panel": "new inputs and exactly these raters"}
