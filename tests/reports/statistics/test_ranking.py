"""Several arms in order: Bradley-Terry and its kin, against evalica, relabelled, and where wins do not connect."""

import evalica
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.statistics import bradley_terry, ranking, ties

Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def votes(arms: int, count: int, inputs: int, seed: int = 2) -> Columns:
    chance = np.random.default_rng(seed)
    left = chance.integers(0, arms, count)
    right = (left + chance.integers(1, arms, count)) % arms
    p = 1 / (1 + np.exp(0.5 * (left - right)))
    score = np.where(chance.random(count) < 0.3, 0.5, (chance.random(count) < p).astype(float))
    return chance.integers(0, inputs, count), left, right, score


def wins_of(columns: Columns, arms: int) -> np.ndarray:
    return bradley_terry.win_matrices(*columns, arms=arms)


def rank(wins: np.ndarray, **more: int) -> ranking.Ranking:
    return ranking.rank(wins, chance=np.random.default_rng(7), **more)


@st.composite
def connected_wins(draw: st.DrawFn) -> np.ndarray:
    """Win matrices of 2 to 6 arms that are strongly connected, as a ring of wins runs through all."""
    arms = draw(st.integers(2, 6))
    flat = draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0, 20.0]), min_size=arms**2, max_size=arms**2))
    wins = np.array(flat).reshape(arms, arms) * (1 - np.eye(arms))
    wins[np.arange(arms), (np.arange(arms) + 1) % arms] += 0.5
    return wins


@settings(max_examples=80, deadline=None)
@given(connected_wins())
def test_strengths_solve_the_equations_of_likelihood(wins: np.ndarray) -> None:
    theta = bradley_terry.fit(wins)
    expected = ((wins + wins.T) * bradley_terry.win_chances(theta)).sum(axis=1)
    assert expected == pytest.approx(wins.sum(axis=1), abs=1e-6)
    assert theta.sum() == pytest.approx(0, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(connected_wins(), st.randoms(use_true_random=False))
def test_relabelling_the_arms_permutes_the_strengths(wins: np.ndarray, dice: "np.random.RandomState") -> None:
    order = np.array(dice.sample(range(wins.shape[0]), wins.shape[0]))
    assert bradley_terry.fit(wins[np.ix_(order, order)]) == pytest.approx(bradley_terry.fit(wins)[order], abs=1e-7)


@settings(max_examples=40, deadline=None)
@given(connected_wins())
def test_turning_every_vote_round_turns_the_strengths_round(wins: np.ndarray) -> None:
    assert bradley_terry.fit(wins.T) == pytest.approx(-bradley_terry.fit(wins), abs=1e-7)


def test_as_many_wins_as_losses_make_all_equal() -> None:
    assert bradley_terry.fit(np.ones((5, 5)) - np.eye(5)) == pytest.approx(np.zeros(5), abs=1e-12)


def test_swapping_all_sides_changes_nothing() -> None:
    item, left, right, score = votes(4, 300, 20)
    there, back = wins_of((item, left, right, score), 4), wins_of((item, right, left, 1 - score), 4)
    assert np.allclose(there, back)
    assert rank(there, baseline=1) == rank(back, baseline=1)


def test_strengths_are_those_of_evalica() -> None:
    columns = votes(6, 800, 10)
    _, left, right, score = columns
    winner = {1.0: evalica.Winner.X, 0.0: evalica.Winner.Y, 0.5: evalica.Winner.Draw}
    found = evalica.bradley_terry(
        left.tolist(), right.tolist(), [winner[value] for value in score], tolerance=1e-12, limit=10_000
    )
    logs = np.log(found.scores.loc[list(range(6))].to_numpy())
    assert bradley_terry.fit(wins_of(columns, 6).sum(axis=0)) == pytest.approx(logs - logs.mean(), abs=1e-6)


def test_many_fits_at_once_are_the_same_fits() -> None:
    wins = wins_of(votes(5, 4000, 10), 5)
    assert bradley_terry.fit(wins) == pytest.approx(np.stack([bradley_terry.fit(each) for each in wins]))


def test_a_ranking_tells_strength_points_chance_and_rank_against_the_baseline() -> None:
    found = rank(wins_of(votes(4, 2000, 40), 4), baseline=2)
    assert [standing.arm for standing in found.standings] == [0, 1, 2, 3]
    assert [standing.rank for standing in found.standings] == [1, 2, 3, 4]
    best, base = found.standings[0], found.standings[2]
    assert (base.theta.value, base.theta.low, base.theta.high) == (0, 0, 0)
    assert best.elo.value == pytest.approx((best.theta.value or 0) * 173.7177927613)
    assert best.beats_baseline is not None
    assert 0.5 < (best.beats_baseline.low or 0) < (best.beats_baseline.value or 0) < (best.beats_baseline.high or 0) < 1
    assert best.rank_low == 1
    assert all((s.rank_low or 9) <= s.rank <= (s.rank_high or 0) for s in found.standings)
    assert (found.resamples, found.regularised, found.note) == (2000, False, None)


def test_duplicated_votes_do_not_narrow_a_ranking() -> None:
    once = wins_of(votes(3, 300, 25), 3)
    assert rank(2 * once, baseline=0).standings[0].theta.low == pytest.approx(
        rank(once, baseline=0).standings[0].theta.low
    )


def test_an_arm_that_only_wins_is_made_finite_and_it_is_said() -> None:
    wins = np.zeros((6, 3, 3))
    wins[:, 0, 1] = wins[:, 0, 2] = wins[:, 1, 2] = wins[:, 2, 1] = 1
    assert not bradley_terry.strongly_connected(wins.sum(axis=0))
    found = rank(wins, baseline=1)
    assert found.regularised
    assert found.note is not None
    assert "half a vote was added" in found.note
    assert found.standings[0].arm == 0
    assert max(abs(limit or 0) for each in found.standings for limit in (each.theta.low, each.theta.high)) < 10


def test_arms_that_never_met_are_made_finite_and_it_is_said() -> None:
    wins = np.zeros((4, 4, 4))
    wins[:, 0, 1] = wins[:, 1, 0] = wins[:, 2, 3] = wins[:, 3, 2] = 1
    found = rank(wins)
    assert found.regularised
    assert [standing.theta.value for standing in found.standings] == pytest.approx([0, 0, 0, 0], abs=1e-9)


def test_a_long_ring_of_wins_connects_and_a_chain_does_not() -> None:
    ring = np.roll(np.eye(9), 1, axis=1)
    chain = ring.copy()
    chain[8] = 0
    assert bradley_terry.strongly_connected(np.stack([ring, chain])).tolist() == [True, False]


def test_half_a_vote_for_a_pair_is_a_quarter_of_a_win_for_each() -> None:
    assert bradley_terry.regularised(np.array([[0.0, 3], [0, 0]])).tolist() == [[0, 3.25], [0.25, 0]]


def test_a_resample_that_comes_apart_is_counted() -> None:
    wins = np.zeros((8, 2, 2))
    wins[:7, 0, 1], wins[7, 1, 0] = 1, 1
    found = rank(wins)
    assert not found.regularised
    assert found.regularised_resamples / found.resamples == pytest.approx((7 / 8) ** 8, abs=0.04)
    assert found.note is not None
    assert str(found.regularised_resamples) in found.note


def test_one_input_and_no_input_have_no_limits() -> None:
    one = rank(wins_of(votes(3, 200, 1), 3))
    assert one.standings[0].theta.low is None
    assert one.standings[0].rank_low is None
    assert one.standings[0].theta.why == "one input cannot be resampled"
    none = rank(np.zeros((0, 3, 3)))
    assert none.regularised
    assert none.standings[0].theta.why == "there are no votes"


def test_fifty_nine_arms_are_ranked() -> None:
    assert rank(wins_of(votes(59, 9000, 13), 59)).resamples == 400  # about half a second on an idle machine


def test_tie_models_predict_as_many_ties_as_there_are() -> None:
    wins = np.array([[0, 20, 25], [12, 0, 18], [9, 14, 0]], dtype=float)
    tied = np.array([[0, 11, 8], [11, 0, 9], [8, 9, 0]], dtype=float)
    found = ties.davidson(wins, tied)
    a = np.exp(found.theta)
    both = found.tie * np.sqrt(np.outer(a, a))
    share = both / (a[:, None] + a + both)
    games = wins + wins.T + tied
    assert np.triu(games * share, 1).sum() == pytest.approx(np.triu(tied, 1).sum())
    other = ties.rao_kupper(wins, tied)
    assert np.argsort(other.theta).tolist() == np.argsort(found.theta).tolist()


def test_tie_models_without_ties_are_refused() -> None:
    wins = np.array([[0.0, 2], [1, 0]])
    for model in (ties.davidson, ties.rao_kupper):
        with pytest.raises(ValueError, match="no ties"):
            model(wins, np.zeros((2, 2)))


def test_few_and_many_ties_are_both_fitted() -> None:
    wins = np.array([[0.0, 300, 200], [250, 0, 280], [240, 230, 0]])
    few, many = (np.full((3, 3), count) * (1 - np.eye(3)) for count in (1.0, 5000.0))
    assert ties.rao_kupper(wins, few).tie < 1.02
    assert ties.davidson(wins, few).tie < 0.01
    assert ties.rao_kupper(wins, many).tie > 10
    assert ties.davidson(wins, many).tie > 10
