"""Many raters at once: nobody gets a place that is taken, nobody waits for another, nothing is counted twice."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from config.prepared import Errands, together
from experiments.models import Experiment, Status
from ratings import desk
from ratings.actions import hold_raters
from ratings.blind import BlindPair
from ratings.desk import Answer, Pause, RatingEnded
from ratings.leaving_out import TooLate, leave_out
from ratings.models import Assignment, Comparison, Judgment, Rater
from ratings.serving import LEASE, Board, asked_around, assign, board_for
from ratings.standing import Turn, standing_of, turns_of
from tests.factories import a_judgment, a_rater, a_user
from tests.ratings.driving import START, an_open_experiment, judge, minute, rate_through, shown
from tests.ratings.test_imports import Line, bring_in

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 180  # a busy machine is no fault


@pytest.fixture
def _row_locks() -> None:
    if not connection.features.has_select_for_update_skip_locked:
        pytest.skip("SQLite has one writer at a time")


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Run all in threads that start together; their results, or the first error."""
    gate, results, errors = threading.Barrier(len(works)), [None] * len(works), []

    def run(place: int, work: Callable[[], Any]) -> None:
        try:
            gate.wait(PATIENCE)
            results[place] = work()
        except BaseException as error:  # handed to the test's own thread below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, work)) for place, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]
    return results


def test_the_last_place_is_given_once() -> None:
    experiment = an_open_experiment(inputs=1, ratings_per_pair=1)
    raters = [a_rater(experiment, f"Rater {number}") for number in range(6)]
    found = at_once(*(lambda rater=rater: desk.next_pair(rater=rater, now=START) for rater in raters))
    assert sum(isinstance(one, BlindPair) for one in found) == 1
    assert sum(one == Pause(done=0, waiting=True) for one in found) == 5
    assert Assignment.objects.count() == 1


def test_raters_at_once_fill_every_place_exactly() -> None:
    experiment = an_open_experiment(inputs=6, ratings_per_pair=2, control_share=0.2, repeat_share=0.2)
    raters = [a_rater(experiment, f"Rater {number}") for number in range(5)]
    at_once(*(lambda rater=rater: rate_through(rater) for rater in raters))
    for rater in raters:  # whoever found nothing free for a moment looks again
        rate_through(rater)
    real = Assignment.objects.filter(kind="rating")
    assert set(Counter(real.values_list("comparison_id", flat=True)).values()) == {2}
    for comparison in Comparison.objects.filter(kind="real"):
        assert real.filter(comparison=comparison, left=comparison.first_id).count() == 1
    assert Judgment.objects.current().count() == Assignment.objects.count()


def test_two_tabs_opened_at_once_show_one_pair() -> None:
    rater = a_rater(an_open_experiment(inputs=5))
    found = at_once(*(lambda: desk.next_pair(rater=rater, now=START) for _ in range(4)))
    assert len({pair.token for pair in found}) == 1
    assert Assignment.objects.count() == 1


def test_a_double_click_is_one_judgment() -> None:
    rater = a_rater(an_open_experiment(inputs=5))
    pair = shown(rater)

    def click() -> desk.Shown:
        return desk.judge(
            rater=rater, token=pair.token, key=pair.key, answer=Answer(verdict="left"), unblinded=False, now=START
        )

    following = at_once(*(click for _ in range(4)))
    assert Judgment.objects.count() == 1
    assert len({one.token for one in following}) == 1


def test_a_late_answer_and_the_one_who_took_its_place_do_not_both_count() -> None:
    first = a_rater(an_open_experiment(inputs=1, ratings_per_pair=1))
    other = a_rater(first.experiment, "Rater 2")
    pair = shown(first)

    def answer_late() -> desk.Shown:
        answer = Answer(verdict="left")
        return desk.judge(rater=first, token=pair.token, key=pair.key, answer=answer, unblinded=False, now=minute(31))

    at_once(answer_late, lambda: rate_through(other, now=minute(31)))
    rate_through(other, now=minute(31))
    assert Judgment.objects.count() == 1


def test_nothing_is_judged_after_the_closing_however_close() -> None:
    rater = a_rater(an_open_experiment(inputs=3))
    pair = shown(rater)
    closing, judged = threading.Event(), []

    def close() -> None:
        with transaction.atomic():
            hold_raters(experiment=rater.experiment)
            closing.set()
            time.sleep(0.2)  # the answer below must be on its way meanwhile; it cannot signal that it waits
            Experiment.objects.filter(pk=rater.experiment_id).update(status=Status.CLOSED, closed_at=START)

    def answer() -> None:
        closing.wait(PATIENCE)
        try:
            judged.append(judge(rater, pair))
        except RatingEnded:
            return

    at_once(close, answer)
    assert judged == []
    assert not Judgment.objects.exists()


def board_as_of_now(rater: Rater) -> Board:
    raters, taken = together(*asked_around(rater, START))
    standing = standing_of(rater, turns_of(rater.pk), baseline=rater.experiment.baseline_id)
    return board_for(rater, rater.experiment, standing, raters, taken)


def given(rater: Rater, board: Board, *, keep: bool = True, patient: bool = False) -> Turn | None:
    """What the rater is given by what was so when the board was read; not `keep`: only what it would be."""
    with transaction.atomic():
        served = assign(rater, rater.experiment, board, Errands(), START, patient=patient)
        transaction.set_rollback(not keep)
    return served.turn if served else None


def give_away(turn: Turn, rater: Rater) -> None:
    """Another rater gets the very pair with the very sides."""
    pair = {"comparison_id": turn.comparison, "left_id": turn.left, "right_id": turn.right}
    Assignment.objects.create(**pair, rater=rater, position=1, lease_until=START + LEASE, shown_at=START)


@pytest.mark.usefixtures("_row_locks")
def test_a_side_that_was_given_away_meanwhile_is_not_given_again() -> None:
    experiment = an_open_experiment(inputs=1, ratings_per_pair=2)
    rater, other = a_rater(experiment, "one"), a_rater(experiment, "other")
    board = board_as_of_now(rater)
    chosen = given(rater, board, keep=False)
    assert chosen is not None
    give_away(chosen, other)
    got = given(rater, board)
    assert got is not None
    assert (got.left, got.right) == (chosen.right, chosen.left)


@pytest.mark.usefixtures("_row_locks")
def test_who_waited_for_one_pair_in_vain_waits_for_no_other() -> None:
    experiment = an_open_experiment(inputs=2, ratings_per_pair=1)
    rater, other = a_rater(experiment, "one"), a_rater(experiment, "other")
    board = board_as_of_now(rater)
    first = given(rater, board, keep=False)
    assert first is not None
    give_away(first, other)
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            list(Comparison.objects.select_for_update().exclude(pk=first.comparison))
            held.set()
            go.wait(PATIENCE)

    def look() -> Turn | None:
        held.wait(PATIENCE)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '5s'")  # waiting would be an error
            return given(rater, board, patient=True)
        finally:
            go.set()
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")

    assert at_once(hold, look)[1] is None


@pytest.mark.usefixtures("_row_locks")
def test_nobody_waits_for_somebody_who_is_being_given_a_pair() -> None:
    experiment = an_open_experiment(inputs=2, ratings_per_pair=1)
    rater: Rater = a_rater(experiment)
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            list(Comparison.objects.select_for_update().filter(pk=Comparison.objects.earliest("pk").pk))
            held.set()
            go.wait(PATIENCE)

    def look() -> desk.Shown:
        held.wait(PATIENCE)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '30s'")  # waiting would be an error
            return desk.next_pair(rater=rater, now=START)
        finally:
            go.set()
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")  # the connection goes back to a pool

    _, found = at_once(hold, look)
    assert isinstance(found, BlindPair)
    assert Assignment.objects.get().comparison_id != Comparison.objects.earliest("pk").pk


def one_then_the_other(first: Callable[[], Any], second: Callable[[], Any]) -> None:
    """The second begins while the first has written and not committed."""
    written = threading.Event()

    def slowly() -> None:
        with transaction.atomic():
            first()
            written.set()
            time.sleep(0.2)  # the second must be on its way meanwhile; it cannot signal that it waits

    def late() -> None:
        written.wait(PATIENCE)
        second()

    at_once(slowly, late)


def test_an_answer_on_its_way_to_be_left_out_is_refused() -> None:
    rater, owner = a_rater(an_open_experiment(inputs=3)), a_user()
    pair = shown(rater)

    def answer() -> None:
        with pytest.raises(RatingEnded):
            judge(rater, pair)

    one_then_the_other(lambda: leave_out(rater=rater, by=owner), answer)
    assert not Judgment.objects.exists()


def test_an_answer_that_comes_just_before_is_kept_and_left_out() -> None:
    rater, owner = a_rater(an_open_experiment(inputs=3)), a_user()
    pair = shown(rater)
    one_then_the_other(lambda: judge(rater, pair), lambda: leave_out(rater=rater, by=owner))
    assert Judgment.objects.count() == 1
    assert Assignment.objects.get(judgments__isnull=False).counts is False


def test_judgments_that_are_just_imported_are_left_out_as_well() -> None:
    rater, owner = a_rater(an_open_experiment(inputs=1)), a_user()

    def bring() -> None:  # as `console.actions` does
        Experiment.objects.select_for_update().get(pk=rater.experiment_id)
        a_judgment(Comparison.objects.get(kind="real"), rater, imported=True)

    one_then_the_other(bring, lambda: leave_out(rater=rater, by=owner))
    assert Assignment.objects.get().counts is False


@pytest.mark.parametrize("import_first", [True, False])
def test_a_vote_and_an_import_of_the_same_rater_wait_for_each_other(import_first: bool) -> None:
    rater = a_rater(an_open_experiment(inputs=2))
    pair = shown(rater)
    there = Assignment.objects.get().comparison.input.external_id
    elsewhere = Line(line=2, input="in2" if there == "in1" else "in1", rater=rater.label)

    def bring() -> None:
        bring_in(rater.experiment, [elsewhere])

    def vote() -> None:
        judge(rater, pair)

    one_then_the_other(*((bring, vote) if import_first else (vote, bring)))
    stored = Assignment.objects.filter(rater=rater).order_by("position")
    assert [one.position for one in stored] == [1, 2]
    assert Judgment.objects.count() == 2


def test_nobody_is_left_out_while_the_experiment_closes() -> None:
    rater, owner = a_rater(an_open_experiment(inputs=1)), a_user()

    def close() -> None:
        hold_raters(experiment=rater.experiment)
        Experiment.objects.filter(pk=rater.experiment_id).update(status=Status.CLOSED, closed_at=START)

    def leave() -> None:
        with pytest.raises(TooLate):
            leave_out(rater=rater, by=owner)

    one_then_the_other(close, leave)
    assert Rater.objects.get().left_out_at is None
