"""Whether the left side is chosen more often than the right, over everything that was judged."""

from typing import Any

from reports.sections.study import Study
from reports.statistics import position
from reports.statistics.verdicts import left_score

Section = dict[str, Any]
FEWEST_ARMS_FOR_A_MODEL = 3


def sides(study: Study) -> Section:
    """Left choices among decided votes with an exact p; with three systems or more, the effect in their ranking too."""
    cast = study.votes
    found = position.left_share(cast.verdict)
    section: Section = {
        "left": found.left,
        "decisive": found.decisive,
        "share": found.share,
        "p": found.p if found.decisive else None,
        "logit": None,
        "logit_p": None,
    }
    if len(study.ballots.arms) >= FEWEST_ARMS_FOR_A_MODEL and len(cast):
        fitted = position.side_in_ranking(cast.left, cast.right, left_score(cast.verdict), len(study.ballots.arms))
        section |= {"logit": fitted.logit, "logit_p": fitted.p}
    return section
