"""Throughput: which load counts, within which p95, and when it is only a lower bound."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.statistics.throughput import Level, sustained

OWN = Level(concurrency=2, throughput=1.5, p95=1200)
RUN = [
    Level(concurrency=1, throughput=1.0, p95=900),
    Level(concurrency=4, throughput=3.6, p95=1100),
    Level(concurrency=16, throughput=9.0, p95=2600),
    Level(concurrency=32, throughput=9.2, p95=6400),
]


def test_the_highest_load_within_the_wanted_p95_counts() -> None:
    found = sustained(RUN, own=OWN, p95_target=2000)
    assert found.level == RUN[1]
    assert (found.loaded, found.lower_bound) == (True, False)


def test_without_a_target_the_best_load_counts_however_slow() -> None:
    assert sustained(RUN, own=OWN).level == RUN[3]


def test_a_load_with_failed_requests_does_not_count() -> None:
    failing = [*RUN[:3], Level(concurrency=32, throughput=20.0, failed=3, p95=1000)]
    assert sustained(failing, own=OWN).level == RUN[2]


def test_the_last_of_several_runs_at_one_concurrency_counts() -> None:
    again = Level(concurrency=32, throughput=7.0, p95=7000)
    assert sustained([*RUN, again], own=OWN).level == RUN[2]


def test_a_target_that_no_load_meets_leaves_no_throughput_and_says_so() -> None:
    found = sustained(RUN, own=OWN, p95_target=500)
    assert (found.level, found.throughput) == (None, None)
    assert found.why == "no measured load keeps p95 within the wanted one"


def test_without_a_load_run_the_study_itself_is_a_lower_bound() -> None:
    found = sustained([], own=OWN)
    assert (found.level, found.loaded, found.lower_bound) == (OWN, False, True)
    assert sustained([], own=OWN, p95_target=1000).level is None
    assert sustained([], own=None).why == "no throughput was measured: nothing was timed"


@pytest.mark.parametrize(
    ("run", "bound"),
    [
        (RUN, False),
        (RUN[:3], True),
        (RUN[:1], True),
        ([RUN[0], Level(concurrency=4, throughput=1.05, p95=3000)], False),
    ],
)
def test_a_load_run_that_still_rises_at_its_end_is_a_lower_bound(run: list[Level], bound: bool) -> None:
    assert sustained(run, own=None).lower_bound is bound


levels = st.builds(
    Level,
    concurrency=st.integers(1, 64),
    throughput=st.floats(0, 100),
    failed=st.integers(0, 1),
    p95=st.none() | st.floats(1, 10_000),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(levels, max_size=8), st.none() | st.floats(1, 10_000), st.floats(1, 2))
def test_a_looser_target_never_lowers_what_is_sustained(run: list[Level], target: float | None, looser: float) -> None:
    strict = sustained(run, own=OWN, p95_target=target)
    loose = sustained(run, own=OWN, p95_target=None if target is None else target * looser)
    assert (loose.throughput or 0) >= (strict.throughput or 0)
    if strict.level and strict.loaded:
        assert strict.level in run
        assert strict.level.failed == 0
        assert target is None or (strict.level.p95 or 0) <= target
