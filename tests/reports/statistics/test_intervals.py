"""Limits: what widens them, what must not narrow them, and where there are none."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.statistics import bootstrap, intervals, scores
from reports.statistics.interval import Interval, without_limits


@st.composite
def studies(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """y, input and rater of up to 8 inputs x 6 raters, with holes."""
    inputs, raters = draw(st.integers(2, 8)), draw(st.integers(4, 6))
    grid = draw(st.lists(st.sampled_from([None, 0.0, 0.5, 1.0]), min_size=inputs * raters, max_size=inputs * raters))
    votes = [(y, place // raters, place % raters) for place, y in enumerate(grid) if y is not None]
    columns = np.array(votes, dtype=float).reshape(-1, 3)
    return columns[:, 0], columns[:, 1].astype(np.int64), columns[:, 2].astype(np.int64)


def same(one: Interval, other: Interval) -> bool:
    numbers = [(one.value, other.value), (one.low, other.low), (one.high, other.high)]
    return all((a is None) == (b is None) and (a is None or abs(a - b) < 1e-9) for a, b in numbers)


def a_study(inputs: int = 12, raters: int = 5, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    item, rater = np.repeat(np.arange(inputs), raters), np.tile(np.arange(raters), inputs)
    return np.random.default_rng(seed).choice([0, 0.5, 1], inputs * raters), item, rater


@settings(max_examples=80, deadline=None)
@given(studies())
def test_duplicating_every_vote_does_not_shrink_the_population_interval(study: tuple[np.ndarray, ...]) -> None:
    once = intervals.population(*study)
    twice = intervals.population(*(np.concatenate([column, column]) for column in study))
    assert same(once, twice)
    assert once.n == twice.n


@settings(max_examples=80, deadline=None)
@given(studies())
def test_duplicating_every_vote_does_not_shrink_the_panel_interval(study: tuple[np.ndarray, ...]) -> None:
    y, item, _ = study
    assert same(intervals.panel(y, item), intervals.panel(np.tile(y, 3), np.tile(item, 3)))


@settings(max_examples=80, deadline=None)
@given(studies(), st.randoms(use_true_random=False))
def test_the_numbering_and_the_order_of_inputs_raters_and_votes_do_not_matter(
    study: tuple[np.ndarray, ...], dice: "np.random.RandomState"
) -> None:
    y, item, rater = study
    order = np.array(dice.sample(range(y.size), y.size), dtype=np.int64)
    inputs, raters = np.array(dice.sample(range(100), 8)), np.array(dice.sample(range(100), 6))
    shuffled = y[order], inputs[item[order]], raters[rater[order]]
    assert same(intervals.population(y, item, rater), intervals.population(*shuffled))
    assert same(intervals.panel(y, item), intervals.panel(*shuffled[:2]))


@settings(max_examples=80, deadline=None)
@given(studies())
def test_seen_from_the_baseline_the_interval_is_mirrored(study: tuple[np.ndarray, ...]) -> None:
    y, item, rater = study
    there, back = intervals.population(y, item, rater), intervals.population(1 - y, item, rater)
    if there.low is None or back.high is None or there.value is None or back.value is None:
        assert back.low is None
        return
    assert there.value == pytest.approx(1 - back.value)
    assert there.low == pytest.approx(1 - back.high)


@settings(max_examples=80, deadline=None)
@given(studies())
def test_votes_and_their_mirror_images_together_score_one_half(study: tuple[np.ndarray, ...]) -> None:
    y, item, rater = study
    both = intervals.population(np.concatenate([y, 1 - y]), np.tile(item, 2), np.tile(rater, 2))
    if y.size:
        assert both.value == pytest.approx(0.5)
    if both.low is not None and both.high is not None:
        assert both.low + both.high == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(studies())
def test_limits_always_hold_the_value(study: tuple[np.ndarray, ...]) -> None:
    for found in (intervals.population(*study), intervals.panel(*study[:2])):
        if found.value is not None and found.low is not None and found.high is not None:
            assert found.low <= found.value + 1e-12
            assert found.high >= found.value - 1e-12
        else:
            assert found.why


def test_the_two_way_variance_is_that_of_statsmodels_on_an_unbalanced_study() -> None:
    y, item, rater = (column[:-17] for column in a_study(inputs=20, raters=6))
    keep = np.random.default_rng(5).random(y.size) < 0.7
    y, item, rater = y[keep], item[keep], rater[keep]
    weights = 1 / np.bincount(item)[item]
    fit = sm.WLS(y, np.ones(y.size), weights=weights).fit(
        cov_type="cluster", cov_kwds={"groups": np.column_stack([item, rater])}
    )
    parts = intervals.two_way(y, item, rater)
    assert parts.value == pytest.approx(fit.params[0])
    assert parts.by_input + parts.by_rater - parts.by_cell == pytest.approx(float(fit.cov_params()[0, 0]))


def test_raters_of_different_tastes_widen_the_population_interval_alone() -> None:
    _, item, rater = a_study(inputs=30, raters=6)
    alike = np.random.default_rng(1).permutation(np.repeat([0.0, 1.0], 90))
    divided = np.where(rater < 3, 1.0, 0.0)
    divided[::7] = 0.5
    alike_wide, divided_wide = (intervals.population(y, item, rater).half_width for y in (alike, divided))
    assert alike_wide is not None
    assert divided_wide is not None
    assert divided_wide > 2 * alike_wide
    assert (intervals.panel(divided, item).half_width or 1) < 0.2


@pytest.mark.parametrize("raters", [1, 2, 3])
def test_fewer_than_four_raters_speak_for_nobody_else(raters: int) -> None:
    found = intervals.population(*a_study(raters=raters))
    assert found.value is not None
    assert (found.low, found.high) == (None, None)
    assert (
        found.why
        == f"{'1 rater' if raters == 1 else f'{raters} raters'}: other raters can be spoken for from 4 raters on"
    )


def test_four_raters_are_enough() -> None:
    assert intervals.population(*a_study(raters=4)).low is not None


def test_no_votes_have_no_score_and_say_so() -> None:
    empty, none = np.zeros(0), np.zeros(0, dtype=np.int64)
    for found in (intervals.panel(empty, none), intervals.population(empty, none, none)):
        assert (found.value, found.low, found.high, found.n) == (None, None, None, 0)
        assert found.why == "there are no votes"


def test_one_input_has_a_score_but_no_limits() -> None:
    y, item, rater = a_study(inputs=1, raters=5)
    for found in (intervals.panel(y, item), intervals.population(y, item, rater)):
        assert found.value == y.mean()
        assert (found.low, found.high, found.n) == (None, None, 1)
        assert found.why == "one input does not show how inputs differ"


@pytest.mark.parametrize("worth", [0.0, 0.5, 1.0])
def test_where_nothing_varies_the_limits_are_wilsons_over_inputs_not_votes(worth: float) -> None:
    _, item, rater = a_study(inputs=10, raters=6)
    y = np.full(item.size, worth)
    expected = intervals.wilson(10 * worth, 10)
    for found in (intervals.panel(y, item), intervals.population(y, item, rater)):
        assert (found.low, found.high) == (pytest.approx(expected.low), pytest.approx(expected.high))
        assert (found.method, found.n, found.se) == ("Wilson over inputs", 10, None)


def test_a_difference_that_never_varies_has_wilsons_limits_on_its_own_range() -> None:
    found = intervals.panel(np.zeros(20), np.arange(20), support=(-1, 1))
    rate = intervals.wilson(10, 20)
    assert found.value == 0
    assert (found.low, found.high) == (
        pytest.approx(2 * (rate.low or 0) - 1),
        pytest.approx(2 * (rate.high or 0) - 1),
    )


def test_nothing_counted_has_no_rate() -> None:
    for found in (intervals.wilson(0, 0), intervals.clopper_pearson(0, 0)):
        assert (found.value, found.low, found.high, found.why) == (None, None, None, "nothing was counted")


def test_two_way_clustering_of_one_input_or_one_rater_is_refused() -> None:
    with pytest.raises(ValueError, match="two inputs and two raters"):
        intervals.two_way(*a_study(inputs=1))
    with pytest.raises(ValueError, match="two inputs and two raters"):
        intervals.two_way(*a_study(raters=1))


def test_limits_can_be_cut_to_what_is_possible_and_put_in_another_unit() -> None:
    wide = Interval(value=0.9, low=0.7, high=1.1, method="t", n=5, se=0.1, df=4)
    assert wide.within(0, 1).high == 1
    assert wide.scaled(100).low == 70
    assert wide.scaled(100).se == 10
    assert without_limits(0.5, n=1, why="x").within(0, 1).low is None
    assert without_limits(None, n=0, why="x").half_width is None


def test_the_bootstraps_agree_with_the_formulas() -> None:
    y, item, rater = a_study(inputs=60, raters=6)
    panel, population = intervals.panel(y, item), intervals.population(y, item, rater)
    by_input = bootstrap.over_inputs(y, item, chance=np.random.default_rng(1))
    both = bootstrap.over_inputs_and_raters(y, item, rater, chance=np.random.default_rng(1))
    assert by_input.low == pytest.approx(panel.low, abs=0.02)
    assert by_input.high == pytest.approx(panel.high, abs=0.02)
    assert (both.half_width or 0) > (population.half_width or 0) * 0.9


def test_the_same_seed_gives_the_same_bootstrap() -> None:
    y, item, _ = a_study()
    first, again = (bootstrap.over_inputs(y, item, chance=np.random.default_rng(8)) for _ in range(2))
    assert first == again


def test_too_little_cannot_be_resampled() -> None:
    y, item, rater = a_study(inputs=1)
    chance = np.random.default_rng(1)
    assert bootstrap.over_inputs(y, item, chance=chance).low is None
    assert bootstrap.over_inputs_and_raters(y, item, rater, chance=chance).why == "needs two inputs and two raters"
    assert bootstrap.means(np.zeros(0), np.zeros(0, dtype=np.int64), chance=chance).size == 0


def test_ten_thousand_inputs_are_resampled_whole() -> None:
    weights = np.concatenate(list(bootstrap.blocks(10_000, 60, np.random.default_rng(1))))
    assert weights.shape == (60, 10_000)
    assert set(weights.sum(axis=1)) == {10_000.0}


def test_the_population_interval_covers_as_it_says() -> None:
    """Simulated with raters who differ: 95 % within 3 standard errors of 400 studies."""
    chance, covered = np.random.default_rng(11), 0
    _, item, rater = a_study(inputs=40, raters=6)
    for _ in range(400):
        taste, ease = chance.normal(0, 0.10, 6), chance.normal(0, 0.25, 40)
        latent = 0.5 + taste[rater] + ease[item] + chance.normal(0, 0.4, item.size)
        y = np.where(latent < 1 / 3, 0.0, np.where(latent > 2 / 3, 1.0, 0.5))
        found = intervals.population(y, item, rater)
        covered += (found.low or 0) <= 0.5 <= (found.high or 1)
    assert 0.917 <= covered / 400 <= 0.99


def test_a_score_needs_no_order_of_inputs() -> None:
    y, item, _ = a_study()
    assert scores.by_input(y[::-1], item[::-1]).score == pytest.approx(scores.by_input(y, item).score)
