"""What the desk promises a rater: the same pair until it is answered, every answer once, and a way back."""

from dataclasses import replace

import pytest

from experiments.models import Criterion, Experiment, Output, Status
from ratings import desk
from ratings.blind import BlindPair
from ratings.desk import Pause, RatingEnded
from ratings.models import (
    Assignment,
    CriterionVerdict,
    Judgment,
    Rater,
)
from ratings.serving import LEASE
from ratings.standing import standing_of, turns_of
from tests.factories import a_rater
from tests.ratings.driving import START, a_desk, an_open_experiment, judge, minute, rate_through, shown

pytestmark = pytest.mark.django_db


def current() -> Judgment:
    return Judgment.objects.current().get()


# --- reloads and leases


def test_a_reload_shows_the_same_pair_again_on_the_same_sides() -> None:
    rater = a_desk(inputs=5)
    first, again = shown(rater), shown(rater, minute(20))
    assert (first.token, first.left_text, first.right_text) == (again.token, again.left_text, again.right_text)
    assert Assignment.objects.count() == 1


def test_a_reload_renews_the_lease() -> None:
    rater = a_desk()
    shown(rater)
    shown(rater, minute(20))
    assert Assignment.objects.get().lease_until == minute(20) + LEASE


def test_an_absent_rater_blocks_nobody() -> None:
    first = a_desk(inputs=1, ratings_per_pair=1)
    other = a_rater(first.experiment, "Rater 2")
    shown(first)
    assert desk.next_pair(rater=other, now=minute(29)) == Pause(done=0, waiting=True)
    assert isinstance(desk.next_pair(rater=other, now=minute(31)), BlindPair)


def test_a_late_answer_counts_while_its_place_is_free() -> None:
    rater = a_desk(inputs=1, ratings_per_pair=1)
    judge(rater, shown(rater), now=minute(90))
    assert Judgment.objects.count() == 1


def test_an_answer_under_the_key_of_another_one_is_not_saved_and_the_next_pair_is_shown_once() -> None:
    rater = a_desk(inputs=3)
    other = a_rater(rater.experiment, "Rater 2")
    taken = shown(other)
    judge(other, taken)
    pair = shown(rater)
    after = judge(rater, replace(pair, key=taken.key))
    assert isinstance(after, BlindPair)
    assert after.token == pair.token, "the very pair waits for an answer of its own"
    assert Judgment.objects.filter(assignment__rater=rater).count() == 0
    assert Assignment.objects.filter(rater=rater).count() == 1
    judge(rater, after)
    assert Judgment.objects.filter(assignment__rater=rater).count() == 1


def test_a_late_answer_is_not_saved_once_the_place_is_taken() -> None:
    first = a_desk(inputs=2, ratings_per_pair=1)
    other = a_rater(first.experiment, "Rater 2")
    pair = shown(first)
    rate_through(other, now=minute(31))
    assert judge(first, pair, now=minute(32)) == Pause(done=0, waiting=False)
    assert Judgment.objects.filter(assignment__rater=first).count() == 0
    assert Judgment.objects.filter(assignment__rater=other).count() == 2


def test_a_pair_left_lying_goes_to_others_and_its_rater_gets_another() -> None:
    first = a_desk(inputs=2, ratings_per_pair=1)
    other = a_rater(first.experiment, "Rater 2")
    pair = shown(first)
    taken = shown(other, minute(31))
    while taken.token and Assignment.objects.get(token=taken.token).comparison_id != (
        Assignment.objects.get(token=pair.token).comparison_id
    ):
        following = judge(other, taken, now=minute(31))
        assert isinstance(following, BlindPair)
        taken = following
    assert desk.next_pair(rater=first, now=minute(32)) != pair
    assert not Assignment.objects.filter(token=pair.token).exists()


def test_no_pair_gets_more_judgments_than_wanted() -> None:
    experiment = an_open_experiment(inputs=4, ratings_per_pair=2)
    for number in range(5):
        rate_through(a_rater(experiment, f"Rater {number}"))
    assert Judgment.objects.current().count() == 8


def test_answers_of_somebody_who_could_see_the_key_take_no_place() -> None:
    owner = a_desk(inputs=2, ratings_per_pair=1)
    judge(owner, shown(owner), unblinded=True)
    assert rate_through(a_rater(owner.experiment, "Rater 2"), now=minute(31)) == 2
    assert Judgment.objects.filter(unblinded=True).count() == 1


def test_outputs_that_are_held_back_are_never_served() -> None:
    rater = a_desk(inputs=2)
    held = Output.objects.filter(input__position=1).earliest("pk")
    held.state, held.reason = "withheld", "cut off"
    held.save()
    assert rate_through(rater) == 1


# --- every answer once


def test_a_retried_request_changes_nothing() -> None:
    rater = a_desk()
    pair = shown(rater)
    judge(rater, pair, "left")
    judge(rater, pair, "right")
    assert current().verdict == "left"
    assert Judgment.objects.count() == 1


def test_a_second_tab_changes_the_answer_by_a_new_row() -> None:
    rater = a_desk()
    one, other = shown(rater), shown(rater)
    judge(rater, one, "left")
    judge(rater, other, "both_bad")
    assert current().verdict == "both_bad"
    assert current().supersedes.verdict == "left"


def test_a_handle_of_another_rater_judges_nothing() -> None:
    rater = a_desk()
    stranger = a_rater(rater.experiment, "Rater 2")
    judge(stranger, shown(rater))
    assert not Judgment.objects.exists()


def test_nothing_is_saved_after_the_closing() -> None:
    rater = a_desk()
    pair = shown(rater)
    Experiment.objects.update(status=Status.CLOSED, closed_at=START)
    with pytest.raises(RatingEnded):
        judge(rater, pair)
    assert not Judgment.objects.exists()


def test_nothing_is_saved_for_a_withdrawn_rater() -> None:
    rater = a_desk()
    pair = shown(rater)
    Rater.objects.update(revoked_at=START)
    with pytest.raises(RatingEnded):
        judge(rater, pair)


def test_time_is_taken_from_the_first_view_and_cut_when_idle() -> None:
    rater = a_desk(inputs=2)
    judge(rater, shown(rater, minute(0)), now=minute(1.5))
    judge(rater, shown(rater, minute(2)), now=minute(20))
    assert list(Judgment.objects.order_by("pk").values_list("seconds", flat=True)) == [90.0, 300.0]


def test_what_was_seen_is_stored_with_the_answer() -> None:
    rater = a_desk()
    judge(rater, shown(rater), layout="stacked", differences_used=True, comment="Clear.")
    judgment = current()
    assert (judgment.layout, judgment.differences_used, judgment.comment) == ("stacked", True, "Clear.")


# --- what is asked beside the verdict


@pytest.mark.parametrize(("verdict", "expected"), [("both_good", True), ("both_bad", False)])
def test_a_tie_answers_good_enough_by_itself(verdict: str, expected: bool) -> None:
    rater = a_desk(ask_acceptable=True)
    judge(rater, shown(rater), verdict)
    assert (current().left_acceptable, current().right_acceptable) == (expected, expected)


def test_good_enough_is_said_for_each_side() -> None:
    rater = a_desk(ask_acceptable=True)
    judge(rater, shown(rater), "left", left_acceptable=True, right_acceptable=False)
    assert (current().left_acceptable, current().right_acceptable) == (True, False)


def test_what_was_not_asked_is_not_stored() -> None:
    rater = a_desk()
    judge(rater, shown(rater), "both_good", strength="clearly")
    assert (current().left_acceptable, current().strength) == (None, None)


def test_only_a_preference_has_a_strength() -> None:
    rater = a_desk(ask_strength=True)
    judge(rater, shown(rater), "left", strength="clearly")
    judge(rater, shown(rater), "both_bad", strength="clearly")
    assert list(Judgment.objects.order_by("pk").values_list("strength", flat=True)) == ["clearly", None]


def test_criteria_are_judged_with_the_pair_and_again_with_a_change() -> None:
    rater = a_desk()
    Criterion.objects.create(experiment=rater.experiment, position=1, name="accuracy")
    pair = shown(rater)
    assert [one.name for one in pair.criteria] == ["accuracy"]
    judge(rater, pair, "left", criteria={1: "right"})
    back = desk.undo(rater=rater, again=None, now=START)
    assert isinstance(back, BlindPair)
    assert back.criteria[0].chosen == "right"
    judge(rater, back, "left", criteria={1: "both_good"})
    verdicts = CriterionVerdict.objects.filter(judgment__in=Judgment.objects.current())
    assert [one.verdict for one in verdicts] == ["both_good"]


# --- back and away


def test_undo_goes_back_as_far_as_one_likes_with_the_old_choice_marked() -> None:
    rater = a_desk(inputs=4)
    pairs = []
    for verdict in ("left", "both_good", "right"):
        pairs.append(shown(rater))
        judge(rater, pairs[-1], verdict)
    back = shown(rater)
    for pair, verdict in zip(reversed(pairs), ("right", "both_good", "left"), strict=True):
        assert back.again == pair.token
        found = desk.undo(rater=rater, again=back.again, now=START)
        assert isinstance(found, BlindPair)
        assert (found.token, found.chosen, found.left_text) == (pair.token, verdict, pair.left_text)
        assert (found.number, found.total) == (pair.number, 4)
        back = found
    assert back.again is None
    assert Judgment.objects.count() == 3


def test_a_changed_answer_supersedes_and_keeps_its_time() -> None:
    rater = a_desk(inputs=2)
    judge(rater, shown(rater), "left", now=minute(1))
    back = desk.undo(rater=rater, again=None, now=minute(3))
    assert isinstance(back, BlindPair)
    judge(rater, back, "right", now=minute(9))
    assert (current().verdict, current().seconds) == ("right", 60.0)


def test_a_changed_answer_is_taken_although_its_lease_is_long_over() -> None:
    rater = a_desk(inputs=1, ratings_per_pair=1)
    judge(rater, shown(rater))
    back = desk.undo(rater=rater, again=None, now=minute(600))
    assert isinstance(back, BlindPair)
    judge(rater, back, "right", now=minute(601))
    assert current().verdict == "right"


def test_a_skipped_pair_goes_to_another_rater_and_does_not_come_back() -> None:
    rater = a_desk(inputs=1, ratings_per_pair=1)
    other = a_rater(rater.experiment, "Rater 2")
    pair = shown(rater)
    assert desk.skip(rater=rater, token=pair.token, reason="unclear", now=START) == Pause(done=0, waiting=False)
    assert Assignment.objects.get(token=pair.token).skip_reason == "unclear"
    assert rate_through(other) == 1
    assert desk.next_pair(rater=rater, now=START) == Pause(done=0, waiting=False)


def test_a_skip_sent_twice_is_one_skip_and_a_judged_pair_stays_judged() -> None:
    rater = a_desk(inputs=3)
    pair = shown(rater)
    desk.skip(rater=rater, token=pair.token, reason="other", now=minute(1))
    desk.skip(rater=rater, token=pair.token, reason="broken", now=minute(2))
    judged = shown(rater)
    judge(rater, judged)
    desk.skip(rater=rater, token=judged.token, reason="other", now=minute(3))
    assert Assignment.objects.filter(skipped_at__isnull=False).values_list("skip_reason", flat=True).get() == "other"


def test_a_skipped_pair_does_not_count_for_the_balance_of_sides() -> None:
    rater = a_desk(inputs=4)
    desk.skip(rater=rater, token=shown(rater).token, reason="other", now=START)
    standing = standing_of(rater, turns_of(rater.pk), baseline=rater.experiment.baseline_id)
    (skipped,) = (turn for turn in standing.turns if turn.skipped)
    assert standing.leads == standing.without(skipped).leads


# --- progress


def test_progress_counts_what_this_rater_can_expect() -> None:
    experiment = an_open_experiment(inputs=10, ratings_per_pair=1)
    first, second = a_rater(experiment, "Rater 1"), a_rater(experiment, "Rater 2")
    assert shown(first).total == 5
    assert shown(second).total == 5  # half of the nine that are left, rounded up


def test_minutes_left_follow_the_raters_own_pace() -> None:
    rater = a_desk(inputs=12)
    for number in range(5):
        pair = shown(rater, minute(number))
        assert pair.minutes_left is None
        judge(rater, pair, now=minute(number + 0.5))
    assert shown(rater, minute(9)).minutes_left == 7  # seven pairs, each a minute after the one before


def test_a_break_is_offered_after_forty() -> None:
    rater = a_desk(inputs=45)
    rate_through(rater, most=39)
    assert shown(rater).break_after is None
    judge(rater, shown(rater))
    assert shown(rater).break_after == 40
    back = desk.undo(rater=rater, again=None, now=START)
    assert isinstance(back, BlindPair)
    assert back.break_after is None
    judge(rater, shown(rater))
    assert shown(rater).break_after is None


def test_a_break_is_offered_after_twenty_five_minutes_of_one_sitting() -> None:
    rater = a_desk(inputs=20)
    due = []
    for number in range(5):
        judge(rater, shown(rater, minute(10 * number)), now=minute(10 * number + 1))
        due.append(shown(rater, minute(10 * number + 1)).break_after)
    assert due == [None, None, None, 4, None]
