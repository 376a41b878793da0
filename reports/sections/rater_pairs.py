"""How far each two raters agree beyond chance, on the pairs that both judged."""

from itertools import combinations
from typing import Any

import numpy as np

from reports.sections.agreement import in_terms_of_systems, units
from reports.sections.study import Study
from reports.statistics.agreement import cohen
from reports.statistics.codes import different

LEAST_SHARED = 10  # pairs that both judged: fewer say nothing about two people
MOST_RATERS = 20  # beyond them a matrix tells nobody anything


def kappas(study: Study) -> dict[str, Any]:
    """Cohen's kappa (1960) in terms of systems for each two raters with at least ten pairs in common.

    `values` holds `raters` (two labels), `shared` and `kappa` (None where neither ever changes the answer); `median`,
    `low` and `high` are over those that can be computed; `why` says what is missing.
    """
    cast = study.votes
    nothing: dict[str, Any] = {"median": None, "low": None, "high": None, "values": []}
    judging = different(cast.rater)
    if judging.size > MOST_RATERS:
        return {**nothing, "why": f"more than {MOST_RATERS} raters"}
    unit = units(study, cast)
    worth = in_terms_of_systems(study, cast, unit) if len(cast) else np.zeros(0)
    values: list[dict[str, Any]] = []
    for one, other in combinations(judging, 2):
        mine, theirs = (np.flatnonzero(cast.rater == rater) for rater in (one, other))
        shared, here, there = np.intersect1d(unit[mine], unit[theirs], return_indices=True)
        if shared.size >= LEAST_SHARED:
            kappa = cohen(worth[mine][here], worth[theirs][there])
            names = [study.ballots.raters[one], study.ballots.raters[other]]
            values.append({"raters": names, "shared": int(shared.size), "kappa": kappa})
    known = [value["kappa"] for value in values if value["kappa"] is not None]
    if not known:
        return {**nothing, "values": values, "why": f"no two raters share {LEAST_SHARED} pairs with differing answers"}
    return {
        "median": float(np.median(known)),
        "low": min(known),
        "high": max(known),
        "values": values,
        "why": None,
    }
