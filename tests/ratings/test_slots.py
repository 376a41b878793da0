"""What is taken of a pair: judgments that count, and pairs on somebody's desk; the database notes it with each one."""

from datetime import timedelta
from typing import Any

import pytest

from experiments.models import Experiment
from ratings.models import Assignment, Comparison, Judgment
from ratings.slots import Taken, taken_by, taken_in, taken_of, taken_of_unseen
from tests.factories import NOW, a_judgment, a_rater, a_rating_experiment

pytestmark = pytest.mark.django_db


@pytest.fixture
def experiment() -> Experiment:
    return a_rating_experiment(inputs=2)


@pytest.fixture
def pair(experiment: Experiment) -> Comparison:
    return Comparison.objects.filter(input__experiment=experiment).earliest("pk")


def counts(judgment: Judgment) -> bool | None:
    return Assignment.objects.get(judgments=judgment).counts


def test_sides_judgments_and_showings_are_counted(experiment: Experiment, pair: Comparison) -> None:
    a_judgment(pair, a_rater(experiment, "one"))
    a_judgment(pair, a_rater(experiment, "two"), swap=True)
    on_a_desk = a_judgment(pair, a_rater(experiment, "three")).assignment
    Judgment.objects.filter(assignment=on_a_desk).delete()
    Assignment.objects.filter(pk=on_a_desk.pk).update(counts=None, lease_until=NOW + timedelta(minutes=30))
    taken = Taken(first_left=2, second_left=1, judged=2, given=3)
    assert taken_by(taken_in(experiment.pk, NOW)) == {pair.pk: taken}
    assert taken_by(taken_of(pair.pk, NOW)) == {pair.pk: taken}
    later = taken_by(taken_of(pair.pk, NOW + timedelta(hours=1)))
    assert later == {pair.pk: Taken(first_left=1, second_left=1, judged=2, given=3)}


def test_only_of_pairs_a_rater_has_not_seen_it_can_be_asked(experiment: Experiment, pair: Comparison) -> None:
    other = Comparison.objects.filter(input__experiment=experiment).latest("pk")
    elsewhere = a_rating_experiment(inputs=1)
    a_judgment(Comparison.objects.get(input__experiment=elsewhere), a_rater(elsewhere))
    one, two, new = (a_rater(experiment, name) for name in ("one", "two", "new"))
    for judged, rater in ((pair, one), (other, one), (pair, two)):
        a_judgment(judged, rater)
    whole = taken_by(taken_in(experiment.pk, NOW))
    assert whole.keys() == {pair.pk, other.pk}
    assert taken_by(taken_of_unseen(experiment.pk, new.pk, NOW)) == whole
    assert taken_by(taken_of_unseen(experiment.pk, two.pk, NOW)) == {other.pk: whole[other.pk]}
    assert taken_by(taken_of_unseen(experiment.pk, one.pk, NOW)) == {}


def test_the_last_judgment_of_an_assignment_decides(experiment: Experiment, pair: Comparison) -> None:
    first = a_judgment(pair, a_rater(experiment))
    assert counts(first) is True
    seen = Judgment.objects.create(assignment=first.assignment, verdict="right", supersedes=first, unblinded=True)
    assert counts(first) is False
    assert taken_by(taken_of(pair.pk, NOW)) == {pair.pk: Taken(given=1)}
    Judgment.objects.create(assignment=first.assignment, verdict="left", supersedes=seen)
    assert counts(first) is True


def test_what_the_current_judgment_says_is_noted_whoever_changes_it(experiment: Experiment, pair: Comparison) -> None:
    def noted() -> tuple[Any, ...]:
        given = Assignment.objects.get(pk=first.assignment_id)
        return given.counts, given.verdict, given.seconds, given.judged_at, given.commented

    first = a_judgment(pair, a_rater(experiment), comment="Shorter.")
    assert noted() == (True, "left", 30.0, first.judged_at, True)
    later = {"verdict": "both_bad", "seconds": 8.5, "judged_at": NOW + timedelta(days=1)}
    again = Judgment.objects.create(assignment=first.assignment, supersedes=first, unblinded=True, **later)
    assert noted() == (False, *later.values(), False)
    Judgment.objects.filter(pk=first.pk).update(verdict="right", comment="Longer.")
    assert noted() == (False, *later.values(), False), "what is superseded stays so"
    Judgment.objects.filter(pk=again.pk).update(verdict="both_good", comment="Alike.", seconds=None, unblinded=False)
    assert noted() == (True, "both_good", None, later["judged_at"], True)
    Judgment.objects.update(verdict="right")
    assert noted()[1] == "right"


def test_judgments_that_are_added_together_are_noted_together(experiment: Experiment) -> None:
    raters = [a_rater(experiment, f"Rater {number}") for number in range(3)]
    given = [
        Assignment.objects.create(comparison=pair, rater=rater, left=pair.first, right=pair.second, position=place)
        for place, pair in enumerate(Comparison.objects.filter(input__experiment=experiment), start=1)
        for rater in raters
    ]
    assert {one.counts for one in given} == {None}
    Judgment.objects.bulk_create(
        Judgment(assignment=one, verdict="left", unblinded=one.rater_id == raters[0].pk) for one in given
    )
    for one in Assignment.objects.all():
        assert one.counts is (one.rater_id != raters[0].pk)
