"""The score in parts of the traffic and on single criteria: small numbers, so the words are careful."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from reports import votes
from reports.sections.intervals import written
from reports.sections.study import Study
from reports.statistics import multiplicity, scores, segments
from reports.statistics.codes import different
from reports.statistics.segments import Segment
from reports.votes import Versus

Section = dict[str, Any]
MOST_PAIRS_WITHOUT_A_BASELINE = 3
SIGNIFICANT = 0.05


def slices(study: Study) -> list[Section]:
    """By tag, then by criterion, for each candidate against the baseline; p by Holm within each of these families."""
    found, pairs = [], _pairs(study)
    said = _on_criteria(study) if pairs else {}
    for pair in pairs:
        found += _by_tag(study, pair) + _by_criterion(study, pair, said)
    return found


def interactions(study: Study) -> list[Section]:
    """Whether the score differs between the parts that tags make, for each candidate: by Holm over all of them.

    Tags that are an object make one question a name; a list of tags makes one, where no input has two of them.
    """
    found = [_interaction(study, pair, by, labels) for pair in _pairs(study) for by, labels in _partitions(study, pair)]
    for one, p in zip(found, multiplicity.holm([one["p"] for one in found]), strict=True):
        one["p_holm"] = p
        one["words"] = "not shown" if p is None or p >= SIGNIFICANT else "the score differs between these parts"
    return found


def _interaction(study: Study, pair: tuple[int, int], by: str, labels: dict[int, str]) -> Section:
    cast = study.versus(pair)
    judged = scores.by_input(cast.y, cast.input)
    tagged = np.array([int(item) in labels for item in judged.input], dtype=bool)
    names = np.array([labels[int(item)] for item in judged.input[tagged]])
    parts, codes = np.unique(names, return_inverse=True)
    p = segments.interaction_p(judged.mean[tagged], codes.reshape(-1), chance=study.chance(f"interaction {pair} {by}"))
    return {
        "by": by,
        "candidate": study.name(pair[0]),
        "baseline": study.name(pair[1]),
        "parts": int(parts.size),
        "inputs": int(tagged.sum()),
        "p": p,
    }


def _partitions(study: Study, pair: tuple[int, int]) -> Iterator[tuple[str, dict[int, str]]]:
    """Names under which every judged input has at most one tag, with the tag of each input (position)."""
    found: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for item in different(study.versus(pair).input):
        for tag in study.ballots.tags[int(item)]:
            name, colon, value = tag.partition(": ")
            found[name if colon else "tag"][int(item)].append(value if colon else tag)
    for by, tags in found.items():
        labels = {item: values[0] for item, values in tags.items() if len(values) == 1}
        if len(labels) == len(tags) and len(set(labels.values())) > 1:
            yield by, labels


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


def _on_criteria(study: Study) -> dict[str, dict[tuple[int, int], Versus]]:
    """By the name of each criterion, in their order: the votes on each pair with what was said on it."""
    return {
        criterion.name: votes.by_pair(votes.on_criterion(study.experiment, criterion.pk, study.votes), study.order)
        for criterion in study.experiment.criteria.order_by("position")
    }


def _by_criterion(study: Study, pair: tuple[int, int], said: dict[str, dict[tuple[int, int], Versus]]) -> list[Section]:
    found: list[Segment] = []
    for name, pairs in said.items():
        if pair in pairs:
            judged = scores.by_input(pairs[pair].y, pairs[pair].input)
            found += segments.segments(judged, {name: np.ones(len(judged), dtype=bool)})
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
        "p_bh": one.p_bh,
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
