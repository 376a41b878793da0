"""What may have bent a score, the side an answer stood on and its length, and what watching it meanwhile allowed."""

from typing import Any

import numpy as np

from reports.sections.intervals import written
from reports.sections.study import Study
from reports.statistics import length, position, scores, sequential
from reports.statistics.sequential import ALPHA
from reports.votes import Versus

Section = dict[str, Any]
MOST_STEPS = 200


def influences(study: Study, which: tuple[int, int], cast: Versus) -> Section:
    """The keys side_effect, length and monitoring of a pair."""
    return {
        "side_effect": _side(cast),
        "length": _length(study, which, cast),
        "monitoring": monitoring(study, cast) if study.experiment.monitored else None,
    }


def monitoring(study: Study, cast: Versus) -> Section | None:
    """The betting sequence over complete inputs, in the order in which they were completed; None before the first.

    `path` holds (inputs, low, high) on the way, the last included.
    """
    rivals = len(study.ballots.arms) - 1 if study.baseline is not None else 1
    found = sequence(cast, wanted=study.experiment.ratings_per_pair, rivals=rivals)
    if found is None:
        return None
    steps = np.unique(np.linspace(1, found.inputs, min(found.inputs, MOST_STEPS)).round().astype(int))
    return {
        "low": found.low,
        "high": found.high,
        "inputs": found.inputs,
        "decided_at": found.decided_at(margin=study.experiment.margin),
        "level": 1 - ALPHA / max(1, rivals),
        "path": [[int(step), float(found.lows[step - 1]), float(found.highs[step - 1])] for step in steps],
    }


def sequence(cast: Versus, *, wanted: int, rivals: int) -> sequential.Monitoring | None:
    """The sequence itself; an input is complete with `wanted` votes. None before the first.

    With several rivals of one baseline each sequence errs less, so that all of them together err in 5 % of cases.
    """
    by_input = scores.by_input(cast.y, cast.input)
    last = np.zeros(int(cast.input.max(initial=0)) + 1, dtype=np.int64)
    np.maximum.at(last, cast.input, cast.assignment)
    x = sequential.completed(by_input.mean, by_input.votes, last[by_input.input], wanted=wanted)
    return sequential.betting(x, alpha=ALPHA / max(1, rivals)) if x.size else None


def _side(cast: Versus) -> Section:
    found = position.side_effect(cast.y, cast.on_left, cast.input)
    return {
        "effect": found.effect,
        "p": found.p,
        "se": found.se,
        "adjusted_score": found.adjusted_score,
        "why": found.why,
    }


def _length(study: Study, which: tuple[int, int], cast: Versus) -> Section:
    texts = study.ballots.texts.length.astype(float)
    own, other = texts[cast.input, which[0]], texts[cast.input, which[1]]
    found = length.control(cast.y, length.relative_difference(own, other), cast.input)
    score = found.controlled_score
    return {
        "coefficient": found.coefficients[0] if found.coefficients else None,
        "p": found.ps[0] if found.ps else None,
        "controlled_score": score.value,
        "controlled_interval": written(score),
        "mean_characters": {
            "candidate": float(own.mean()) if own.size else None,
            "baseline": float(other.mean()) if other.size else None,
        },
    }
