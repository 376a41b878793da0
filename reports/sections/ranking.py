"""All systems in one order, where there are three or more: strengths, chances, and ranges of rank."""

from typing import Any

import numpy as np

from reports.sections.intervals import written
from reports.sections.study import Study
from reports.statistics import bradley_terry
from reports.statistics import ranking as arithmetic
from reports.statistics.codes import different
from reports.statistics.verdicts import left_score

Section = dict[str, Any]
FEWEST = 2


def ranking(study: Study) -> tuple[list[Section], str | None]:
    """Best first, over the systems that were judged; and a note where pseudo-votes were needed.

    `elo` and `theta` are relative to the baseline, else to the mean of all.
    """
    cast = study.votes
    met = np.union1d(different(cast.left), different(cast.right))
    if met.size < FEWEST:
        return [], None
    place = np.zeros(len(study.ballots.arms), dtype=np.int64)
    place[met] = np.arange(met.size)
    wins = bradley_terry.win_matrices(
        cast.input, place[cast.left], place[cast.right], left_score(cast.verdict), arms=int(met.size)
    )
    baseline = int(place[study.baseline]) if study.baseline is not None and study.baseline in met else None
    found = arithmetic.rank(wins, chance=study.chance("ranking"), baseline=baseline)
    return [_entry(study, int(met[standing.arm]), standing) for standing in found.standings], found.note


def _entry(study: Study, arm: int, standing: arithmetic.Standing) -> Section:
    chance = standing.beats_baseline if arm != study.baseline else None
    return {
        "name": study.name(arm),
        "theta": standing.theta.value,
        "elo": standing.elo.value,
        "low": standing.elo.low,
        "high": standing.elo.high,
        "rank": standing.rank,
        "rank_low": standing.rank_low,
        "rank_high": standing.rank_high,
        "beats_baseline": chance.value if chance else None,
        "theta_interval": written(standing.theta),
    }
