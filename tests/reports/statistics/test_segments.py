"""Segments: enough inputs or no p value, and no alarm from looking at many."""

import numpy as np
import pytest

from reports.statistics import intervals, scores, segments


def per_input(d: list[float]) -> scores.InputScores:
    return scores.by_input(np.array(d), np.arange(len(d)))


def test_ten_inputs_have_panel_limits_and_nine_have_wilsons() -> None:
    found = per_input([0.0, 0.5, 1.0, 0.5, 1.0, 0.0, 1.0, 0.5, 1.0, 0.0])
    every, most = np.ones(10, dtype=bool), np.arange(10) < 9
    ten, nine = segments.segments(found, {"ten": every, "nine": most})
    assert (ten.score.method, ten.inputs) == ("t over inputs", 10)
    assert ten.p is not None
    assert (nine.score.method, nine.inputs, nine.p, nine.p_holm) == ("Wilson over inputs", 9, None, None)
    assert nine.score.low == intervals.wilson(5.5, 9).low


def test_an_empty_segment_has_no_score_and_says_so() -> None:
    (found,) = segments.segments(per_input([0.5]), {"none": np.array([False])})
    assert (found.score.value, found.score.why, found.p) == (None, "nothing was counted", None)


def test_p_values_are_raised_for_the_number_of_segments_that_have_one() -> None:
    chance = np.random.default_rng(2)
    found = per_input(list(np.concatenate([chance.choice([0, 0.5, 1], 30), np.full(15, 0.2), chance.random(15)])))
    masks = {
        "first": np.arange(60) < 30,
        "low": (np.arange(60) >= 30) & (np.arange(60) < 47),
        "few": np.arange(60) > 55,
    }
    first, low, few = segments.segments(found, masks)
    assert low.p is not None
    assert low.p_holm == pytest.approx(2 * low.p)
    assert first.p_holm == first.p
    assert low.p_bh is not None
    assert few.p_holm is None


def test_a_segment_without_variation_has_limits_but_no_p_value() -> None:
    (found,) = segments.segments(per_input([1.0] * 12), {"all": np.ones(12, dtype=bool)})
    assert (found.score.method, found.p) == ("Wilson over inputs", None)


def test_segments_that_differ_are_told_from_segments_that_do_not() -> None:
    chance = np.random.default_rng(4)
    labels = np.repeat([3, 8], 25)
    alike = chance.random(50)
    differing = alike / 2 + (labels == 8) / 2
    p_alike = segments.interaction_p(alike, labels, chance=chance)
    p_differing = segments.interaction_p(differing, labels, chance=chance)
    assert p_alike is not None
    assert p_differing is not None
    assert p_alike > 0.05
    assert 0.01 > p_differing >= 1 / 10_001
    assert segments.interaction_p(alike, np.zeros(50, dtype=int), chance=chance) is None
