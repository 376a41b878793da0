"""From verdicts to scores: what a vote is worth, and what counts as one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.statistics import codes, scores, verdicts


def test_a_verdict_is_worth_one_nought_or_a_half_to_the_left() -> None:
    names = ["left", "right", "both_good", "both_bad"]
    assert verdicts.left_score(verdicts.coded(names)).tolist() == [1, 0, 0.5, 0.5]


def test_a_candidate_on_the_right_gets_what_the_left_does_not() -> None:
    on_left = np.array([True, False, True, False])
    found = verdicts.candidate_score(np.array([0, 0, 1, 3]), on_left)
    assert found.tolist() == [1, 0, 0, 0.5]


@pytest.mark.parametrize("stranger", ["tie", "Left", "", "both"])
def test_an_unknown_verdict_raises_and_is_named(stranger: str) -> None:
    with pytest.raises(verdicts.UnknownVerdict, match=f"'{stranger}'"):
        verdicts.coded(["left", stranger])


@pytest.mark.parametrize("stranger", [-1, 4, 17])
def test_an_unknown_code_raises_and_never_counts_as_a_tie(stranger: int) -> None:
    with pytest.raises(verdicts.UnknownVerdict, match=str(stranger)):
        verdicts.left_score(np.array([0, stranger, 1]))


def test_no_votes_are_no_error() -> None:
    assert verdicts.left_score(verdicts.coded([])).size == 0
    empty = np.zeros(0)
    counted = scores.tally(empty, empty.astype(bool))
    assert (counted.votes, counted.vote_score, counted.net, counted.decisive_win_rate) == (0, None, None, None)
    assert scores.by_input(empty, empty.astype(int)).score is None
    assert scores.score_without_both_bad(empty, empty.astype(int), empty.astype(bool)) is None
    assert scores.share_of_inputs_both_bad(empty.astype(int), empty.astype(bool)) is None


def test_a_score_that_is_no_vote_is_refused() -> None:
    with pytest.raises(ValueError, match="0, ½ or 1"):
        scores.tally(np.array([0.25]), np.array([False]))
    with pytest.raises(ValueError, match="both bad"):
        scores.tally(np.array([1.0]), np.array([True]))


def test_every_input_weighs_the_same_however_many_votes_it_has() -> None:
    y, item = np.array([1.0, 1.0, 1.0, 0.0]), np.array([4, 4, 4, 9])
    found = scores.by_input(y, item)
    assert found.score == 0.5
    assert (found.input.tolist(), found.votes.tolist()) == ([4, 9], [3, 1])


def test_both_bad_is_counted_apart_and_can_be_left_out() -> None:
    y, item = np.array([1.0, 0.5, 0.5, 0.5, 0.0]), np.array([0, 0, 1, 1, 1])
    bad = np.array([False, True, True, True, False])
    assert scores.tally(y, bad).both_bad == 3
    assert scores.score_without_both_bad(y, item, bad) == 0.5
    assert scores.share_of_inputs_both_bad(item, bad) == 0.5


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 3_000_000), max_size=40))
def test_renumbering_keeps_the_order_and_the_groups(numbers: list[int]) -> None:
    given_codes = np.array(numbers, dtype=np.int64)
    found = codes.renumbered(given_codes)
    assert found.original[found.code].tolist() == numbers
    assert found.original.tolist() == sorted(set(numbers))
    assert found.count == len(set(numbers))
