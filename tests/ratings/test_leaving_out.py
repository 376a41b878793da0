"""A withdrawn rater is left out by the owner's choice: nothing of theirs counts, until it is taken back or too late."""

from collections.abc import Callable

import pytest

from accounts.models import Event, User
from experiments.models import Experiment, Status
from ratings import desk
from ratings.blind import BlindPair
from ratings.desk import Pause, RatingEnded
from ratings.leaving_out import TooLate, count_again, leave_out
from ratings.links import CannotInvite, replace
from ratings.models import Assignment, Comparison, Judgment, Rater
from ratings.progress import Judged, judged, raters
from ratings.slots import Taken, taken_by, taken_in
from tests.factories import NOW, a_judgment, a_rater, a_rating_experiment, a_user
from tests.ratings.driving import START, an_open_experiment, judge, rate_through, shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return a_user()


def noted(rater: Rater) -> list[bool | None]:
    return list(Assignment.objects.filter(rater=rater).order_by("position").values_list("counts", flat=True))


def test_what_they_judged_is_free_for_others_and_stays_stored(owner: User) -> None:
    experiment = an_open_experiment(inputs=3, ratings_per_pair=1)
    rater, other = a_rater(experiment, "one"), a_rater(experiment, "other")
    assert rate_through(rater) == 3
    assert desk.next_pair(rater=other, now=START) == Pause(done=0, waiting=False)
    leave_out(rater=rater, by=owner, now=NOW)
    assert rate_through(other) == 3
    assert Judgment.objects.filter(assignment__rater=rater).count() == 3


def test_the_pair_on_their_desk_is_free_at_once(owner: User) -> None:
    experiment = an_open_experiment(inputs=1, ratings_per_pair=1)
    rater, other = a_rater(experiment, "one"), a_rater(experiment, "other")
    shown(rater)
    assert desk.next_pair(rater=other, now=START) == Pause(done=0, waiting=True)
    leave_out(rater=rater, by=owner, now=NOW)
    assert isinstance(desk.next_pair(rater=other, now=START), BlindPair)


def test_the_link_is_withdrawn_with_it_and_stays_so_when_it_is_taken_back(owner: User) -> None:
    rater = a_rater(a_rating_experiment())
    leave_out(rater=rater, by=owner, now=NOW)
    rater.refresh_from_db()
    assert (rater.revoked_at, rater.left_out_at) == (NOW, NOW)
    count_again(rater=rater, by=owner)
    rater.refresh_from_db()
    assert (rater.revoked_at, rater.left_out_at) == (NOW, None)


def test_one_withdrawn_before_is_left_out_later_and_keeps_the_moment(owner: User) -> None:
    rater = a_rater(a_rating_experiment(), revoked_at=START)
    leave_out(rater=rater, by=owner, now=NOW)
    rater.refresh_from_db()
    assert (rater.revoked_at, rater.left_out_at) == (START, NOW)


def test_taken_back_it_counts_as_it_did_and_no_further(owner: User) -> None:
    experiment = a_rating_experiment(inputs=3)
    rater = a_rater(experiment)
    seen, turned, plain = Comparison.objects.order_by("pk")
    a_judgment(seen, rater, unblinded=True)
    first = a_judgment(turned, rater, unblinded=True)
    Judgment.objects.create(assignment=first.assignment, verdict="right", supersedes=first)
    a_judgment(plain, rater)
    assert noted(rater) == [False, True, True]
    leave_out(rater=rater, by=owner)
    assert noted(rater) == [False, False, False]
    assert {one.judged for one in taken_by(taken_in(experiment.pk, NOW)).values()} == {0}
    count_again(rater=rater, by=owner)
    assert noted(rater) == [False, True, True]


def test_a_pair_that_is_not_judged_stays_so(owner: User) -> None:
    rater = a_rater(an_open_experiment())
    shown(rater)
    leave_out(rater=rater, by=owner)
    assert noted(rater) == [None]
    count_again(rater=rater, by=owner)
    assert noted(rater) == [None]


def test_the_others_of_the_experiment_and_elsewhere_count_on(owner: User) -> None:
    experiment = a_rating_experiment(inputs=1)
    pair = Comparison.objects.get()
    rater, other = a_rater(experiment, "one"), a_rater(experiment, "other")
    elsewhere = a_rater(a_rating_experiment(inputs=1))
    for one, where in ((rater, pair), (other, pair), (elsewhere, Comparison.objects.latest("pk"))):
        a_judgment(where, one)
    leave_out(rater=rater, by=owner)
    assert [noted(one) for one in (rater, other, elsewhere)] == [[False], [True], [True]]
    assert taken_by(taken_in(experiment.pk, NOW)) == {pair.pk: Taken(first_left=1, judged=1, given=2)}


def test_whatever_is_written_for_one_who_is_left_out_counts_no_more_than_before(owner: User) -> None:
    experiment = a_rating_experiment(inputs=3)
    rater, other = a_rater(experiment), a_rater(experiment, "other")
    one, two, three = Comparison.objects.order_by("pk")
    first = a_judgment(one, rater)
    leave_out(rater=rater, by=owner)
    Judgment.objects.create(assignment=first.assignment, verdict="right", supersedes=first)
    a_judgment(two, rater)
    given = [
        Assignment.objects.create(comparison=three, rater=who, left=three.first, right=three.second, position=9)
        for who in (rater, other)
    ]
    Judgment.objects.bulk_create(Judgment(assignment=each, verdict="left") for each in given)
    assert noted(rater) == [False, False, False]
    assert noted(other) == [True]
    Judgment.objects.update(verdict="both_bad")
    assert noted(rater) == [False, False, False]
    assert noted(other) == [True]


def test_progress_is_of_those_who_count(owner: User) -> None:
    experiment = a_rating_experiment(inputs=2)
    rater, other = a_rater(experiment, "one"), a_rater(experiment, "other")
    pair, second = Comparison.objects.order_by("pk")
    a_judgment(pair, rater)
    a_judgment(second, rater, unblinded=True)
    a_judgment(pair, other)
    leave_out(rater=rater, by=owner)
    wanted = 2 * experiment.ratings_per_pair
    assert judged([experiment.pk]) == {experiment.pk: Judged(done=1, wanted=wanted, last=NOW)}
    found, counted = raters(experiment, now=NOW)
    assert (found.left_out, found.done, found.unblinded) == (True, 2, 1)
    assert (counted.left_out, counted.done, counted.unblinded) == (False, 1, 0)


def test_a_new_link_counts_them_again_and_they_rate_on(owner: User) -> None:
    experiment = an_open_experiment(inputs=12, ratings_per_pair=1)
    rater = a_rater(experiment)
    judge(rater, shown(rater))
    leave_out(rater=rater, by=owner)
    with pytest.raises(RatingEnded):
        desk.next_pair(rater=rater, now=START)
    replace(rater=rater, by=owner)
    rater.refresh_from_db()
    assert (rater.left_out_at, noted(rater)) == (None, [True, None])
    pair = shown(rater)
    judge(rater, pair)
    assert not Judgment.objects.filter(unblinded=True).exists(), "who was left out did not see the key"


def test_an_answer_that_comes_after_it_is_refused(owner: User) -> None:
    rater = a_rater(an_open_experiment(inputs=3))
    pair = shown(rater)
    leave_out(rater=rater, by=owner)
    with pytest.raises(RatingEnded):
        judge(rater, pair)
    assert not Judgment.objects.exists()


@pytest.mark.parametrize("change", [leave_out, count_again])
def test_after_the_closing_it_is_too_late(owner: User, change: Callable[..., None]) -> None:
    experiment = a_rating_experiment(inputs=1)
    left_out_at = NOW if change is count_again else None
    rater = a_rater(experiment, revoked_at=NOW)
    a_judgment(Comparison.objects.get(), rater)
    Rater.objects.update(left_out_at=left_out_at)
    before = noted(rater)
    Experiment.objects.update(status=Status.CLOSED, closed_at=NOW)
    with pytest.raises(TooLate, match="whose judgments count can no longer be changed"):
        change(rater=rater, by=owner)
    with pytest.raises(CannotInvite):
        replace(rater=rater, by=owner)
    rater.refresh_from_db()
    assert (rater.left_out_at, noted(rater)) == (left_out_at, before)
    assert not Event.objects.exists()


def test_each_choice_is_in_the_log_once_with_the_label(owner: User) -> None:
    experiment = a_rating_experiment()
    rater = a_rater(experiment, "Dr. Weber")
    for change in (leave_out, leave_out, count_again, count_again, leave_out):
        change(rater=rater, by=owner)
    replace(rater=rater, by=owner)
    events = list(Event.objects.order_by("pk"))
    assert [one.verb for one in events] == [
        "left out a rater",
        "counted a rater again",
        "left out a rater",
        "counted a rater again",
        "replaced a link",
    ]
    assert {(one.actor_id, one.object, one.detail["rater"]) for one in events} == {
        (owner.pk, f"experiment {experiment.slug}", "Dr. Weber")
    }
