"""What may have bent a score, the side an answer stood on and its length, and what watching it meanwhile allowed."""

from typing import Any

import numpy as np

from reports.sections.intervals import written
from reports.sections.study import Study
from reports.statistics import length, position, scores, sequential
from reports.votes import Versus

Section = dict[str, Any]


def influences(study: Study, which: tuple[int, int], cast: Versus) -> Section:
    """The keys side_effect, length and monitoring of a pair."""
    return {
        "side_effect": _side(cast),
        "length": _length(study, which, cast),
        "monitoring": monitoring(study, cast) if study.experiment.monitored else None,
    }


def monitoring(study: Study, cast: Versus) -> Section | None:
    """The betting sequence over complete inputs, in the order in which they were completed; None before the first."""
    found = sequence(cast, wanted=study.experiment.ratings_per_pair)
    if found is None:
        return None
    return {
        "low": found.low,
        "high": found.high,
        "inputs": found.inputs,
        "decided_at": found.decided_at(margin=study.experiment.margin),
    }


def sequence(cast: Versus, *, wanted: int) -> sequential.Monitoring | None:
    """The sequence itself; an input is complete with `wanted` votes. None before the first."""
    by_input = scores.by_input(cast.y, cast.input)
    complete = by_input.votes >= wanted
    if not complete.any():
        return None
    completed = np.zeros(int(cast.input.max()) + 1, dtype=np.int64)
    np.maximum.at(completed, cast.input, cast.assignment)
    items = by_input.input[complete]
    return sequential.betting(by_input.mean[complete][np.argsort(completed[items])])


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
