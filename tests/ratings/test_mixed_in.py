"""What the desk mixes in among the pairs to be rated: controls, repeats, and the question for a guess."""

import pytest

from experiments.models import Output, OutputState
from ratings import desk
from ratings.blind import BlindGuess, BlindPair
from ratings.catalogue import _read
from ratings.desk import Pause
from ratings.models import Assignment, AssignmentKind, Guess, Judgment
from tests.factories import a_rater
from tests.ratings.driving import START, a_desk, judge, minute, rate_through, shown

pytestmark = pytest.mark.django_db


def test_controls_and_repeats_are_mixed_in_by_their_shares() -> None:
    rater = a_desk(inputs=40, ratings_per_pair=1, control_share=0.15, repeat_share=0.1)
    first = shown(rater)
    assert first.total == 40 + 6 + 4
    assert rate_through(rater) == 50
    kinds = list(Assignment.objects.order_by("position").values_list("kind", flat=True))
    assert (kinds.count("rating"), kinds.count("control"), kinds.count("repeat")) == (40, 6, 4)
    assert kinds[-10:] != ["control"] * 6 + ["repeat"] * 4


def test_a_judged_pair_that_may_not_be_shown_any_more_does_not_come_again() -> None:
    """An import can bring a judgment on one whose output was flagged and never released."""
    rater = a_desk(inputs=20, repeat_share=0.5)
    assert rate_through(rater, most=9) == 9  # before the first pair may come again
    flagged = set(Assignment.objects.filter(position__lte=6).values_list("left", "comparison"))
    Output.objects.filter(pk__in=[output for output, _ in flagged]).update(state=OutputState.FLAGGED)
    _read.cache_clear()
    rate_through(rater)
    repeated = set(Assignment.objects.filter(kind=AssignmentKind.REPEAT).values_list("comparison", flat=True))
    assert repeated
    assert not repeated & {comparison for _, comparison in flagged}


def test_a_repeat_comes_at_least_ten_later_with_its_sides_swapped() -> None:
    rater = a_desk(inputs=20, repeat_share=0.5)
    rate_through(rater)
    repeats = Assignment.objects.filter(kind=AssignmentKind.REPEAT).select_related("repeat_of")
    assert len(repeats) == 10
    for repeat in repeats:
        assert repeat.position - repeat.repeat_of.position >= 10
        assert (repeat.left_id, repeat.right_id) == (repeat.repeat_of.right_id, repeat.repeat_of.left_id)


def test_the_right_side_of_the_controls_is_balanced() -> None:
    rater = a_desk(inputs=40, control_share=0.2)
    rate_through(rater)
    controls = Assignment.objects.filter(kind=AssignmentKind.CONTROL).select_related("comparison")
    assert sum(one.left_id == one.comparison.expected_id for one in controls) == 4


def test_the_last_three_pairs_are_guessed_at() -> None:
    rater = a_desk(inputs=6, ask_guess=True)
    guessed = []
    found = desk.next_pair(rater=rater, now=START)
    while not isinstance(found, Pause):
        if isinstance(found, BlindGuess):
            assert desk.next_pair(rater=rater, now=START) == found
            guessed.append(found.number)
            found = desk.guess(rater=rater, token=found.token, side="unsure", now=START)
        else:
            found = judge(rater, found)
    assert guessed == [4, 5, 6]
    assert Guess.objects.count() == 3


def test_nobody_guesses_more_than_three_times_although_a_pair_comes_back() -> None:
    rater = a_desk(inputs=5, ask_guess=True, ratings_per_pair=1)
    shown(a_rater(rater.experiment, "Rater 2"))
    asked = 0
    for now in (START, minute(31)):  # the other rater's pair comes back after half an hour
        found = desk.next_pair(rater=rater, now=now)
        while not isinstance(found, Pause):
            if isinstance(found, BlindGuess):
                asked += 1
                found = desk.guess(rater=rater, token=found.token, side="left", now=now)
            else:
                found = judge(rater, found, now=now)
    assert Judgment.objects.count() == 5
    assert asked == 3


def test_without_a_baseline_nobody_is_asked_to_guess() -> None:
    rater = a_desk(inputs=2, ask_guess=True, baseline=False, pairs="all")
    assert isinstance(judge(rater, shown(rater)), BlindPair)


def test_every_pair_is_guessed_at_whichever_systems_it_holds() -> None:
    """A question that only pairs with the system in use today get would tell which these are."""
    rater = a_desk(inputs=1, arms=3, ask_guess=True, pairs="all")
    guessed, found = [], desk.next_pair(rater=rater, now=START)
    while not isinstance(found, Pause):
        if isinstance(found, BlindGuess):
            guessed.append(found.number)
            found = desk.guess(rater=rater, token=found.token, side="left", now=START)
        else:
            found = judge(rater, found)
    assert guessed == [1, 2, 3]


def test_a_guess_that_nobody_asked_for_is_not_saved() -> None:
    rater = a_desk(inputs=6, ask_guess=True)
    rate_through(rater)
    for turn in Assignment.objects.filter(rater=rater):
        desk.guess(rater=rater, token=turn.token, side="left", now=START)
    assert Guess.objects.count() == 3


def test_only_the_first_guess_counts() -> None:
    rater = a_desk(inputs=1, ask_guess=True)
    found = judge(rater, shown(rater))
    assert isinstance(found, BlindGuess)
    desk.guess(rater=rater, token=found.token, side="left", now=START)
    desk.guess(rater=rater, token=found.token, side="right", now=START)
    assert Guess.objects.get().side == "left"
