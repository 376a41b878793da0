"""Verdicts against a margin: the rule, its agreement with the test, and intervals that say nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.weightstats import DescrStatsW

from reports.statistics import intervals, noninferiority
from reports.statistics.interval import Interval, without_limits
from reports.statistics.noninferiority import Verdict


def between(low: float, high: float) -> Interval:
    return Interval(value=(low + high) / 2, low=low, high=high, method="given", n=50)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.51, 0.60, Verdict.SUPERIOR),
        (0.50, 0.60, Verdict.NON_INFERIOR),
        (0.41, 0.50, Verdict.NON_INFERIOR),
        (0.41, 0.49, Verdict.NON_INFERIOR_BUT_WORSE),
        (0.40, 0.49, Verdict.WORSE),
        (0.30, 0.40, Verdict.WORSE),
        (0.30, 0.39, Verdict.INFERIOR),
        (0.40, 0.50, Verdict.INCONCLUSIVE),
        (0.20, 0.80, Verdict.INCONCLUSIVE),
    ],
)
def test_the_limits_decide_the_verdict(low: float, high: float, expected: Verdict) -> None:
    assert noninferiority.verdict(low, high, margin=0.1) is expected


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=2, max_size=40), st.sampled_from([0.05, 0.1, 0.2])
)
def test_the_verdict_and_the_one_sided_test_never_disagree(d: list[float], margin: float) -> None:
    score = intervals.mean(np.array(d), support=intervals.UNIT)
    found = noninferiority.against_margin(score, margin=margin)
    passed = {Verdict.SUPERIOR, Verdict.NON_INFERIOR, Verdict.NON_INFERIOR_BUT_WORSE}
    assert found.p is not None
    if abs(found.p - 0.025) > 1e-9:
        assert (found.verdict in passed) == (found.p < 0.025)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]), min_size=2, max_size=40))
def test_a_difference_of_shares_is_judged_the_same_way(d: list[float]) -> None:
    found = noninferiority.against_margin(intervals.mean(np.array(d), support=(-1, 1)), margin=0.1, even=0)
    passed = {Verdict.SUPERIOR, Verdict.NON_INFERIOR, Verdict.NON_INFERIOR_BUT_WORSE}
    assert found.p is not None
    if abs(found.p - 0.025) > 1e-9:
        assert (found.verdict in passed) == (found.p < 0.025)


@pytest.mark.parametrize(("d", "even", "support"), [(0.0, 0.0, (-1, 1)), (0.5, 0.5, (0, 1)), (0.45, 0.5, (0, 1))])
def test_where_nothing_varies_the_test_at_the_lower_limit_gives_just_its_level(
    d: float, even: float, support: tuple[float, float]
) -> None:
    score = intervals.mean(np.full(12, d), support=support)
    found = noninferiority.against_margin(score, margin=even - (score.low or 0), even=even)
    assert found.p == pytest.approx(0.025)


def test_the_smallest_margin_that_would_have_passed_is_given() -> None:
    assert noninferiority.against_margin(between(0.37, 0.6), margin=0.1).smallest_margin == pytest.approx(0.13)
    assert noninferiority.against_margin(between(0.55, 0.6), margin=0.1).smallest_margin == 0


def test_an_interval_without_limits_has_no_verdict() -> None:
    found = noninferiority.against_margin(without_limits(0.6, n=1, why="one input"), margin=0.1)
    assert (found.p, found.verdict, found.smallest_margin, found.margin) == (None, None, None, 0.1)


def test_a_margin_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        noninferiority.against_margin(between(0.4, 0.6), margin=0)


def test_all_wins_in_fifty_inputs_are_superior_and_all_ties_are_not_proof() -> None:
    wins = noninferiority.against_margin(intervals.panel(np.ones(50), np.arange(50)), margin=0.1)
    ties = noninferiority.against_margin(intervals.panel(np.full(50, 0.5), np.arange(50)), margin=0.1)
    assert (wins.verdict, ties.verdict) == (Verdict.SUPERIOR, Verdict.INCONCLUSIVE)


def test_equivalence_is_that_of_statsmodels() -> None:
    d = np.random.default_rng(2).choice([0, 0.25, 0.5, 0.75, 1], 60)
    found = noninferiority.equivalence(intervals.mean(d), low=0.4, high=0.6)
    p = DescrStatsW(d).ttost_mean(0.4, 0.6)[0]
    assert found is not None
    assert found.p == pytest.approx(p)
    assert noninferiority.equivalence(intervals.mean(np.ones(5)), low=0.4, high=0.6) is None
