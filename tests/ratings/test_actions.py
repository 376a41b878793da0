"""Which comparisons are made when rating opens."""

import pytest

from experiments.models import Experiment, Output
from ratings.actions import make_comparisons
from ratings.models import Comparison
from tests.factories import a_collected_experiment

pytestmark = pytest.mark.django_db


def controls() -> list[Comparison]:
    return list(Comparison.objects.filter(kind="control").select_related("expected", "first", "second"))


def test_every_candidate_meets_the_baseline_on_every_input() -> None:
    experiment = a_collected_experiment(arms=3, inputs=4)
    assert make_comparisons(experiment=experiment) == 8
    pairs = Comparison.objects.select_related("first", "second")
    assert all(experiment.baseline_id in (pair.first.arm_id, pair.second.arm_id) for pair in pairs)


def test_all_pairs_are_made_where_the_experiment_says_all() -> None:
    assert make_comparisons(experiment=a_collected_experiment(arms=3, inputs=4, pairs="all")) == 12


def test_without_a_baseline_all_pairs_are_made() -> None:
    assert make_comparisons(experiment=a_collected_experiment(arms=3, inputs=2, baseline=False)) == 6


def test_outputs_that_are_held_back_are_in_no_pair() -> None:
    experiment = a_collected_experiment(inputs=4)
    Output.objects.filter(input__position=1, arm=experiment.baseline).update(state="withheld")
    Output.objects.filter(input__position=2).update(state="flagged")
    assert make_comparisons(experiment=experiment) == 2


def test_a_control_pairs_an_answer_with_one_to_another_input() -> None:
    make_comparisons(experiment=a_collected_experiment(inputs=20, control_share=0.15))
    assert len(controls()) == 3
    for pair in controls():
        wrong = pair.second if pair.expected_id == pair.first_id else pair.first
        assert pair.expected is not None
        assert pair.expected.input_id == pair.input_id
        assert wrong.input_id != pair.input_id
        assert wrong.arm_id != pair.expected.arm_id


def test_inputs_that_ask_the_same_or_got_the_same_answer_make_no_control() -> None:
    experiment = a_collected_experiment(inputs=2, control_share=0.5)
    Output.objects.update(text="The same.")
    make_comparisons(experiment=experiment)
    assert controls() == []


def test_the_same_seed_and_salt_make_the_same_controls() -> None:
    experiment = a_collected_experiment(inputs=20, control_share=0.3)

    def made() -> set[tuple[int, int]]:
        Comparison.objects.all().delete()
        make_comparisons(experiment=experiment)
        return {(pair.first_id, pair.second_id) for pair in controls()}

    first = made()
    assert first == made()
    Experiment.objects.update(draw_salt="another")
    experiment.refresh_from_db()
    assert first != made()


def test_pairs_that_are_there_already_are_kept() -> None:
    experiment = a_collected_experiment(inputs=3)
    make_comparisons(experiment=experiment)
    kept = set(Comparison.objects.values_list("pk", flat=True))
    make_comparisons(experiment=experiment)
    assert set(Comparison.objects.values_list("pk", flat=True)) == kept
