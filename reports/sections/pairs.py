"""Each candidate against its baseline: counts, the score by both scopes, the margin, and the plain tests."""

from typing import Any

from reports.sections.influences import influences
from reports.sections.intervals import missing, written
from reports.sections.study import Study
from reports.statistics import intervals, multiplicity, noninferiority, scores, significance
from reports.statistics.codes import different
from reports.statistics.interval import Interval
from reports.statistics.intervals import FEWEST_RATERS
from reports.statistics.noninferiority import Verdict
from reports.votes import UNKNOWN, Versus

Section = dict[str, Any]
POPULATION, PANEL = "population", "panel"
GOOD_ENOUGH = (Verdict.SUPERIOR.value, Verdict.NON_INFERIOR.value, Verdict.NON_INFERIOR_BUT_WORSE.value)
ONE_SIDED = 0.025


def pairs(study: Study) -> list[Section]:
    """One entry a pair that was voted on, the baseline's pairs first."""
    found = [pair(study, which) for which in study.pairs]
    _watch(found, monitored=study.experiment.monitored)
    rivals = [one for one, which in zip(found, study.pairs, strict=True) if which[1] == study.baseline]
    _settle(found, rivals if len(rivals) > 1 else [])
    return found


def pair(study: Study, which: tuple[int, int]) -> Section:
    """All that is said about one candidate and its baseline."""
    cast = study.versus(which)
    counted = scores.tally(cast.y, cast.both_bad)
    both = {PANEL: intervals.panel(cast.y, cast.input), POPULATION: _population(cast)}
    return {
        "candidate": study.name(which[0]),
        "baseline": study.name(which[1]),
        "votes": counted.votes,
        "inputs": different(cast.input).size,
        "raters": raters_of(cast),
        "wins": counted.wins,
        "losses": counted.losses,
        "both_good": counted.both_good,
        "both_bad": counted.both_bad,
        "score": {name: written(interval.within(0, 1)) for name, interval in both.items()},
        "decisive_win_rate": counted.decisive_win_rate,
        "net_win_rate": counted.net,
        "score_without_both_bad": scores.score_without_both_bad(cast.y, cast.input, cast.both_bad),
        "inputs_mostly_both_bad": scores.share_of_inputs_both_bad(cast.input, cast.both_bad),
        **_tests(study, which, cast),
        "noninferiority": against_margin(both, margin=study.experiment.margin, raters=raters_of(cast)),
        "acceptability_difference": _acceptability(cast),
        **influences(study, which, cast),
    }


def _watch(found: list[Section], *, monitored: bool) -> None:
    """Where the result could be watched, the verdict comes from limits that allow for it; they speak for the panel."""
    for one in found if monitored else ():
        held, seen = one["noninferiority"], one["monitoring"]
        held["scope"] = PANEL
        held["from"] = "betting sequence"
        held["p"][PANEL] = None
        held["verdict"][PANEL] = None
        held["smallest_margin"][PANEL] = None
        held["equivalence_p"][PANEL] = None
        if seen is None:
            held["why"] = "no input has all its planned judgments"
        else:
            held["verdict"][PANEL] = noninferiority.verdict(seen["low"], seen["high"], margin=held["margin"]).value
            held["smallest_margin"][PANEL] = max(0.0, 0.5 - seen["low"])


def _settle(found: list[Section], rivals: list[Section]) -> None:
    """`settled` is the verdict that counts: of the right scope and, with several candidates, standing after Holm."""
    for one in found:
        held = one["noninferiority"]
        held["p_holm"], held["settled"] = None, held["verdict"][held["scope"]]
    tested = [one["noninferiority"] for one in rivals]
    for held, p in zip(tested, multiplicity.holm([one["p"][one["scope"]] for one in tested]), strict=True):
        held["p_holm"] = p
        if held["settled"] in GOOD_ENOUGH and p is not None and p > ONE_SIDED:
            held["settled"] = Verdict.INCONCLUSIVE.value


def raters_of(cast: Versus) -> int:
    """How many raters contributed."""
    return different(cast.rater).size


def scope_for(raters: int) -> str:
    """The scope a verdict is taken from, by the rule that the seal locks."""
    return POPULATION if raters >= FEWEST_RATERS else PANEL


def against_margin(both: dict[str, Interval], *, margin: float, raters: int) -> Section:
    """The margin held against both scopes; `scope` says which the verdict is taken from."""
    held = {name: noninferiority.against_margin(interval, margin=margin) for name, interval in both.items()}
    scope = scope_for(raters)
    return {
        "margin": margin,
        "scope": scope,
        "p": {name: one.p for name, one in held.items()},
        "verdict": {name: one.verdict.value if one.verdict else None for name, one in held.items()},
        "smallest_margin": {name: one.smallest_margin for name, one in held.items()},
        "equivalence_p": {name: _equivalence_p(interval, margin) for name, interval in both.items()},
        "why": both[scope].why,
    }


def _equivalence_p(interval: Interval, margin: float) -> float | None:
    found = noninferiority.equivalence(interval, low=0.5 - margin, high=0.5 + margin)
    return found.p if found else None


def _population(cast: Versus) -> Interval:
    return intervals.population(cast.y, cast.input, cast.rater)


def _tests(study: Study, which: tuple[int, int], cast: Versus) -> Section:
    by_input = scores.by_input(cast.y, cast.input)
    sign = significance.sign_test(by_input.mean)
    flips = significance.sign_flip_test(by_input.mean, chance=study.chance(f"permutation {which}"))
    return {
        "sign_test": {"above": sign.above, "below": sign.below, "tied": sign.tied, "p": sign.p},
        "permutation_p": flips.p if flips else None,
    }


def _acceptability(cast: Versus) -> Section:
    asked = (cast.ok != UNKNOWN) & (cast.baseline_ok != UNKNOWN)
    if not asked.any():
        return missing("raters were not asked whether an answer is good enough to use")
    both = cast.where(asked)
    difference = (both.ok - both.baseline_ok).astype(float)
    return written(intervals.panel(difference, both.input, support=(-1.0, 1.0)).within(-1, 1))
