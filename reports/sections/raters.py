"""Each rater's habits: pace, sides, ties, controls and repeats, and what of it deserves a look. Nobody is dropped."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from reports.sections.agreement import first_and_again, for_the_first, units
from reports.sections.blinding import scored
from reports.sections.study import Study
from reports.statistics import position
from reports.statistics import raters as arithmetic
from reports.statistics.interval import Floats, Ints
from reports.statistics.position import LeftShare
from reports.statistics.verdicts import BOTH_GOOD

Section = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """One entry a rater, in the order of `Ballots.raters`."""

    votes: Ints
    tied: Ints
    left: tuple[LeftShare, ...]
    seconds: list[float | None]
    floors: list[float | None]
    with_others: Floats
    controls_right: Ints
    controls_shown: Ints
    repeats_same: Ints
    repeats_shown: Ints


def raters(study: Study) -> list[Section]:
    """One entry a rater who judged anything that counts, or was shown a control."""
    columns = _columns(study)
    return [
        _entry(label, rater, columns)
        for rater, label in enumerate(study.ballots.raters)
        if columns.votes[rater] or columns.controls_shown[rater]
    ]


def without_flagged(study: Study, found: list[Section]) -> Section:
    """Every pair's score once more without the raters that carry a flag; no pairs where nobody does."""
    flagged = {entry["label"] for entry in found if entry["flags"]}
    left_out = np.array([label in flagged for label in study.ballots.raters], dtype=bool)
    return {
        "raters": sorted(flagged),
        "pairs": [_without(study, pair, left_out) for pair in study.pairs] if flagged else [],
    }


def _without(study: Study, pair: tuple[int, int], left_out: Any) -> Section:
    cast = study.versus(pair)
    kept = cast.where(~left_out[cast.rater])
    return {
        "candidate": study.name(pair[0]),
        "baseline": study.name(pair[1]),
        "judgments": len(kept),
        "score": scored(kept, like=cast),
    }


def _entry(label: str, rater: int, columns: _Columns) -> Section:
    habits = _habits(rater, columns)
    return {
        "label": label,
        "judgments": habits.votes,
        "median_seconds": habits.median_seconds,
        "left_share": habits.left.share,
        "left_p": habits.left.p_holm if habits.left.decisive else None,
        "tie_share": habits.tie_share,
        "controls_right": int(columns.controls_right[rater]),
        "controls_shown": int(columns.controls_shown[rater]),
        "repeats_same": int(columns.repeats_same[rater]),
        "repeats_shown": int(columns.repeats_shown[rater]),
        "agreement_with_others": habits.agreement_with_others,
        "flags": list(arithmetic.flags(habits)),
    }


def _habits(rater: int, columns: _Columns) -> arithmetic.Habits:
    votes, near = int(columns.votes[rater]), float(columns.with_others[rater])
    shown = int(columns.controls_shown[rater])
    return arithmetic.Habits(
        votes=votes,
        tie_share=float(columns.tied[rater] / votes) if votes else None,
        left=columns.left[rater],
        median_seconds=columns.seconds[rater],
        reading_floor=columns.floors[rater],
        agreement_with_others=None if np.isnan(near) else near,
        controls=arithmetic.control_check(int(columns.controls_right[rater]), shown) if shown else None,
    )


def _columns(study: Study) -> _Columns:
    cast, number = study.votes, len(study.ballots.raters)
    controls = study.ballots.controls
    first, again = first_and_again(study)
    same = for_the_first(study, first) == for_the_first(study, again)
    length = study.ballots.texts.length
    characters = (length[cast.input, cast.left] + length[cast.input, cast.right]).astype(float)
    return _Columns(
        votes=np.bincount(cast.rater, minlength=number),
        tied=np.bincount(cast.rater[cast.verdict >= BOTH_GOOD], minlength=number),
        left=position.left_shares(cast.verdict, cast.rater, number),
        seconds=[_median(times) for times in _by_rater(cast.seconds, cast.rater, number)],
        floors=[arithmetic.reading_floor(texts) for texts in _by_rater(characters, cast.rater, number)],
        with_others=arithmetic.agreement_with_others(
            units(study, cast), for_the_first(study, cast), cast.rater, number
        ),
        controls_right=np.bincount(controls.rater[controls.verdict == study.ballots.expected], minlength=number),
        controls_shown=np.bincount(controls.rater, minlength=number),
        repeats_same=np.bincount(again.rater[same], minlength=number),
        repeats_shown=np.bincount(again.rater, minlength=number),
    )


def _by_rater(values: Floats, rater: Ints, number: int) -> list[Floats]:
    """The known values of each rater."""
    known = ~np.isnan(values)
    order = np.argsort(rater[known], kind="stable")
    ordered = values[known][order]
    edges = np.searchsorted(rater[known][order], np.arange(number + 1))
    return [ordered[start:end] for start, end in pairwise(edges)]


def _median(values: Floats) -> float | None:
    return float(np.median(values)) if values.size else None
