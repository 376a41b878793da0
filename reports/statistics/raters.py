"""What is known of each rater: consistency with themselves, pairs with a known answer, speed and habits.

These are signs, no sentence. Nothing here removes a vote: the report shows the result with and without a flagged rater.
"""

from dataclasses import dataclass

import numpy as np

from reports.statistics import agreement, intervals
from reports.statistics.codes import levels, renumbered
from reports.statistics.distributions import binomial_upper
from reports.statistics.interval import Bools, Codes, Floats, Interval, Ints
from reports.statistics.position import LeftShare

CONTROLS_TO_JUDGE_BY = 8
CONTROLS_TO_BE_RIGHT = 6
VOTES_TO_JUDGE_BY = 10
CHARACTERS_A_SECOND = 100.0  # four times the pace of ordinary reading
_LEFT_P = 0.01
_TIES = 0.8
_WORSE_THAN_CHANCE = 1 / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Consistency:
    """Pairs that were shown again with their sides swapped: how often the same answer came, in terms of the arms."""

    same: int
    shown: int
    rate: Interval
    kappa: float | None
    kappa_quadratic: float | None
    same_side: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlCheck:
    """Pairs with a known answer; `p_better_than_chance` is exact and one-sided."""

    right: int
    shown: int
    rate: Interval
    p_better_than_chance: float

    @property
    def failed(self) -> bool:
        """Fewer right than six in eight, once eight were shown: a guesser with three buttons passes in 2 % of cases."""
        return (
            self.shown >= CONTROLS_TO_JUDGE_BY and self.right * CONTROLS_TO_JUDGE_BY < CONTROLS_TO_BE_RIGHT * self.shown
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What one rater's votes look like; None where nothing of the kind was recorded."""

    votes: int
    tie_share: float | None
    left: LeftShare
    median_seconds: float | None
    reading_floor: float | None
    agreement_with_others: float | None
    controls: ControlCheck | None


def consistency(first: Floats, second: Floats, sides: tuple[Codes, Codes] | None = None) -> Consistency:
    """From what was said first and again (1, ½, 0 for the same arm), one entry a repeat.

    `sides` holds the verdict codes of both, for how often the same side was chosen among answers that chose one.
    """
    shown = int(first.size)
    same = int(np.count_nonzero(first == second))
    return Consistency(
        same=same,
        shown=shown,
        rate=intervals.wilson(same, shown),
        kappa=agreement.cohen(first, second),
        kappa_quadratic=agreement.cohen(first, second, quadratic=True),
        same_side=_same_side(*sides) if sides else None,
    )


def control_check(right: int, shown: int, *, chance: float = 0.5) -> ControlCheck:
    """How many known answers were found, against guessing right with probability `chance`."""
    return ControlCheck(
        right=right,
        shown=shown,
        rate=intervals.wilson(right, shown),
        p_better_than_chance=binomial_upper(right, shown, chance),
    )


def agreement_with_others(unit: Ints, value: Floats, rater: Ints, raters: int) -> Floats:
    """For each rater the mean share of the others on the same unit who said the same; NaN where nobody else judged.

    Columns with one entry a vote; shape (raters,). A rater has one vote a unit.
    """
    if not unit.size:
        return np.full(raters, np.nan)
    values, said = levels(value)
    units = renumbered(unit).code
    cells = units * values.size + said
    alike, others = np.bincount(cells)[cells] - 1, np.bincount(units)[units] - 1
    shared: Bools = others > 0
    total = np.bincount(rater[shared], weights=alike[shared] / others[shared], minlength=raters)
    votes = np.bincount(rater[shared], minlength=raters)
    found: Floats = np.divide(total, votes, out=np.full(raters, np.nan), where=votes > 0)
    return found


def reading_floor(characters: Floats) -> float | None:
    """Seconds below which the middle pair was not read: its two texts at four times the pace of ordinary reading."""
    return float(np.median(characters)) / CHARACTERS_A_SECOND if characters.size else None


def flags(habits: Habits) -> tuple[str, ...]:
    """Signs that a rater's votes deserve a look, as short phrases; none before there is enough to go by."""
    found = []
    if habits.controls is not None and habits.controls.failed:
        found.append(f"{habits.controls.right} of {habits.controls.shown} control pairs right")
    if habits.votes < VOTES_TO_JUDGE_BY:
        return tuple(found)
    if habits.median_seconds is not None and habits.median_seconds < (habits.reading_floor or 0.0):
        found.append("faster than the texts can be read")
    if habits.left.share is not None and habits.left.p_holm < _LEFT_P:
        found.append(f"prefers the {'left' if habits.left.share > 0.5 else 'right'} side")
    if habits.tie_share is not None and habits.tie_share > _TIES:
        found.append("says tie nearly always")
    if habits.agreement_with_others is not None and habits.agreement_with_others < _WORSE_THAN_CHANCE:
        found.append("agrees with the others less than by chance")
    return tuple(found)


def _same_side(first: Codes, second: Codes) -> float | None:
    chose = (first <= 1) & (second <= 1)
    return float(np.mean(first[chose] == second[chose])) if chose.any() else None
