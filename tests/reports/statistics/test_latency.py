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
    assert found.why == "no upper limit from 50 runs: the 95% quantile needs 72"


def test_seventy_two_runs_have_one() -> None:
    assert latency.from_single_runs(times(71), 0.95).high is None
    assert latency.from_single_runs(times(72), 0.95).high == times(72).max()


@pytest.mark.parametrize("n", [1, 5])
def test_very_few_runs_have_no_limit_that_they_cannot_have(n: int) -> None:
    median = latency.from_single_runs(times(n), 0.5)
    assert (median.low, median.high) == (None, None)
    assert median.why is not None
    assert latency.from_single_runs(times(1), 0.95).why == "no upper limit from 1 run: the 95% quantile needs 72"


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
