"""What others may ask about collecting."""

import pytest
from django.utils import timezone

from backends.models import Completion, System
from backends.queries import arms_by_name, failures, findings, names, progress
from tests.factories import a_collected_experiment, a_system, an_endpoint, an_experiment

pytestmark = pytest.mark.django_db


def test_progress_counts_rows_by_state_and_system() -> None:
    experiment = an_experiment(inputs=4)
    system = a_system(experiment, "asked", endpoint=an_endpoint())
    a_system(experiment, "Recorded")
    pending, running, failed, done = experiment.inputs.all()
    Completion.objects.create(system=system, input=pending)
    Completion.objects.create(system=system, input=running, state="running", lease_until=timezone.now())
    Completion.objects.create(system=system, input=failed, state="failed", failure_kind="busy", sentence="Busy.")
    Completion.objects.create(system=system, input=done, sample=1, state="done", outcome="complete")
    now = progress(experiment)
    assert (now.done, now.failed, now.pending, now.running, now.total) == (1, 1, 1, 1, 4)
    assert now.as_json() == {"done": 1, "failed": 1, "pending": 2, "running": 1}
    assert [(one.name, one.total, one.recorded) for one in now.systems] == [("asked", 4, False), ("Recorded", 0, True)]


def test_progress_needs_two_queries_however_many_systems(django_assert_num_queries: object) -> None:
    experiment = a_collected_experiment(arms=4, inputs=3)
    with django_assert_num_queries(2):  # type: ignore[operator]  # the pytest-django fixture is untyped
        assert progress(experiment).done == 12


def test_failures_name_stopped_systems_first_then_rows_in_order() -> None:
    experiment = an_experiment(inputs=2)
    b, a = a_system(experiment, "b"), a_system(experiment, "a")
    for system, item in ((b, 1), (b, 0), (a, 1)):
        Completion.objects.create(
            system=system,
            input=experiment.inputs.all()[item],
            state="failed",
            failure_kind="too_slow",
            sentence="Slow.",
        )
    System.objects.filter(name="b").update(
        paused_at=timezone.now(), pause_reason="Key.", trouble_kind="auth", trouble="Key."
    )
    found = [(one.system, one.input, one.kind) for one in failures(experiment)]
    assert found == [("b", None, "auth"), ("a", "in2", "too_slow"), ("b", "in1", "too_slow"), ("b", "in2", "too_slow")]
    assert failures(experiment)[0].as_json() == {"system": "b", "input": None, "kind": "auth", "sentence": "Key."}


def test_a_pause_by_its_owner_is_no_failure() -> None:
    experiment = an_experiment()
    a_system(experiment, "a", paused_at=timezone.now(), pause_reason="Later.")
    assert failures(experiment) == []


def test_names_lead_to_arms_and_their_order_says_nothing() -> None:
    experiment = an_experiment()
    made = {name: a_system(experiment, name).arm for name in ("zebra", "Ape", "mule")}
    assert names(experiment) == ["Ape", "mule", "zebra"]
    assert arms_by_name(experiment) == made


def test_findings_compare_the_systems_and_what_changed() -> None:
    experiment = an_experiment()
    before = {"host": "h", "model": "m", "probes": ["x"], "fingerprint": "f1", "parent": "base"}
    a_system(experiment, "a", preflight={"before": before, "after": {**before, "fingerprint": "f2"}})
    a_system(experiment, "b", preflight={"before": {**before, "model": "lora"}})
    sentences = [finding.sentence for finding in findings(experiment)]
    assert any("LoRA adapter seems not to be applied" in sentence for sentence in sentences)
    assert any("fingerprint changed" in sentence for sentence in sentences)


def test_findings_stand_in_the_order_of_the_names() -> None:
    experiment = an_experiment()
    for name in "hgfedcba":
        before = {"host": "h", "model": name, "probes": [name], "fingerprint": "f1"}
        a_system(experiment, name, preflight={"before": before, "after": {**before, "fingerprint": "f2"}})
    assert [finding.systems for finding in findings(experiment)] == [(name,) for name in "abcdefgh"]
