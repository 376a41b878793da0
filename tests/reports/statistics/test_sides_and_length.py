"""Side and length: regressions that find what was put in, and say when there is nothing to find."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.statistics import length, position, regression


def a_study(side: float = 0.0, slope: float = 0.0, seed: int = 5) -> tuple[np.ndarray, ...]:
    chance = np.random.default_rng(seed)
    item, on_left = np.repeat(np.arange(60), 5), chance.random(300) < 0.5
    z = chance.normal(0, 0.3, 300)
    p = 1 / (1 + np.exp(-(side * (on_left - 0.5) + slope * z)))
    return (chance.random(300) < p).astype(float), on_left, item, z


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_swapping_all_sides_turns_the_side_effect_round_for_the_baseline_only(seed: int) -> None:
    y, on_left, item, _ = a_study(seed=seed)
    there, mirrored = position.side_effect(y, on_left, item), position.side_effect(1 - y, ~on_left, item)
    assert there.effect == pytest.approx(mirrored.effect)
    assert there.p == pytest.approx(mirrored.p)
    assert there.adjusted_score == pytest.approx(1 - (mirrored.adjusted_score or 0))


def test_a_preference_for_the_left_is_found() -> None:
    y, on_left, item, _ = a_study(side=2.0)
    found = position.side_effect(y, on_left, item)
    assert (found.effect or 0) > 0.3
    assert (found.p or 1) < 1e-6


def test_a_candidate_that_never_changed_sides_tells_nothing_about_sides() -> None:
    y, on_left, item, _ = a_study()
    found = position.side_effect(y, np.ones_like(on_left), item)
    assert (found.effect, found.p) == (None, None)
    assert found.why == "the candidate always stood on the same side"


@pytest.mark.parametrize("size", [0, 1, 2])
def test_too_few_votes_tell_nothing_about_sides_or_length(size: int) -> None:
    y, on_left, item, z = (column[:size] for column in a_study())
    assert position.side_effect(y, on_left, item).effect is None
    assert length.control(y, z, item).controlled_score.value is None


def test_sides_that_explain_every_vote_have_no_p_value() -> None:
    y, on_left, item, _ = a_study()
    found = position.side_effect(on_left.astype(float), on_left, item)
    assert found.effect == pytest.approx(1)
    assert found.p is None
    assert y.size == 300


def test_arms_that_only_win_have_no_side_effect_in_the_ranking() -> None:
    left, right = np.array([0, 1, 0, 1]), np.array([1, 0, 1, 0])
    found = position.side_in_ranking(left, right, np.array([1.0, 0, 1, 0]), 2)
    assert found.logit is None
    assert "no finite estimate" in (found.why or "")


def test_a_taste_for_length_is_taken_out_of_the_score() -> None:
    y, _, item, z = a_study(slope=3.0)
    longer = z + 0.3
    found = length.control(y, longer, item)
    assert found.coefficients[0] == pytest.approx(3, abs=1)
    assert found.ps[0] < 1e-4
    assert (found.controlled_score.value or 1) < y.mean() - 0.1


def test_several_features_are_controlled_at_once_as_statsmodels_does() -> None:
    y, on_left, item, z = a_study(slope=1.0)
    features = np.column_stack([z, on_left - 0.5])
    fit = sm.GLM(y, sm.add_constant(features), family=sm.families.Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": item}
    )
    found = length.control(y, features, item)
    assert found.coefficients == pytest.approx(fit.params[1:], rel=1e-6)
    assert found.ses == pytest.approx(fit.bse[1:], rel=1e-6)


def test_texts_of_equal_length_have_no_length_to_control() -> None:
    y, _, item, z = a_study()
    found = length.control(y, np.zeros_like(z), item)
    assert found.coefficients == ()
    assert found.controlled_score.why


def test_length_that_explains_every_vote_is_not_estimated() -> None:
    y, _, item, _ = a_study()
    found = length.control(y, y - 0.5, item)
    assert found.controlled_score.value is None
    assert "no finite estimate" in (found.controlled_score.why or "")


def test_relative_differences_lie_between_minus_one_and_one() -> None:
    found = length.relative_difference(np.array([0.0, 3, 1, 0]), np.array([0.0, 1, 3, 5]))
    assert found.tolist() == [0, 0.5, -0.5, -1]


def test_columns_that_move_together_are_refused() -> None:
    x = np.ones((6, 2))
    with pytest.raises(regression.NotEstimable, match="vary apart"):
        regression.least_squares(x, np.arange(6.0), np.arange(6))
