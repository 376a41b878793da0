"""The seal is the same for the same content, and says what changed."""

from typing import Any

import pytest

from experiments.models import Criterion, Experiment, Input, Output
from experiments.sealing import canonical, changes, digest, seal
from tests.factories import a_collected_experiment

pytestmark = pytest.mark.django_db
COMMITMENT = "c" * 64


def a_sealed_experiment() -> Experiment:
    experiment = a_collected_experiment()
    experiment.sealed = seal(experiment, commitment=COMMITMENT)
    experiment.seal = digest(experiment.sealed)
    return experiment


def test_nothing_changed_where_nothing_was_touched() -> None:
    assert changes(a_sealed_experiment(), commitment=COMMITMENT) == []


def test_the_same_content_gives_the_same_seal() -> None:
    experiment = a_sealed_experiment()
    assert digest(seal(experiment, commitment=COMMITMENT)) == experiment.seal
    assert len(experiment.seal) == 64


def test_canonical_json_does_not_depend_on_order() -> None:
    assert canonical({"b": 1, "a": "ü"}) == canonical({"a": "ü", "b": 1}) == '{"a":"ü","b":1}'.encode()


def test_a_changed_input_is_told() -> None:
    experiment = a_sealed_experiment()
    Input.objects.filter(external_id="in1").update(messages=[{"role": "user", "content": "Another?"}])
    assert changes(experiment, commitment=COMMITMENT) == ["The inputs were changed."]


@pytest.mark.parametrize("change", [{"text": "x"}, {"html": "<p>x</p>"}, {"state": "withheld"}])
def test_a_changed_output_is_told(change: dict[str, Any]) -> None:
    experiment = a_sealed_experiment()
    Output.objects.filter(pk=Output.objects.latest("pk").pk).update(**change)
    assert changes(experiment, commitment=COMMITMENT) == ["The texts shown to raters were changed."]


def test_a_changed_rule_is_told_with_both_values() -> None:
    experiment = a_sealed_experiment()
    experiment.margin = 0.2
    assert changes(experiment, commitment=COMMITMENT) == ["The protocol was changed: margin was 0.1 and is 0.2."]


def test_a_further_criterion_is_told() -> None:
    experiment = a_sealed_experiment()
    Criterion.objects.create(experiment=experiment, position=1, name="accuracy")
    [said] = changes(experiment, commitment=COMMITMENT)
    assert said.startswith("The protocol was changed: criteria was []")


def test_another_mapping_of_arms_is_told() -> None:
    assert changes(a_sealed_experiment(), commitment="d" * 64) == ["The mapping of arms to systems was changed."]


def test_a_rewritten_seal_is_told() -> None:
    experiment = a_sealed_experiment()
    experiment.margin = 0.2
    experiment.sealed["protocol"]["margin"] = 0.2
    assert changes(experiment, commitment=COMMITMENT) == ["The record of the seal itself was changed."]


def test_the_seal_survives_the_database() -> None:
    experiment = a_sealed_experiment()
    experiment.status, experiment.sealed_at = "rating", "2026-11-02T09:00:00Z"
    experiment.save()
    assert changes(Experiment.objects.get(pk=experiment.pk), commitment=COMMITMENT) == []


def test_an_unsealed_experiment_says_so() -> None:
    assert changes(a_collected_experiment(), commitment=COMMITMENT) == ["The experiment was never sealed."]
