"""What the database refuses about endpoints, systems and completions."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from backends.models import Attempt, Completion, Endpoint, LoadRun, System
from experiments.models import Output
from tests.constraints import refused_by
from tests.factories import NOW, a_system, an_endpoint, an_experiment, answers

pytestmark = pytest.mark.django_db


def test_an_unknown_dialect_is_refused() -> None:
    with refused_by("a_dialect_is_known"):
        an_endpoint(dialect="smoke")


def test_an_endpoint_without_a_name_is_refused() -> None:
    with refused_by("an_endpoint_has_a_name"):
        an_endpoint(name="")


def test_an_endpoint_that_takes_no_call_is_refused() -> None:
    with refused_by("an_endpoint_takes_at_least_one_call_at_a_time"):
        an_endpoint(max_concurrency=0)


def test_a_deadline_of_nothing_is_refused() -> None:
    with refused_by("deadlines_are_positive"):
        an_endpoint(total_seconds=0)


def test_a_deadline_of_nothing_within_an_answer_is_refused() -> None:
    with refused_by("deadlines_within_an_answer_are_positive"):
        an_endpoint(first_token_seconds=0)


def test_a_secret_in_two_places_is_refused() -> None:
    with refused_by("a_secret_is_kept_in_one_place"):
        an_endpoint(secret="x", secret_env="KEY")


def test_two_endpoints_of_one_name_are_refused() -> None:
    an_endpoint(name="local")
    with pytest.raises(IntegrityError), transaction.atomic():
        an_endpoint(name="local")
    assert Endpoint.objects.count() == 1


def test_an_endpoint_in_use_cannot_be_removed() -> None:
    endpoint = an_endpoint()
    a_system(an_experiment(), "candidate", endpoint=endpoint)
    with pytest.raises(ProtectedError):
        endpoint.delete()


def test_a_second_system_on_one_arm_is_refused() -> None:
    system = a_system(an_experiment(), "candidate")
    with pytest.raises(IntegrityError), transaction.atomic():
        System.objects.create(arm=system.arm, name="other")
    assert System.objects.count() == 1


def test_a_system_without_a_name_is_refused() -> None:
    with refused_by("a_system_has_a_name"):
        a_system(an_experiment(), "")


def test_a_system_that_is_never_asked_is_refused() -> None:
    with refused_by("a_system_is_asked_at_least_once"):
        a_system(an_experiment(), "candidate", samples=0)


def test_a_system_without_concurrency_is_refused() -> None:
    with refused_by("a_system_is_asked_by_somebody"):
        a_system(an_experiment(), "candidate", concurrency=0)


@pytest.mark.parametrize("fields", [{"paused_at": NOW}, {"pause_reason": "the key was rejected"}])
def test_a_pause_without_a_reason_and_a_reason_without_a_pause_are_refused(fields: dict[str, Any]) -> None:
    with refused_by("a_pause_has_a_reason_exactly_when_paused"):
        a_system(an_experiment(), "candidate", **fields)


def a_completion(**fields: Any) -> Completion:
    experiment = an_experiment(inputs=1)
    defaults = {"system": a_system(experiment, "candidate"), "input": experiment.inputs.get()}
    return Completion.objects.create(**(defaults | fields))


def test_the_same_sample_twice_is_refused() -> None:
    completion = a_completion()
    with refused_by("a_system_answers_an_input_once_a_sample"):
        Completion.objects.create(system=completion.system, input=completion.input)


def test_an_unknown_state_is_refused() -> None:
    with refused_by("a_completion_state_is_known"):
        a_completion(state="lost")


@pytest.mark.parametrize(
    "fields",
    [{"state": "done", "sample": 1}, {"outcome": "complete"}, {"state": "done", "sample": 1, "outcome": "fine"}],
)
def test_done_without_an_outcome_and_an_outcome_before_done_are_refused(fields: dict[str, Any]) -> None:
    with refused_by("an_outcome_is_set_exactly_when_done"):
        a_completion(**fields)


def test_a_rated_sample_that_is_done_without_an_output_is_refused() -> None:
    with refused_by("the_first_sample_gives_an_output_exactly_when_done"):
        a_completion(state="done", outcome="complete")


def test_an_output_of_a_timed_sample_is_refused() -> None:
    system = a_system(an_experiment(inputs=1), "candidate")
    [output] = answers(system)
    assert isinstance(output, Output)
    with refused_by("the_first_sample_gives_an_output_exactly_when_done"):
        Completion.objects.update(sample=1)


def test_running_without_a_lease_is_refused() -> None:
    with refused_by("a_running_completion_is_leased"):
        a_completion(state="running")


@pytest.mark.parametrize(
    "fields",
    [{"state": "failed"}, {"state": "failed", "failure_kind": "auth"}, {"failure_kind": "auth", "sentence": "x"}],
)
def test_a_failure_without_a_name_and_a_name_without_a_failure_are_refused(fields: dict[str, Any]) -> None:
    with refused_by("a_failure_is_named_exactly_when_failed"):
        a_completion(**fields)


def test_two_attempts_of_one_number_are_refused() -> None:
    completion = a_completion()
    Attempt.objects.create(completion=completion, number=1)
    with refused_by("an_attempt_has_its_own_number"):
        Attempt.objects.create(completion=completion, number=1)


@pytest.mark.parametrize("fields", [{"seconds": 0}, {"concurrency": 0}, {"failed": 11}])
def test_a_load_run_that_cannot_be_is_refused(fields: dict[str, Any]) -> None:
    system = a_system(an_experiment(), "candidate")
    defaults = {"system": system, "concurrency": 4, "requests": 10, "seconds": 2.0, "throughput": 5.0}
    with refused_by("a_load_run_took_time"):
        LoadRun.objects.create(**(defaults | fields))
