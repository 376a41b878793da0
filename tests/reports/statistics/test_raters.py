"""Raters: consistency, known answers, company, and the signs that call for a look."""

import numpy as np
import pytest

from reports.statistics import dawid_skene, position, raters
from reports.statistics.position import LeftShare
from reports.statistics.raters import Habits

EVEN = LeftShare(left=20, decisive=40, p=1, p_holm=1)


def habits(**changed: object) -> Habits:
    usual: dict[str, object] = {
        "votes": 50,
        "tie_share": 0.2,
        "left": EVEN,
        "median_seconds": 40.0,
        "reading_floor": 10.0,
        "agreement_with_others": 0.6,
        "controls": raters.control_check(7, 8),
    }
    return Habits(**(usual | changed))  # type: ignore[arg-type]  # the fields are checked by the dataclass's use below


def test_an_ordinary_rater_has_no_flag() -> None:
    assert raters.flags(habits()) == ()


@pytest.mark.parametrize(
    ("changed", "flag"),
    [
        ({"controls": raters.control_check(5, 8)}, "5 of 8 control pairs right"),
        ({"median_seconds": 4.0}, "faster than the texts can be read"),
        ({"left": LeftShare(left=39, decisive=40, p=1e-9, p_holm=1e-8)}, "prefers the left side"),
        ({"left": LeftShare(left=1, decisive=40, p=1e-9, p_holm=1e-8)}, "prefers the right side"),
        ({"tie_share": 0.9}, "says tie nearly always"),
        ({"agreement_with_others": 0.2}, "agrees with the others less than by chance"),
    ],
)
def test_each_sign_is_flagged_by_itself(changed: dict[str, object], flag: str) -> None:
    assert raters.flags(habits(**changed)) == (flag,)


def test_few_votes_are_not_judged_by_habit() -> None:
    assert raters.flags(habits(votes=9, tie_share=1.0, median_seconds=1.0)) == ()


@pytest.mark.parametrize(
    ("right", "shown", "failed"), [(5, 8, True), (6, 8, False), (0, 7, False), (11, 16, True), (12, 16, False)]
)
def test_control_pairs_flag_only_from_eight_on_and_below_six_in_eight(right: int, shown: int, failed: bool) -> None:
    assert raters.control_check(right, shown).failed is failed


def test_a_rater_without_controls_or_repeats_has_no_rate() -> None:
    assert raters.control_check(0, 0).rate.value is None
    none = raters.consistency(np.zeros(0), np.zeros(0))
    assert (none.rate.value, none.kappa, none.shown) == (None, None, 0)


def test_the_same_side_twice_is_told_from_the_same_answer() -> None:
    # Sides were swapped: who says "left" both times has changed their mind about the arms.
    found = raters.consistency(np.array([1, 0.5, 1]), np.array([0, 0.5, 1]), (np.array([0, 2, 0]), np.array([0, 3, 1])))
    assert (found.same, found.same_side) == (2, 0.5)


def test_agreement_with_others_leaves_the_rater_out() -> None:
    unit, rater = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 1, 2, 0, 1, 3])
    value = np.array([1, 1, 0, 0.5, 0, 1.0])
    found = raters.agreement_with_others(unit, value, rater, 4)
    assert found[:3] == pytest.approx([0.25, 0.25, 0])
    assert np.isnan(found[3])
    assert np.isnan(raters.agreement_with_others(np.zeros(0, dtype=int), np.zeros(0), np.zeros(0, dtype=int), 1)).all()


def test_reading_time_follows_the_middle_pair() -> None:
    assert raters.reading_floor(np.array([500.0, 1000, 90_000])) == 10
    assert raters.reading_floor(np.zeros(0)) is None


def test_left_shares_are_exact_and_raised_for_their_number() -> None:
    verdict, rater = np.array([0] * 12 + [1] * 6 + [0] * 6 + [2] * 5), np.repeat([0, 1, 2], [12, 12, 5])
    first, second, third = position.left_shares(verdict, rater, 3)
    assert (first.left, first.decisive, first.p) == (12, 12, pytest.approx(2 / 4096))
    assert first.p_holm == pytest.approx(4 / 4096)
    assert (second.share, second.p) == (0.5, 1)
    assert (third.share, third.decisive, third.p_holm) == (None, 0, 1)


def test_a_careless_rater_counts_for_less_in_dawid_and_skene() -> None:
    chance = np.random.default_rng(3)
    truth = chance.integers(0, 2, 200)
    unit, rater = np.repeat(np.arange(200), 5), np.tile(np.arange(5), 200)
    wrong = chance.random(1000) < np.array([0.1, 0.1, 0.1, 0.5, 0.5])[rater]
    found = dawid_skene.fit(unit, rater, np.where(wrong, 1 - truth[unit], truth[unit]), classes=2)
    assert np.mean(found.likeliest == truth) > 0.95
    assert found.confusion[0, 0, 0] > 0.8 > found.confusion[3, 0, 0]
    with pytest.raises(ValueError, match="no votes"):
        dawid_skene.fit(np.zeros(0, dtype=int), np.zeros(0, dtype=int), np.zeros(0, dtype=int), classes=2)
