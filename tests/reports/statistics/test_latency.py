"""Latency: quantiles, honest limits, and repeated runs that belong to the same input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.statistics import latency


def times(n: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(7, 0.5, n)


def test_fifty_runs_have_no_upper_limit_for_p95_and_say_what_it_takes() -> None:
    found = latency.from_single_runs(times(50), 0.95)
    assert found.low is not None
    assert found.high is None
    assert found.why == "no upper limit from 50 runs: the 95\u00a0% quantile needs 72"


def test_seventy_two_runs_have_one() -> None:
    assert latency.from_single_runs(times(71), 0.95).high is None
    assert latency.from_single_runs(times(72), 0.95).high == times(72).max()


@pytest.mark.parametrize("n", [1, 5])
def test_very_few_runs_have_no_limit_that_they_cannot_have(n: int) -> None:
    median = latency.from_single_runs(times(n), 0.5)
    assert (median.low, median.high) == (None, None)
    assert median.why is not None
    assert latency.from_single_runs(times(1), 0.95).why == "no upper limit from 1 run: the 95\u00a0% quantile needs 72"


def test_nothing_timed_has_no_quantile() -> None:
    empty, none = np.zeros(0), np.zeros(0, dtype=np.int64)
    assert latency.quantile(empty, 0.5) is None
    assert latency.harrell_davis(empty, 0.5) is None
    for found in (
        *latency.quantiles(empty, none, [0.5, 0.95], chance=np.random.default_rng(0)),
        *latency.from_repeated_runs(empty, none, [0.5], chance=np.random.default_rng(0)),
    ):
        assert (found.value, found.low, found.why) == (None, None, "nothing was timed")


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 400), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_ranks_cover_as_they_say(n: int, q: float) -> None:
    found = latency.ranks(n, q)
    assert found.coverage >= (0.95 if found.low and found.high else 0.0)
    if found.low and found.high:
        assert 1 <= found.low < found.high <= n
        uniform = np.sort(np.random.default_rng(n).random((2000, n)), axis=1)
        held = np.mean((uniform[:, found.low - 1] < q) & (uniform[:, found.high - 1] > q))
        assert held == pytest.approx(found.coverage, abs=0.03)


def test_repeated_runs_are_resampled_by_input() -> None:
    slow = times(50, seed=2)
    item, repeated = np.repeat(np.arange(50), 4), np.repeat(slow, 4)
    once = latency.from_repeated_runs(slow, np.arange(50), [0.5], chance=np.random.default_rng(3))[0]
    four = latency.quantiles(repeated, item, [0.5], chance=np.random.default_rng(3))[0]
    assert four.method == "bootstrap over 50 inputs (2000 resamples)"
    # Four equal runs of each input tell no more than one.
    assert four.low == pytest.approx(once.low, rel=0.03)
    assert four.high == pytest.approx(once.high, rel=0.03)


def test_a_resampled_quantile_is_that_of_the_resample_written_out() -> None:
    ordered, often = np.sort(times(7)), np.array([[0, 3, 1, 0, 2, 1, 0], [1, 1, 1, 1, 1, 1, 1.0]])
    found = latency._of_weighted(ordered, often, [0.1, 0.5, 0.95])
    for row, weights in zip(found, often, strict=True):
        written_out = np.repeat(ordered, weights.astype(int))
        assert row == pytest.approx(np.quantile(written_out, [0.1, 0.5, 0.95]))


def test_few_inputs_have_no_limits_however_often_they_ran() -> None:
    found = latency.quantiles(times(90), np.repeat(np.arange(9), 10), [0.95], chance=np.random.default_rng(0))[0]
    assert (found.low, found.high) == (None, None)
    assert found.why == "9 inputs: limits from repeated runs need at least 10"


def test_one_run_an_input_takes_order_statistics() -> None:
    found = latency.quantiles(times(200), np.arange(200), [0.95], chance=np.random.default_rng(0))[0]
    assert found == latency.from_single_runs(times(200), 0.95)
    assert found.high == np.sort(times(200))[196]


def paired(own: np.ndarray, other: np.ndarray, *, seed: int = 5) -> tuple[latency.Interval, ...]:
    items = np.arange(own.size)
    return latency.paired_differences(
        (own, items), (other, items), (0.5, 0.95), chance=np.random.default_rng(seed), resamples=400
    )


def test_two_systems_that_are_slow_on_the_same_inputs_are_told_apart_in_pairs() -> None:
    """Unpaired, 60 inputs whose times differ tenfold would hide a tenth."""
    slow = times(60) * 1.1
    middle, late = paired(slow, times(60))
    assert middle.low is not None
    assert middle.low > 0
    assert late.low is not None
    assert late.low > 0
    assert middle.value == pytest.approx(0.1 * np.median(times(60)))


def test_the_same_times_are_not_shown_to_differ() -> None:
    for difference in paired(times(40), times(40)):
        assert (difference.value, difference.low, difference.high) == (0, 0, 0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 5))
def test_swapping_the_two_turns_the_difference_round(seed: int, factor: float) -> None:
    one, other = times(30, seed), factor * times(30, seed + 1)
    for there, back in zip(paired(one, other), paired(other, one), strict=True):
        assert there.value == pytest.approx(-(back.value or 0))
        assert (there.low, there.high) == (pytest.approx(-(back.high or 0)), pytest.approx(-(back.low or 0)))


def test_only_inputs_that_both_answered_count_and_too_few_say_so() -> None:
    own, other = (times(40), np.arange(40)), (times(40, 2), np.arange(25, 65))
    [found] = latency.paired_differences(own, other, [0.5], chance=np.random.default_rng(0))
    assert (found.value, found.n) == (None, 15)
    assert found.why == "15 inputs answered by both: a paired difference needs at least 20"
    [enough] = latency.paired_differences(own, (other[0], np.arange(10, 50)), [0.5], chance=np.random.default_rng(0))
    assert enough.n == 30
    assert enough.value == pytest.approx(np.median(own[0][10:]) - np.median(other[0][:30]))


def test_a_difference_that_is_none_is_called_one_about_one_time_in_twenty() -> None:
    chance = np.random.default_rng(11)
    missed = {0.5: 0, 0.95: 0}
    for _ in range(200):
        hard = chance.normal(0, 0.5, 50)
        own, other = (np.exp(7 + hard + chance.normal(0, 0.3, 50)) for _ in range(2))
        for q, found in zip(missed, paired(own, other), strict=True):
            missed[q] += not (found.low or 0) <= 0 <= (found.high or 0)
    assert max(missed.values()) <= 20
