"""What the report rests on: the experiment, its seal, and how much of everything there is."""

from typing import Any

import numpy as np

from experiments.personal_data import in_words
from reports import unblinding
from reports.rounding import count
from reports.sections.pairs import PANEL, POPULATION, raters_of, scope_for
from reports.sections.study import Study
from reports.statistics.codes import different

Section = dict[str, Any]


def experiment(study: Study) -> Section:
    """The experiment and the seal with its opening; `scope` is the widest used by any pair."""
    row = study.experiment
    scopes = {scope_for(raters_of(study.versus(pair))) for pair in study.pairs}
    return {
        "id": row.pk,
        "slug": row.slug,
        "title": row.title,
        "question": row.question,
        "margin": row.margin,
        "scope": POPULATION if POPULATION in scopes else PANEL,
        "ratings_per_pair": row.ratings_per_pair,
        "planned_raters": row.planned_raters,
        "pairs": row.pairs,
        "monitored": row.monitored,
        "seed": row.seed,
        "sealed_at": row.sealed_at.isoformat() if row.sealed_at else None,
        "seal": row.seal,
        "sealed": row.sealed,
        "opened_seal": unblinding.opened_seal(row),
        "changed_since_the_seal": unblinding.changed_since_the_seal(row),
        "closed_at": row.closed_at.isoformat() if row.closed_at else None,
        "follows": row.follows.slug if row.follows else None,
    }


def counts(study: Study) -> Section:
    """`judgments` are those that enter the score, `imported` so many of them; what does not enter is counted apart.

    `overwritten` were made here and replaced by an import.
    """
    ballots, cast = study.ballots, study.votes
    return {
        "inputs": len(ballots.inputs),
        "comparisons": _comparisons(study),
        "judgments": len(cast),
        "superseded": ballots.superseded,
        "imported": ballots.imported,
        "overwritten": ballots.overwritten,
        "raters": different(cast.rater).size,
        "skipped": ballots.skipped,
        "repeats": len(ballots.repeats),
        "controls": len(ballots.controls),
        "withheld": ballots.texts.held_back,
        "unblinded_judgments": len(ballots.unblinded),
        "left_out_raters": len(ballots.left_out),
        "left_out_judgments": sum(one.judgments for one in ballots.left_out),
    }


def left_out(study: Study) -> Section:
    """Whom the owner left out before the closing, and the sentence that says so, empty where it was nobody."""
    found = study.ballots.left_out
    return {
        "raters": [{"label": one.label, "judgments": one.judgments, "at": one.at.isoformat()} for one in found],
        "words": _left_out_in_words(len(found), sum(one.judgments for one in found)),
    }


def _left_out_in_words(raters: int, judgments: int) -> str:
    if not raters:
        return ""
    who = "1 rater was" if raters == 1 else f"{count(raters)} raters were"
    what = "1 judgment counts" if judgments == 1 else f"{count(judgments)} judgments count"
    return f"{who} left out by the owner before the closing: {what} nowhere."


def personal_data(study: Study) -> Section:
    """What was found in the inputs by kind, and whether it was masked ("mask"), left ("keep"), or not decided ("")."""
    row = study.experiment
    words = in_words(row.personal_found)
    return {"choice": row.personal_data, "found": row.personal_found, "words": words}


def _comparisons(study: Study) -> int:
    """Pairs of outputs with at least one judgment that counts."""
    cast, arms = study.votes, len(study.ballots.arms) or 1
    first, second = np.minimum(cast.left, cast.right), np.maximum(cast.left, cast.right)
    return different((cast.input * arms + first) * arms + second).size
