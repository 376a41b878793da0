"""How far raters agree with each other and with themselves."""

from typing import Any

import numpy as np

from reports.sections.intervals import missing, written
from reports.sections.study import Study
from reports.statistics import agreement as arithmetic
from reports.statistics import raters as consistency
from reports.statistics.codes import renumbered
from reports.statistics.interval import Floats, Ints
from reports.statistics.verdicts import left_score
from reports.votes import UNKNOWN, Votes

Section = dict[str, Any]


def agreement(study: Study) -> Section:
    """Alpha and AC1 over pairs that several raters judged, in terms of systems; and the answers to repeated pairs."""
    cast = study.votes
    if not len(cast):
        nothing = missing("no pair was judged")
        return {
            "alpha_nominal": nothing,
            "alpha_interval": nothing,
            "ac1": None,
            "raw": None,
            "pairs_rated_twice": 0,
            "repeats": repeats(study),
        }
    unit = units(study, cast)
    found = arithmetic.summary(
        unit, in_terms_of_systems(study, cast, unit), cast.input, chance=study.chance("agreement")
    )
    return {
        "alpha_nominal": written(found.alpha_nominal),
        "alpha_interval": written(found.alpha_interval),
        "ac1": found.ac1,
        "raw": found.raw,
        "pairs_rated_twice": found.rated_twice,
        "repeats": repeats(study),
    }


def units(study: Study, cast: Votes) -> Ints:
    """A number for each pair of outputs, the same whichever stood on the left; without gaps."""
    arms = len(study.ballots.arms) or 1
    low, high = np.minimum(cast.left, cast.right), np.maximum(cast.left, cast.right)
    return renumbered((cast.input * arms + low) * arms + high).code


def for_the_first(study: Study, cast: Votes) -> Floats:
    """The score of whichever system the report names first, so that sides do not matter."""
    rank = np.argsort(study.order)
    worth = left_score(cast.verdict)
    return np.where(rank[cast.left] < rank[cast.right], worth, 1 - worth)


def in_terms_of_systems(study: Study, cast: Votes, unit: Ints) -> Floats:
    """The candidate's score where the baseline is in the pair; else that of the system on the left when the pair was
    first shown. Alpha weighs answers by how common they are, so that the rule has to be one that nobody chose."""
    worth = for_the_first(study, cast)
    free = np.ones(len(cast), dtype=bool)
    if study.baseline is not None:
        free = (cast.left != study.baseline) & (cast.right != study.baseline)
    if not free.any():
        return worth
    first = np.full(int(unit.max()) + 1, cast.assignment.max())
    np.minimum.at(first, unit, cast.assignment)
    opening = cast.assignment == first[unit]
    started = np.empty_like(first)
    started[unit[opening]] = cast.left[opening]
    own = left_score(cast.verdict)
    return np.where(free, np.where(cast.left == started[unit], own, 1 - own), worth)


def first_and_again(study: Study) -> tuple[Votes, Votes]:
    """The repeats whose first judgment still counts, after those first judgments."""
    known = study.ballots.originals != UNKNOWN
    return study.votes.where(study.ballots.originals[known]), study.ballots.repeats.where(known)


def repeats(study: Study) -> Section:
    """Over all raters: how often the second answer was the first, in terms of systems."""
    first, again = first_and_again(study)
    found = consistency.consistency(
        for_the_first(study, first), for_the_first(study, again), (first.verdict, again.verdict)
    )
    return {
        "shown": found.shown,
        "same": found.same,
        "rate": written(found.rate),
        "kappa": found.kappa,
        "same_side_twice": found.same_side,
    }
