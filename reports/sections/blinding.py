"""Whether the blinding held: guesses against chance, outputs that named their maker, the score without those."""

from typing import Any

import numpy as np

from reports.sections.intervals import missing, written
from reports.sections.pairs import POPULATION, raters_of, scope_for
from reports.sections.study import Study
from reports.statistics import intervals
from reports.votes import Versus

Section = dict[str, Any]


def blinding(study: Study) -> Section:
    """`share` is right guesses among those that named a side; ½ is chance. The score without flagged outputs leaves
    out every pair in which one named its maker, whether released or masked; it is the first pair's, `by_pair` has all.
    """
    texts = study.ballots.texts
    without = [_without_flagged(study, pair) for pair in study.pairs]
    nothing = missing("no pair was judged")
    return {
        **_guesses(study),
        "flagged_outputs": int(texts.flagged.sum()),
        "masked_outputs": int(texts.masked.sum()),
        "addressing_outputs": texts.addressing,
        "score_without_flagged": without[0]["score"] if without else nothing,
        "by_pair": without,
    }


def _guesses(study: Study) -> Section:
    made, baseline = study.ballots.guesses, study.baseline
    asked = (made.guessed == baseline) | (made.other == baseline)
    right, total = int(np.sum(made.guessed[asked] == baseline)), int(np.sum(asked))
    share = written(intervals.wilson(right, total)) if total else missing("raters were not asked, or none named a side")
    return {"guesses": total, "right": right, "unsure": made.unsure, "share": share}


def _without_flagged(study: Study, pair: tuple[int, int]) -> Section:
    texts, cast = study.ballots.texts, study.versus(pair)
    marked = texts.flagged | texts.masked
    named = marked[:, pair[0]] | marked[:, pair[1]]
    kept = cast.where(~named[cast.input])
    return {
        "candidate": study.name(pair[0]),
        "baseline": study.name(pair[1]),
        "judgments": len(kept),
        "score": scored(kept, like=cast),
    }


def scored(kept: Versus, *, like: Versus) -> Section:
    """The score of some of a pair's votes, by the scope that all of them have."""
    if not len(kept):
        return missing("no judgment is left")
    if scope_for(raters_of(like)) == POPULATION:
        return written(intervals.population(kept.y, kept.input, kept.rater).within(0, 1))
    return written(intervals.panel(kept.y, kept.input).within(0, 1))
