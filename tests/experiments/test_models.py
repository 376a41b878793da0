"""What the database refuses about experiments, inputs, arms and outputs."""

from typing import Any

import pytest

from experiments.models import Arm, Criterion, Experiment, Input, Mapping, Output, Spare, Staged, StagedPart
from tests.constraints import refused_by
from tests.factories import NOW, a_user, an_experiment

pytestmark = pytest.mark.django_db


def changed(experiment: Experiment, **fields: Any) -> None:
    Experiment.objects.filter(pk=experiment.pk).update(**fields)


def test_an_unknown_status_is_refused() -> None:
    experiment = an_experiment()
    with refused_by("a_status_is_one_of_four"):
        changed(experiment, status="paused", sealed_at=NOW, seal="1")


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "rating"},
        {"status": "rating", "sealed_at": NOW},
        {"sealed_at": NOW},
        {"status": "collecting", "seal": "0" * 64},
    ],
)
def test_rating_without_a_seal_and_a_seal_before_rating_are_refused(fields: dict[str, Any]) -> None:
    experiment = an_experiment()
    with refused_by("an_experiment_is_sealed_from_rating_on"):
        changed(experiment, **fields)


@pytest.mark.parametrize("fields", [{"status": "closed", "sealed_at": NOW, "seal": "1"}, {"closed_at": NOW}])
def test_closed_without_a_time_and_a_time_without_closing_are_refused(fields: dict[str, Any]) -> None:
    experiment = an_experiment()
    with refused_by("a_closing_time_is_set_exactly_when_closed"):
        changed(experiment, **fields)


@pytest.mark.parametrize("margin", [0.0, -0.1, 0.5, 0.9])
def test_a_margin_outside_nothing_and_a_half_is_refused(margin: float) -> None:
    experiment = an_experiment()
    with refused_by("a_margin_lies_between_nothing_and_a_half"):
        changed(experiment, margin=margin)


def test_pairs_of_an_unknown_kind_are_refused() -> None:
    experiment = an_experiment()
    with refused_by("pairs_are_baseline_or_all"):
        changed(experiment, pairs="some")


def test_a_pair_that_wants_no_rating_is_refused() -> None:
    experiment = an_experiment()
    with refused_by("every_pair_wants_a_rating"):
        changed(experiment, ratings_per_pair=0)


def test_a_plan_without_raters_is_refused() -> None:
    experiment = an_experiment()
    with refused_by("somebody_is_planned_to_rate"):
        changed(experiment, planned_raters=0)


@pytest.mark.parametrize(
    "fields", [{"repeat_share": 1.0}, {"repeat_share": -0.1}, {"control_share": 1.5}, {"control_share": -1}]
)
def test_a_share_that_is_none_is_refused(fields: dict[str, float]) -> None:
    experiment = an_experiment()
    with refused_by("shares_are_shares"):
        changed(experiment, **fields)


def test_two_criteria_in_one_place_are_refused() -> None:
    experiment = an_experiment()
    Criterion.objects.create(experiment=experiment, position=1, name="accuracy")
    with refused_by("a_criterion_has_its_own_position"):
        Criterion.objects.create(experiment=experiment, position=1, name="tone")


def test_two_criteria_of_one_name_are_refused() -> None:
    experiment = an_experiment()
    Criterion.objects.create(experiment=experiment, position=1, name="accuracy")
    with refused_by("a_criterion_has_its_own_name"):
        Criterion.objects.create(experiment=experiment, position=2, name="accuracy")


def test_two_inputs_in_one_place_are_refused() -> None:
    experiment = an_experiment(inputs=1)
    with refused_by("an_input_has_its_own_position"):
        Input.objects.create(experiment=experiment, position=1, external_id="other", messages=[{"role": "user"}])


def test_two_inputs_of_one_id_are_refused() -> None:
    experiment = an_experiment(inputs=1)
    with refused_by("an_input_has_its_own_id"):
        Input.objects.create(experiment=experiment, position=2, external_id="in1", messages=[{"role": "user"}])


def test_an_input_without_messages_is_refused() -> None:
    experiment = an_experiment(inputs=0)
    with refused_by("an_input_has_messages"):
        Input.objects.create(experiment=experiment, position=1, external_id="in1", messages=[])


def test_two_arms_of_one_code_are_refused() -> None:
    experiment = an_experiment()
    Arm.objects.create(experiment=experiment, code="aaa")
    with refused_by("an_arm_has_its_own_code"):
        Arm.objects.create(experiment=experiment, code="aaa")


def test_an_arm_without_a_code_is_refused() -> None:
    experiment = an_experiment()
    with refused_by("an_arm_has_a_code"):
        Arm.objects.create(experiment=experiment, code="")


def an_output(**fields: Any) -> Output:
    experiment = an_experiment(inputs=1)
    arm = Arm.objects.create(experiment=experiment)
    return Output.objects.create(**({"input": experiment.inputs.get(), "arm": arm, "text": "Yes."} | fields))


def test_an_arm_that_answers_an_input_twice_is_refused() -> None:
    output = an_output()
    with refused_by("an_arm_answers_an_input_once"):
        Output.objects.create(input=output.input, arm=output.arm, text="No.")


def test_an_unknown_output_state_is_refused() -> None:
    with refused_by("an_output_state_is_known"):
        an_output(state="lost")


def test_an_unknown_decision_is_refused() -> None:
    with refused_by("an_output_decision_is_known"):
        an_output(decision="maybe", decided_at=NOW)


@pytest.mark.parametrize("fields", [{"text": ""}, {"state": "empty", "text": "Yes."}])
def test_a_text_that_contradicts_the_state_is_refused(fields: dict[str, str]) -> None:
    with refused_by("a_text_is_empty_exactly_when_the_state_says_so"):
        an_output(**fields)


@pytest.mark.parametrize("fields", [{"state": "masked"}, {"decision": "masked", "decided_at": NOW}])
def test_a_mask_that_nobody_put_on_is_refused(fields: dict[str, Any]) -> None:
    with refused_by("a_masked_output_was_masked_by_somebody"):
        an_output(**fields)


def test_releasing_what_was_not_flagged_is_refused() -> None:
    with refused_by("only_a_flagged_output_is_released"):
        an_output(decision="released", decided_at=NOW)


@pytest.mark.parametrize("fields", [{"state": "flagged", "decision": "released"}, {"decided_at": NOW}])
def test_a_decision_without_a_time_and_a_time_without_a_decision_are_refused(fields: dict[str, Any]) -> None:
    with refused_by("a_decision_has_its_time"):
        an_output(**fields)


def test_an_owner_sees_only_their_own_experiments() -> None:
    mine, stranger = a_user(), a_user("stranger@example.org")
    experiment = an_experiment(owner=mine)
    assert list(Experiment.objects.for_owner(mine)) == [experiment]
    assert not Experiment.objects.for_owner(stranger).exists()


def test_an_experiment_is_named_by_id_or_slug() -> None:
    experiment = an_experiment(slug="support-answers")
    an_experiment(slug="other")
    assert Experiment.objects.named("support-answers").get() == experiment
    assert Experiment.objects.named(str(experiment.pk)).get() == experiment
    assert not Experiment.objects.named("9" * 30).exists()


def test_an_unknown_decision_about_personal_data_is_refused() -> None:
    experiment = an_experiment()
    with refused_by("personal_data_is_masked_or_kept_or_undecided"):
        changed(experiment, personal_data="sell")


def test_two_spares_of_one_id_and_a_spare_without_messages_are_refused() -> None:
    experiment = an_experiment()
    said = [{"role": "user", "content": "Why?"}]
    Spare.objects.create(experiment=experiment, external_id="s", messages=said, length=4)
    with refused_by("a_spare_has_its_own_id"):
        Spare.objects.create(experiment=experiment, external_id="s", messages=said, length=4)
    with refused_by("a_spare_has_messages"):
        Spare.objects.create(experiment=experiment, external_id="t", messages=[], length=0)


def test_two_parts_of_one_number_are_refused() -> None:
    staged = Staged.objects.create(experiment=an_experiment(), handle="h" * 22)
    StagedPart.objects.create(staged=staged, number=0, content=b"a")
    with refused_by("a_part_has_its_own_number"):
        StagedPart.objects.create(staged=staged, number=0, content=b"b")


def test_two_mappings_of_one_header_are_refused() -> None:
    owner = a_user()
    Mapping.objects.create(owner=owner, header="h", columns={})
    with refused_by("an_owner_maps_a_header_once"):
        Mapping.objects.create(owner=owner, header="h", columns={})
