"""Agreement: what it depends on, what it must not depend on, and where it is not defined."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa

from reports.statistics import agreement


@st.composite
def judged(draw: st.DrawFn) -> tuple[np.ndarray, ...]:
    """input, left, right, left score, rater of up to 60 votes on 3 arms."""
    size = draw(st.integers(2, 60))
    chance = np.random.default_rng(draw(st.integers(0, 10**6)))
    left = chance.integers(0, 3, size)
    return (
        chance.integers(0, 6, size),
        left,
        (left + chance.integers(1, 3, size)) % 3,
        chance.choice([0, 0.5, 1], size),
    )


def of_arms(votes: tuple[np.ndarray, ...], baseline: int | None = None) -> agreement.Agreement:
    unit, value = agreement.of_pairs(*votes, baseline=baseline)
    return agreement.summary(unit, value, votes[0], chance=np.random.default_rng(3), resamples=50)


@settings(max_examples=60, deadline=None)
@given(judged(), st.sampled_from([None, 0, 2]))
def test_swapping_all_sides_changes_no_agreement(votes: tuple[np.ndarray, ...], baseline: int | None) -> None:
    item, left, right, score = votes
    there, back = of_arms(votes, baseline), of_arms((item, right, left, 1 - score), baseline)
    assert there.raw == back.raw
    assert there.alpha_nominal.value == pytest.approx(back.alpha_nominal.value)
    assert there.alpha_interval.value == pytest.approx(back.alpha_interval.value)


@settings(max_examples=60, deadline=None)
@given(judged(), st.permutations([0, 1, 2]))
def test_relabelling_the_arms_changes_no_agreement(votes: tuple[np.ndarray, ...], order: list[int]) -> None:
    item, left, right, score = votes
    names = np.array(order)
    there, back = of_arms(votes, 1), of_arms((item, names[left], names[right], score), int(names[1]))
    assert there.raw == pytest.approx(back.raw)
    assert there.alpha_nominal.value == pytest.approx(back.alpha_nominal.value)


@settings(max_examples=60, deadline=None)
@given(judged())
def test_agreement_is_never_above_one(votes: tuple[np.ndarray, ...]) -> None:
    found = of_arms(votes)
    for value in (found.alpha_nominal.value, found.alpha_interval.value, found.ac1, found.raw):
        assert value is None or value <= 1 + 1e-12


def test_a_vote_is_read_from_the_candidates_side_whoever_stands_left() -> None:
    item, left, right = np.zeros(3, dtype=int), np.array([0, 1, 2]), np.array([1, 0, 0])
    unit, value = agreement.of_pairs(item, left, right, np.array([1.0, 1.0, 0.0]), baseline=0)
    assert unit.tolist() == [0, 0, 1]
    assert value.tolist() == [0, 1, 0]


def test_without_a_baseline_a_pair_is_read_from_the_side_of_its_first_vote() -> None:
    item, left, right = np.zeros(4, dtype=int), np.array([2, 0, 0, 1]), np.array([1, 1, 1, 2])
    unit, value = agreement.of_pairs(item, left, right, np.array([1.0, 0.5, 0.0, 1.0]))
    assert unit.tolist() == [1, 0, 0, 1]
    assert value.tolist() == [1, 0.5, 0, 0]


def test_all_the_same_votes_are_not_computable_rather_than_perfect() -> None:
    item = np.repeat(np.arange(5), 3)
    found = agreement.summary(item, np.ones(15), item, chance=np.random.default_rng(0))
    assert (found.alpha_nominal.value, found.ac1, found.raw) == (None, None, 1)
    assert found.alpha_nominal.why == agreement.NO_VARIATION
    assert agreement.fleiss(agreement.tabulated(item, np.ones(15))) is None
    assert agreement.cohen(np.ones(4), np.ones(4)) is None


def test_pairs_that_were_rated_once_show_nothing() -> None:
    item = np.arange(4)
    found = agreement.summary(item, np.array([0, 1, 0.5, 1]), item, chance=np.random.default_rng(0))
    assert (found.alpha_nominal.value, found.raw, found.ac1, found.rated_twice) == (None, None, None, 0)
    assert found.alpha_nominal.why == agreement.NOT_TWICE


def test_no_votes_are_no_error() -> None:
    none, empty = np.zeros(0, dtype=np.int64), np.zeros(0)
    unit, value = agreement.of_pairs(none, none, none, empty)
    found = agreement.summary(unit, value, none, chance=np.random.default_rng(0))
    assert (found.alpha_nominal.value, found.rated_twice) == (None, 0)
    assert agreement.cohen(empty, empty) is None


def test_one_input_has_an_alpha_without_limits() -> None:
    found = agreement.summary(
        np.array([0, 0, 1, 1]), np.array([1, 0, 1, 1.0]), np.zeros(4, dtype=int), chance=np.random.default_rng(0)
    )
    assert found.alpha_nominal.value is not None
    assert found.alpha_nominal.low is None


def test_kappas_are_those_of_statsmodels() -> None:
    chance = np.random.default_rng(6)
    counts = chance.multinomial(5, [0.5, 0.3, 0.2], size=20).astype(float)
    ratings = agreement.Ratings(counts=counts, values=np.array([0, 0.5, 1]))
    assert agreement.fleiss(ratings) == pytest.approx(fleiss_kappa(counts))
    first, second = chance.integers(0, 3, 80), chance.integers(0, 3, 80)
    table = np.zeros((3, 3))
    np.add.at(table, (first, second), 1)
    assert agreement.cohen(first / 2, second / 2) == pytest.approx(cohens_kappa(table).kappa)
    weighted = cohens_kappa(table, wt="quadratic").kappa
    assert agreement.cohen(first / 2, second / 2, quadratic=True) == pytest.approx(weighted)


def test_an_unknown_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="'ratio'"):
        agreement.krippendorff(agreement.tabulated(np.array([0, 0]), np.array([0.0, 1.0])), "ratio")
