"""Monitoring: valid at every look, and silent where it knows nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.statistics import sequential

INPUTS = st.lists(st.sampled_from([0.0, 1 / 3, 0.5, 2 / 3, 1.0]), max_size=25)


@settings(max_examples=50, deadline=None)
@given(INPUTS)
def test_limits_only_close_in_and_stay_possible(x: list[float]) -> None:
    found = sequential.betting(np.array(x))
    assert found.inputs == len(x)
    assert np.all(np.diff(found.lows) >= 0)
    assert np.all(np.diff(found.highs) <= 0)
    assert np.all((found.lows >= 0) & (found.highs <= 1))


@settings(max_examples=50, deadline=None)
@given(INPUTS)
def test_seen_from_the_baseline_the_limits_are_mirrored(x: list[float]) -> None:
    there, back = sequential.betting(np.array(x)), sequential.betting(1 - np.array(x))
    assert there.lows == pytest.approx(1 - back.highs, abs=0.0011)


@settings(max_examples=50, deadline=None)
@given(INPUTS, INPUTS)
def test_what_comes_later_changes_no_earlier_limit(x: list[float], more: list[float]) -> None:
    now, then = sequential.betting(np.array(x)), sequential.betting(np.array(x + more))
    assert now.lows.tolist() == then.lows[: len(x)].tolist()


def test_before_the_first_input_everything_is_possible() -> None:
    found = sequential.betting(np.zeros(0))
    assert (found.low, found.high, found.inputs) == (0, 1, 0)
    assert found.decided_at(margin=0.1) is None


def test_it_says_after_which_input_a_margin_was_decided() -> None:
    good, bad = sequential.betting(np.full(60, 0.9)), sequential.betting(np.full(60, 0.1))
    decided = good.decided_at(margin=0.1)
    assert decided is not None
    assert good.lows[decided - 1] > 0.4 >= good.lows[decided - 2]
    assert bad.decided_at(margin=0.1) is None
    assert bad.hopeless_at(margin=0.1) is not None


def test_looking_after_every_input_is_seldom_wrong() -> None:
    """At the margin itself fewer than 2.5 % of 300 studies of 60 inputs may ever pass, whenever one looks."""
    chance = np.random.default_rng(9)
    passed = sum(
        sequential.betting(chance.binomial(5, 0.4, 60) / 5, grid=200).decided_at(margin=0.1) is not None
        for _ in range(300)
    )
    assert passed <= 12


def test_a_score_outside_the_range_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        sequential.betting(np.array([0.5, 1.2]))
