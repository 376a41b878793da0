"""Planning: more of anything helps, advice does what it says, and the re-estimate stays blind."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.statistics import planning
from reports.statistics.planning import Plan

PLANS = st.builds(
    Plan,
    inputs=st.integers(10, 300),
    raters=st.integers(4, 12),
    votes_per_input=st.integers(1, 4),
    margin=st.sampled_from([0.05, 0.1, 0.15]),
    gap=st.sampled_from([0.0, 0.03]),
)


@settings(max_examples=60, deadline=None)
@given(PLANS)
def test_more_inputs_raters_votes_or_margin_never_hurt(plan: Plan) -> None:
    now = planning.power(plan).power
    for changed in (
        replace(plan, inputs=plan.inputs + 1),
        replace(plan, raters=plan.raters + 1),
        replace(plan, votes_per_input=plan.votes_per_input + 1),
        replace(plan, margin=plan.margin + 0.01),
    ):
        assert planning.power(changed).power >= now


@settings(max_examples=60, deadline=None)
@given(PLANS)
def test_following_the_advice_reaches_the_power_and_one_less_does_not(plan: Plan) -> None:
    told = planning.advice(plan)
    assert planning.power(replace(plan, margin=told.margin)).power == pytest.approx(0.8)
    if told.inputs is not None:
        assert planning.power(replace(plan, inputs=told.inputs)).enough
        if told.inputs > plan.inputs:
            assert not planning.power(replace(plan, inputs=told.inputs - 1)).enough


def test_a_plan_that_is_enough_is_told_to_stay_as_it_is() -> None:
    told = planning.advice(Plan(inputs=200, raters=8, votes_per_input=4))
    assert (told.inputs, told.raters) == (200, 8)


def test_more_raters_than_votes_an_input_bring_their_own_votes() -> None:
    told = planning.advice(Plan(inputs=50, raters=4, votes_per_input=4))
    assert told.raters is not None
    assert planning.power(Plan(inputs=50, raters=told.raters, votes_per_input=told.raters)).enough


def test_a_gap_as_wide_as_the_margin_is_reached_by_nothing() -> None:
    told = planning.advice(Plan(inputs=50, raters=5, votes_per_input=3, margin=0.03, gap=0.03))
    assert (told.inputs, told.raters) == (None, None)


def test_fifty_inputs_decide_a_margin_of_ten_points_and_not_of_five() -> None:
    plan = Plan(inputs=50, raters=8, votes_per_input=8)
    assert planning.power(plan).power > 0.75
    assert planning.power(replace(plan, margin=0.05)).power < 0.35


def test_votes_and_hours_are_counted() -> None:
    plan = Plan(inputs=50, raters=5, votes_per_input=3)
    assert plan.votes == 150
    assert plan.hours(seconds_per_vote=48) == 2


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=6, max_size=40))
def test_the_re_estimate_does_not_know_who_leads(votes: list[float]) -> None:
    y, item = np.array(votes), np.arange(len(votes)) // 3
    there, back = planning.variance_components(y, item), planning.variance_components(1 - y, item)
    assert there is not None
    assert back is not None
    assert (there.between, there.within) == pytest.approx((back.between, back.within))


def test_a_plan_takes_over_what_was_seen() -> None:
    seen = planning.variance_components(np.array([0, 1, 0, 1, 1, 1, 0, 0.5]), np.repeat([0, 1, 2, 3], 2))
    assert seen is not None
    plan = planning.reestimated(Plan(inputs=50, raters=5, votes_per_input=2), seen)
    assert plan.sd == pytest.approx(seen.sd)
    assert 0 <= plan.icc <= 0.99


def test_too_few_votes_give_no_re_estimate() -> None:
    for y in ([], [1.0], [1.0, 0.0]):
        assert planning.variance_components(np.array(y), np.arange(len(y))) is None
    assert planning.variance_components(np.array([1.0, 0.0]), np.array([3, 3])) is None


def test_votes_that_are_all_the_same_keep_the_assumed_spread() -> None:
    seen = planning.variance_components(np.ones(8), np.repeat([0, 1], 4))
    assert seen is not None
    assert seen.icc is None
    plan = Plan(inputs=50, raters=5, votes_per_input=2)
    assert planning.reestimated(plan, seen).sd == plan.sd
