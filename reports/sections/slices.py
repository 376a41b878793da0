"""The score in parts of the traffic and on single criteria: small numbers, so the words are careful."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from reports import votes
from reports.sections.intervals import written
from reports.sections.study import Study
from reports.statistics import multiplicity, scores, segments
from reports.statistics.segments import Segment

Section = dict[str, Any]
MOST_PAIRS_WITHOUT_A_BASELINE = 3
SIGNIFICANT = 0.05


def slices(study: Study) -> list[Section]:
    """By tag, then by criterion, for each candidate against the baseline; p by Holm within each of these families."""
    found = []
    for pair in _pairs(study):
        found += _by_tag(study, pair) + _by_criterion(study, pair)
    return found


def _pairs(study: Study) -> Sequence[tuple[int, int]]:
    if study.baseline is not None:
        return [pair for pair in study.pairs if pair[1] == study.baseline]
    return study.pairs if len(study.pairs) <= MOST_PAIRS_WITHOUT_A_BASELINE else ()


def _by_tag(study: Study, pair: tuple[int, int]) -> list[Section]:
    cast, tags = study.versus(pair), study.ballots.tags
    judged = scores.by_input(cast.y, cast.input)
    of_judged = [tags[item] for item in judged.input]
    names = sorted({tag for some in of_judged for tag in some})
    members = {name: np.array([name in some for some in of_judged], dtype=bool) for name in names}
    return [_entry(study, pair, "tag", one) for one in segments.segments(judged, members)]


def _by_criterion(study: Study, pair: tuple[int, int]) -> list[Section]:
    found: list[Segment] = []
    for criterion in study.experiment.criteria.order_by("position"):
        said = votes.on_criterion(study.experiment, criterion.pk, study.votes)
        cast = votes.versus(said, candidate=pair[0], baseline=pair[1])
        judged = scores.by_input(cast.y, cast.input)
        if len(judged):
            found += segments.segments(judged, {criterion.name: np.ones(len(judged), dtype=bool)})
    raised = multiplicity.holm([one.p for one in found])
    return [_entry(study, pair, "criterion", replace(one, p_holm=p)) for one, p in zip(found, raised, strict=True)]


def _entry(study: Study, pair: tuple[int, int], by: str, one: Segment) -> Section:
    return {
        "by": by,
        "name": one.name,
        "candidate": study.name(pair[0]),
        "baseline": study.name(pair[1]),
        "inputs": one.inputs,
        "score": written(one.score.within(0, 1)),
        "p_holm": one.p_holm,
        "words": _words(one),
    }


def _words(one: Segment) -> str:
    """Never "no difference": few inputs cannot show that there is none."""
    if one.p_holm is None:
        few = one.inputs < segments.ENOUGH_INPUTS
        return f"not tested: fewer than {segments.ENOUGH_INPUTS} inputs" if few else "not tested: all inputs agree"
    if one.p_holm >= SIGNIFICANT:
        return "not shown"
    return "better" if (one.score.value or 0) > 0.5 else "worse"
