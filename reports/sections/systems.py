"""Each system by itself: how fast it answered, what a request costs, how often it failed or was good enough."""

from typing import Any

import numpy as np

from reports.measured import Measured
from reports.sections import costs, latencies
from reports.sections.intervals import missing, written
from reports.sections.study import Study
from reports.statistics import intervals
from reports.statistics.interval import Interval
from reports.votes import UNKNOWN

Section = dict[str, Any]


def systems(study: Study) -> list[Section]:
    """One entry a system, the baseline last."""
    return [system(study, arm) for arm in study.order]


def system(study: Study, arm: int) -> Section:
    """All that is said about one system."""
    measured, identity = study.measured[arm], study.identities[arm]
    cost = costs.cost(measured, costs.stated(study, arm), study.assumed)
    cost["notes"] += costs.sharing(study, arm)
    return {
        "name": identity.name,
        "arm": study.ballots.arms[arm],
        "baseline": arm == study.baseline,
        "model": identity.model_id,
        "dialect": identity.dialect,
        "parameters": identity.parameters,
        "system_prompt": identity.system_prompt,
        "facts": identity.facts,
        "latency": latencies.of_system(study, arm),
        "cost": cost,
        "failures": _failures(measured),
        "acceptable": _acceptable(study, arm),
    }


def _failures(measured: Measured) -> Section:
    tally = measured.tally
    return {
        "requests": tally.requests,
        "failed": tally.failed,
        "truncated": tally.truncated,
        "refused": tally.refused,
        "empty": tally.empty,
        "complete": tally.complete,
        "pending": tally.pending,
        "missing": tally.missing,
    }


def _acceptable(study: Study, arm: int) -> Section:
    """The share of answers found good enough, every input counting the same."""
    cast = study.votes
    sides = ((cast.left == arm, cast.left_ok), (cast.right == arm, cast.right_ok))
    asked = [(here & (ok != UNKNOWN), ok) for here, ok in sides]
    answers = np.concatenate([ok[mask] for mask, ok in asked]).astype(float)
    items = np.concatenate([cast.input[mask] for mask, _ in asked])
    if not answers.size:
        return missing("raters were not asked whether an answer is good enough to use")
    share: Interval = intervals.panel(answers, items)
    return written(share.within(0, 1))
