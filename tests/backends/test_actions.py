"""What is written about endpoints and systems."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from backends.actions import (
    CannotAdd,
    RecordedAnswer,
    add_endpoint,
    add_system,
    edit_endpoint,
    fetch_again,
    pause,
    prepare_recorded,
    rotate_secrets,
    start_collecting,
)
from backends.encryption import Unreadable
from backends.endpoints import OUR_OWN, NoKey, policy, secret_of, target_of
from backends.models import Completion, Endpoint, System
from backends.queueing import NoSuchSystem, TooLate
from experiments.models import Experiment, Output, Status
from tests.factories import an_experiment

pytestmark = pytest.mark.django_db
LOCAL: dict[str, Any] = {"name": "local", "dialect": "openai", "preset": "vllm", "base_url": "http://127.0.0.1:8000/v1"}


def test_an_endpoint_of_the_same_name_and_settings_is_used_again() -> None:
    first = add_endpoint(**LOCAL, headers={"x-team": "support"})
    assert add_endpoint(**LOCAL, headers={"x-team": "support"}) == first
    assert Endpoint.objects.count() == 1


def test_an_endpoint_of_the_same_name_with_other_settings_is_refused_by_field() -> None:
    add_endpoint(**LOCAL)
    with pytest.raises(CannotAdd, match=r"max_concurrency is 8.*Use them, or another name"):
        add_endpoint(**LOCAL, max_concurrency=4)


@pytest.mark.parametrize(
    ("base_url", "why"),
    [
        ("", "base_url"),
        ("127.0.0.1:8000", "http"),
        ("http://169.254.169.254/v1", "never called"),
        ("http://user:pass@127.0.0.1/v1", "user name or password"),
    ],
)
def test_an_address_that_cannot_be_called_is_refused_with_the_reason(base_url: str, why: str) -> None:
    with pytest.raises(CannotAdd, match=why):
        add_endpoint(**(LOCAL | {"base_url": base_url}))
    assert not Endpoint.objects.exists()


def test_on_the_scaled_footing_a_private_address_must_be_listed(settings: Any) -> None:
    settings.SCALED, settings.ENDPOINT_HOSTS = True, []
    with pytest.raises(CannotAdd, match="BLINDPAIR_ENDPOINT_HOSTS"):
        add_endpoint(**LOCAL)
    settings.ENDPOINT_HOSTS = [":8000"]
    assert add_endpoint(**LOCAL).pk
    assert not policy().private


def test_a_key_is_stored_encrypted_and_read_again() -> None:
    endpoint = add_endpoint(**LOCAL, secret="sk-very-secret")
    assert "very-secret" not in Endpoint.objects.get().secret
    assert target_of(endpoint).secret == "sk-very-secret"
    assert "very-secret" not in repr(target_of(endpoint))


def test_a_key_is_kept_in_one_place_only() -> None:
    with pytest.raises(CannotAdd, match="not both"):
        add_endpoint(**LOCAL, secret="sk-1", secret_env="A_KEY")


def test_another_host_demands_the_key_again() -> None:
    endpoint = add_endpoint(**LOCAL, secret="sk-very-secret")
    with pytest.raises(CannotAdd, match="enter its key again"):
        edit_endpoint(endpoint=endpoint, base_url="http://127.0.0.1:9000/v1")
    endpoint.refresh_from_db()
    edited = edit_endpoint(endpoint=endpoint, base_url="http://127.0.0.1:9000/v1", secret="sk-other")
    assert secret_of(edited) == "sk-other"


def test_a_key_cannot_be_read_for_a_host_that_was_changed_behind_our_back() -> None:
    endpoint = add_endpoint(**LOCAL, secret="sk-very-secret")
    Endpoint.objects.update(base_url="http://127.0.0.2:8000/v1")
    endpoint.refresh_from_db()
    with pytest.raises(Unreadable, match="enter it again"):
        secret_of(endpoint)


def test_a_key_copied_to_another_endpoint_cannot_be_read() -> None:
    one = add_endpoint(**LOCAL, secret="sk-very-secret")
    two = add_endpoint(**(LOCAL | {"name": "other"}))
    two.secret = one.secret
    with pytest.raises(Unreadable):
        secret_of(two)


def test_a_key_from_the_environment_is_read_at_the_time_of_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = add_endpoint(**LOCAL, secret_env="A_KEY_FOR_TESTS")
    assert "A_KEY_FOR_TESTS" not in os.environ
    with pytest.raises(NoKey, match="A_KEY_FOR_TESTS"):
        secret_of(endpoint)
    monkeypatch.setenv("A_KEY_FOR_TESTS", " sk-now ")
    assert secret_of(endpoint) == "sk-now"


@pytest.mark.parametrize("name", ["SECRET_KEY", "BLINDPAIR_ENCRYPTION_KEYS", "DATABASE_URL", "METRICS_TOKEN"])
def test_what_opens_the_installation_is_no_endpoints_key(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Whoever may name a variable may name an address, too."""
    monkeypatch.setenv(name, "our own")
    with pytest.raises(NoKey, match="opens this installation itself"):
        add_endpoint(**LOCAL, secret_env=name)
    endpoint = add_endpoint(**LOCAL)
    with pytest.raises(NoKey, match="opens this installation itself"):
        edit_endpoint(endpoint=endpoint, secret_env=name)
    Endpoint.objects.update(secret_env=name)  # as it may stand there from before
    with pytest.raises(NoKey, match="opens this installation itself"):
        secret_of(Endpoint.objects.get())


def test_every_setting_that_holds_a_secret_is_one_of_them(checkout: Path) -> None:
    told = re.findall(r'"([A-Z_]+)"', (checkout / "config/settings.py").read_text())
    secret = {name for name in told if re.search(r"_KEYS?$|_TOKEN$|_DSN$|^[A-Z]+_URL$", name)}
    assert secret - {"PUBLIC_URL", "ROOT_URL", "STATIC_URL", "LOGIN_URL"} <= OUR_OWN


def test_keys_move_to_the_first_key_of_the_ring(settings: Any) -> None:
    endpoint = add_endpoint(**LOCAL, secret="sk-very-secret")
    before, old = endpoint.secret, settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = f"{'n' * 40},{old}"
    assert rotate_secrets() == 1
    assert rotate_secrets() == 0
    settings.ENCRYPTION_KEYS = "n" * 40
    endpoint.refresh_from_db()
    assert endpoint.secret != before
    assert secret_of(endpoint) == "sk-very-secret"


def test_a_system_needs_somebody_to_ask_or_answers_at_hand() -> None:
    with pytest.raises(CannotAdd, match="needs an endpoint"):
        add_system(experiment=an_experiment(), name="a")


def test_a_server_is_not_asked_in_the_dialect_of_recorded_answers() -> None:
    endpoint = add_endpoint(**(LOCAL | {"dialect": "recorded", "preset": "", "base_url": ""}))
    with pytest.raises(CannotAdd, match="needs recorded answers: endpoint 'local'"):
        add_system(experiment=an_experiment(), name="s1", endpoint=endpoint, model_id="m")


def test_a_system_asks_no_more_at_a_time_than_its_endpoint_takes() -> None:
    with pytest.raises(CannotAdd, match="9 is more than the 8"):
        add_system(experiment=an_experiment(), name="a", endpoint=add_endpoint(**LOCAL), concurrency=9)


def test_parameters_are_checked_before_anything_is_sent() -> None:
    with pytest.raises(CannotAdd, match="temperature"):
        add_system(experiment=an_experiment(), name="a", endpoint=add_endpoint(**LOCAL), parameters={"temperature": -3})
    assert not System.objects.exists()


def test_two_systems_of_one_name_are_refused() -> None:
    experiment, endpoint = an_experiment(), add_endpoint(**LOCAL)
    add_system(experiment=experiment, name="a", endpoint=endpoint)
    with pytest.raises(CannotAdd, match="two systems"):
        add_system(experiment=experiment, name="a", endpoint=endpoint)


def test_recorded_answers_are_done_at_once_and_a_missing_one_is_no_failure() -> None:
    experiment = an_experiment(inputs=3)
    answers = {
        "in1": RecordedAnswer(text="One.", latency_ms=812.5, ttft_ms=90.0, input_tokens=7, output_tokens=3),
        "in3": RecordedAnswer(text="  \n"),
    }
    arm = add_system(experiment=experiment, name="api", recorded=answers)
    one, three = Completion.objects.order_by("input__position")
    assert (one.state, one.outcome, one.latency_ms, one.usage) == ("done", "complete", 812.5, {"input": 7, "output": 3})
    assert (three.state, three.outcome) == ("done", "empty")
    assert list(Output.objects.filter(arm=arm).order_by("pk").values_list("text", flat=True)) == ["One.", ""]
    start_collecting(experiment=experiment)
    assert Completion.objects.count() == 2


def test_recorded_answers_may_be_prepared_before_the_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = an_experiment(inputs=1)
    ready = prepare_recorded({"in1": RecordedAnswer(text="One.")}, prompts={"in1": "Question?"}, names=["Falcon"])
    monkeypatch.delattr("backends.actions.prepare_output")
    add_system(experiment=experiment, name="api", recorded=ready)
    assert Output.objects.get().text == "One."


@pytest.mark.parametrize("prepared", [False, True])
def test_more_answers_than_are_stored_together_stay_with_their_inputs(
    monkeypatch: pytest.MonkeyPatch, *, prepared: bool
) -> None:
    monkeypatch.setattr("backends.actions.AT_A_TIME", 2)
    experiment = an_experiment(inputs=5)
    answers = {f"in{number}": RecordedAnswer(text=f"Answer {number}.") for number in (5, 3, 1, 2)}
    ready = prepare_recorded(answers, prompts={}, names=[]) if prepared else answers
    arm = add_system(experiment=experiment, name="api", recorded=ready)
    texts = {key: answer.text for key, answer in answers.items()}
    assert dict(Output.objects.filter(arm=arm).values_list("input__external_id", "text")) == texts
    assert dict(Completion.objects.values_list("input__external_id", "raw_text")) == texts
    assert dict(Completion.objects.values_list("input__external_id", "output__text")) == texts


def test_a_recorded_answer_for_no_input_is_refused_whole() -> None:
    with pytest.raises(CannotAdd, match="'in9', which is no input's id"):
        add_system(
            experiment=an_experiment(),
            name="api",
            recorded={"in1": RecordedAnswer(text="One."), "in9": RecordedAnswer(text="Nine.")},
        )
    assert not System.objects.exists()


def test_the_name_of_a_system_in_an_answer_is_flagged() -> None:
    experiment = an_experiment(inputs=1)
    text = "As Falconette, I would say yes."
    add_system(
        experiment=experiment,
        name="falconette-7b",
        model_id="acme/falconette",
        recorded={"in1": RecordedAnswer(text=text)},
    )
    assert Output.objects.get().state == "flagged"


def test_starting_twice_adds_no_row_twice() -> None:
    experiment = an_experiment(inputs=2)
    add_system(experiment=experiment, name="a", endpoint=add_endpoint(**LOCAL), samples=2)
    assert start_collecting(experiment=experiment) == 4
    assert start_collecting(experiment=experiment) == 4
    experiment.refresh_from_db()
    assert experiment.status == Status.COLLECTING


def test_a_pause_names_its_reason_and_starting_again_lifts_it() -> None:
    experiment = an_experiment()
    add_system(experiment=experiment, name="a", endpoint=add_endpoint(**LOCAL))
    assert pause(experiment=experiment, system_name="a", reason="The GPU is needed.") == 1
    assert pause(experiment=experiment) == 0
    assert System.objects.get().pause_reason == "The GPU is needed."
    start_collecting(experiment=experiment)
    assert System.objects.get().paused_at is None


def test_an_unknown_system_is_refused_with_those_that_exist() -> None:
    experiment = an_experiment()
    add_system(experiment=experiment, name="a", endpoint=add_endpoint(**LOCAL))
    with pytest.raises(NoSuchSystem, match="It has: a"):
        pause(experiment=experiment, system_name="b")


def test_answers_that_cannot_be_rated_are_asked_again_before_the_seal_only() -> None:
    experiment = an_experiment(inputs=1)
    add_system(experiment=experiment, name="a", endpoint=add_endpoint(**LOCAL))
    start_collecting(experiment=experiment)
    output = Output.objects.create(
        input=experiment.inputs.get(), arm=System.objects.get().arm, text="Half", state="withheld"
    )
    Completion.objects.update(state="done", outcome="truncated", output=output, raw_text="Half")
    assert fetch_again(experiment=experiment, outcomes=["refused"]) == 0
    assert fetch_again(experiment=experiment, outcomes=["truncated"]) == 1
    row = Completion.objects.get()
    assert (row.state, row.outcome, row.raw_text) == ("pending", None, "")
    assert not Output.objects.exists()
    Experiment.objects.update(status="rating", sealed_at="2026-11-01T00:00Z", seal="0" * 64)
    with pytest.raises(TooLate, match="sealed"):
        start_collecting(experiment=experiment)
    with pytest.raises(TooLate, match="sealed"):
        fetch_again(experiment=experiment, outcomes=["truncated"])
