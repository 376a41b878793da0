"""What the database refuses about raters, comparisons, assignments and judgments."""

import uuid
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import RestrictedError

from experiments.models import Criterion, Experiment
from ratings.models import Assignment, Comparison, CriterionVerdict, Guess, Judgment, Rater
from tests.constraints import refused_by
from tests.factories import NOW, a_judgment, a_rater, a_rating_experiment

pytestmark = pytest.mark.django_db


@pytest.fixture
def experiment() -> Experiment:
    return a_rating_experiment(inputs=2)


@pytest.fixture
def comparison(experiment: Experiment) -> Comparison:
    return Comparison.objects.filter(input__experiment=experiment).earliest("pk")


@pytest.fixture
def rater(experiment: Experiment) -> Rater:
    return a_rater(experiment)


@pytest.fixture
def judgment(comparison: Comparison, rater: Rater) -> Judgment:
    return a_judgment(comparison, rater)


def an_assignment(comparison: Comparison, rater: Rater, **fields: Any) -> Assignment:
    defaults = {"left": comparison.first, "right": comparison.second, "position": 1}
    return Assignment.objects.create(comparison=comparison, rater=rater, **(defaults | fields))


def test_two_raters_of_one_label_are_refused(experiment: Experiment, rater: Rater) -> None:
    with refused_by("a_rater_has_their_own_label"):
        Rater.objects.create(experiment=experiment, label=rater.label)


def test_a_rater_without_a_label_is_refused(experiment: Experiment) -> None:
    with refused_by("a_rater_has_a_label"):
        Rater.objects.create(experiment=experiment, label="")


def test_a_link_that_never_expires_is_refused(experiment: Experiment) -> None:
    with refused_by("a_link_expires"):
        Rater.objects.create(experiment=experiment, label="Rater 9", token_hash="9" * 64)


def test_leaving_out_somebody_who_is_not_withdrawn_is_refused(experiment: Experiment, rater: Rater) -> None:
    with refused_by("whoever_is_left_out_is_withdrawn"):
        Rater.objects.filter(pk=rater.pk).update(left_out_at=NOW)


def test_two_links_of_one_token_are_refused(experiment: Experiment, rater: Rater) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        a_rater(experiment, "Rater 2", token_hash=rater.token_hash)
    assert experiment.raters.count() == 1


def test_an_unknown_kind_of_comparison_is_refused(comparison: Comparison) -> None:
    with refused_by("a_comparison_kind_is_known"):
        Comparison.objects.filter(pk=comparison.pk).update(kind="odd", expected=comparison.first)


def test_a_pair_in_the_wrong_order_is_refused(comparison: Comparison) -> None:
    with refused_by("a_pair_is_stored_in_one_order"):
        Comparison.objects.create(input=comparison.input, first=comparison.second, second=comparison.first)


def test_a_pair_made_twice_is_refused(comparison: Comparison) -> None:
    with refused_by("a_pair_is_made_once"):
        Comparison.objects.create(input=comparison.input, first=comparison.first, second=comparison.second)


def test_a_control_without_a_right_answer_is_refused(comparison: Comparison) -> None:
    with refused_by("exactly_a_control_has_an_expected_answer"):
        Comparison.objects.filter(pk=comparison.pk).update(kind="control")


def test_a_right_answer_that_is_no_side_of_the_pair_is_refused(experiment: Experiment, comparison: Comparison) -> None:
    other = Comparison.objects.filter(input__experiment=experiment).latest("pk")
    with refused_by("exactly_a_control_has_an_expected_answer"):
        Comparison.objects.filter(pk=comparison.pk).update(kind="control", expected=other.first)


def test_an_output_that_was_compared_cannot_be_removed_alone(comparison: Comparison) -> None:
    with pytest.raises(RestrictedError):
        comparison.first.delete()


def test_an_experiment_goes_with_everything(experiment: Experiment, judgment: Judgment) -> None:
    experiment.delete()
    assert not Judgment.objects.exists()
    assert not Comparison.objects.exists()


def test_an_unknown_kind_of_assignment_is_refused(comparison: Comparison, rater: Rater) -> None:
    with refused_by("an_assignment_kind_is_known"):
        an_assignment(comparison, rater, kind="odd")


def test_the_same_output_on_both_sides_is_refused(comparison: Comparison, rater: Rater) -> None:
    with refused_by("left_and_right_differ"):
        an_assignment(comparison, rater, right=comparison.first)


def test_a_pair_given_twice_to_one_rater_is_refused(comparison: Comparison, rater: Rater) -> None:
    an_assignment(comparison, rater)
    with refused_by("a_rater_gets_a_pair_once_a_kind"):
        an_assignment(comparison, rater, position=2)


def test_two_pairs_in_one_place_are_refused(experiment: Experiment, comparison: Comparison, rater: Rater) -> None:
    an_assignment(comparison, rater)
    with refused_by("a_rater_gets_one_pair_a_position"):
        an_assignment(Comparison.objects.filter(input__experiment=experiment).latest("pk"), rater)


def test_a_repeat_of_nothing_is_refused(comparison: Comparison, rater: Rater) -> None:
    with refused_by("exactly_a_repeat_repeats"):
        an_assignment(comparison, rater, kind="repeat")


def test_a_reason_without_a_skip_is_refused(comparison: Comparison, rater: Rater) -> None:
    with refused_by("a_skip_reason_belongs_to_a_skip"):
        an_assignment(comparison, rater, skip_reason="unclear")


def test_an_unknown_verdict_is_refused(comparison: Comparison, rater: Rater) -> None:
    with refused_by("a_verdict_is_known"):
        a_judgment(comparison, rater, verdict="tie")


def test_two_first_judgments_of_one_assignment_are_refused(judgment: Judgment) -> None:
    with refused_by("an_assignment_has_one_first_judgment"):
        Judgment.objects.create(assignment=judgment.assignment, verdict="right")


def test_two_judgments_that_supersede_one_are_refused(judgment: Judgment) -> None:
    Judgment.objects.create(assignment=judgment.assignment, verdict="right", supersedes=judgment)
    with pytest.raises(IntegrityError), transaction.atomic():
        Judgment.objects.create(assignment=judgment.assignment, verdict="left", supersedes=judgment)
    assert Judgment.objects.current().get().verdict == "right"


def test_the_same_key_twice_is_refused(judgment: Judgment) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Judgment.objects.create(assignment=judgment.assignment, verdict="left", supersedes=judgment, key=judgment.key)
    assert Judgment.objects.filter(key=judgment.key).count() == 1


@pytest.mark.parametrize("fields", [{"verdict": "both_good", "strength": "clearly"}, {"strength": "hugely"}])
def test_a_strength_without_a_preference_is_refused(
    comparison: Comparison, rater: Rater, fields: dict[str, str]
) -> None:
    with refused_by("only_a_preference_has_a_strength"):
        a_judgment(comparison, rater, **fields)


def test_negative_seconds_are_refused(judgment: Judgment) -> None:
    with refused_by("judging_takes_no_negative_time"):
        Judgment.objects.create(
            assignment=judgment.assignment, verdict="left", supersedes=judgment, seconds=-1, key=uuid.uuid4()
        )


def test_a_criterion_judged_twice_is_refused(experiment: Experiment, judgment: Judgment) -> None:
    criterion = Criterion.objects.create(experiment=experiment, position=1, name="accuracy")
    CriterionVerdict.objects.create(judgment=judgment, criterion=criterion, verdict="left")
    with refused_by("a_criterion_is_judged_once_a_judgment"):
        CriterionVerdict.objects.create(judgment=judgment, criterion=criterion, verdict="right")


def test_an_unknown_criterion_verdict_is_refused(experiment: Experiment, judgment: Judgment) -> None:
    criterion = Criterion.objects.create(experiment=experiment, position=1, name="accuracy")
    with refused_by("a_criterion_verdict_is_known"):
        CriterionVerdict.objects.create(judgment=judgment, criterion=criterion, verdict="tie")


def test_a_guess_of_no_side_is_refused(judgment: Judgment) -> None:
    with refused_by("a_guess_names_a_side"):
        Guess.objects.create(assignment=judgment.assignment, side="both", guessed_at=NOW)
