"""Collecting when the server misbehaves: one clear sentence each, no storm, and it goes on when it can."""

import threading
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from backends import checking, trouble
from backends.actions import resume, start_collecting
from backends.checking import mark_cold_starts
from backends.collecting import drain_until_idle
from backends.models import Attempt, Completion, System
from backends.queries import failures, findings, progress
from tests.backends.scenes import a_collecting_experiment, an_engine, questions, states, until
from tests.fakes.model_server import Asked, ModelServer, Reply, Until, chunk, echoes, error_reply, stream
from tests.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE = {"before": {"server": "fake"}, "after": {"server": "fake"}}


def unless(bad: Reply, *prompts: str) -> object:
    """A script that gives the bad reply to these inputs, and an echo to all else."""
    return lambda asked: bad if any(prompt in asked.prompt for prompt in prompts) else echoes(asked)


@pytest.mark.parametrize("checked", [False, True])
def test_a_rejected_key_stops_the_system_at_once_with_one_sentence(checked: bool) -> None:
    with ModelServer(error_reply(401, "Incorrect API key")) as server:
        preflight = BEFORE if checked else {}
        experiment = a_collecting_experiment(server, inputs=20, concurrency=2, preflight=preflight)
        drain_until_idle(experiment.pk)
        assert len(server.posts) <= 3
        server.script = echoes
        first = failures(experiment)[0]
        assert (first.input, first.kind) == (None, "auth")
        assert "refused the key (401)" in first.sentence
        assert "resume" in first.sentence
        system = System.objects.get()
        assert system.pause_reason == first.sentence
        resume(experiment=experiment)
        drain_until_idle(experiment.pk)
    assert states(experiment) == {"done": 20}
    assert failures(experiment) == []


def test_an_unknown_model_stops_the_system_with_one_sentence() -> None:
    with ModelServer(error_reply(404, "The model `x` does not exist.", code="model_not_found")) as server:
        experiment = a_collecting_experiment(server, inputs=20, preflight={})
        drain_until_idle(experiment.pk)
    (only,) = failures(experiment)
    assert only.kind == "no_such_model"
    assert states(experiment) == {"pending": 20}


def test_a_key_whose_variable_is_not_set_is_named() -> None:
    with ModelServer(echoes) as server:
        experiment = a_collecting_experiment(server, endpoint={"secret_env": "NO_SUCH_KEY_HERE"})
        drain_until_idle(experiment.pk)
        assert server.posts == []
    (only,) = failures(experiment)
    assert "NO_SUCH_KEY_HERE" in only.sentence


def test_the_key_is_read_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    with ModelServer(echoes) as server:
        experiment = a_collecting_experiment(server, endpoint={"secret_env": "A_KEY_FOR_TESTS"})
        monkeypatch.setenv("A_KEY_FOR_TESTS", "sk-read-late")
        drain_until_idle(experiment.pk)
    assert {asked.headers["authorization"] for asked in server.posts} == {"Bearer sk-read-late"}


@pytest.mark.parametrize("checked", [False, True])
def test_a_dead_endpoint_gives_one_sentence_and_leaves_the_rows_in_line(checked: bool) -> None:
    address = f"http://127.0.0.1:{free_port()}/v1"
    experiment = a_collecting_experiment(address, inputs=10, preflight=BEFORE if checked else {})
    drain_until_idle(experiment.pk)
    (only,) = failures(experiment)
    assert (only.input, only.kind) == (None, "unreachable")
    assert "could not be reached (Connection refused)" in only.sentence
    assert states(experiment) == {"pending": 10}


def test_a_stream_that_is_always_cut_fails_its_row_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = stream(chunk("", role="assistant"), chunk("Half of"))
    with ModelServer(unless(cut, "number 2?")) as server:
        experiment = a_collecting_experiment(server, inputs=3, concurrency=3)
        drain_until_idle(experiment.pk)
    (only,) = failures(experiment)
    assert (only.input, only.kind) == ("in2", "cut_off")
    assert "without a finish reason" in only.sentence
    assert "again" not in only.sentence  # it is not, by itself
    assert states(experiment) == {"done": 2, "failed": 1}
    assert questions(server).count("Question number 2?") == 4
    assert Attempt.objects.filter(failure_kind="cut_off").count() == 4


def test_failed_rows_are_asked_again_only_when_somebody_says_so() -> None:
    with ModelServer(unless(error_reply(400, "no"), "number 2?")) as server:
        experiment = a_collecting_experiment(server, inputs=3)
        drain_until_idle(experiment.pk)
        server.script = echoes
        start_collecting(experiment=experiment)
        drain_until_idle(experiment.pk)
        assert states(experiment) == {"done": 2, "failed": 1}
        start_collecting(experiment=experiment, retry_failed=True)
        drain_until_idle(experiment.pk)
    assert states(experiment) == {"done": 3}
    assert len(questions(server)) == 4
    assert list(Completion.objects.order_by("pk").values_list("attempts", flat=True)) == [1, 2, 1]


def test_after_a_rate_limit_fewer_are_asked_at_a_time_and_the_wait_is_what_was_asked() -> None:
    limited = error_reply(429, "slow down", headers={"retry-after": "1"})

    def script(asked: Asked) -> Reply:
        return limited if asked.number in {2, 3} and asked.prompt.startswith("Question") else echoes(asked)

    with ModelServer(script) as server:
        experiment = a_collecting_experiment(server, inputs=6, concurrency=4)
        drain_until_idle(experiment.pk)
    assert states(experiment) == {"done": 6}
    assert (System.objects.get().lowered_to or 4) < 4
    waited = Attempt.objects.filter(number=2)
    assert waited.exists()
    assert all(attempt.wait_ms >= 1000 for attempt in waited)
    row = waited[0].completion
    assert (row.user_ms or 0) >= 1000 + (row.latency_ms or 0) > 1000


def test_a_long_wait_is_spent_in_line_not_in_a_place() -> None:
    limited = error_reply(429, "slow down", headers={"retry-after": "60"})
    with ModelServer(unless(limited, "number 1?")) as server:
        experiment = a_collecting_experiment(server, inputs=2)
        with an_engine():
            until(lambda: Completion.objects.filter(not_before__isnull=False).exists())
        row, system = Completion.objects.get(input__external_id="in1"), System.objects.get()
    assert (row.state, row.attempts) == ("pending", 1)
    assert row.not_before is not None
    assert system.circuit_until is not None
    soon = timezone.now() + timedelta(seconds=50)
    assert row.not_before > soon
    assert system.circuit_until > soon
    assert questions(server) == ["Question number 1?"]
    (only,) = failures(experiment)
    assert only.kind == "rate"


def test_a_row_that_waited_in_line_counts_the_wait_for_its_user() -> None:
    with ModelServer(echoes) as server:
        experiment = a_collecting_experiment(server, inputs=1)
        past = timezone.now() - timedelta(seconds=90)
        row = Completion.objects.get()
        row.started_at, row.not_before, row.attempts = past, timezone.now() - timedelta(seconds=1), 1
        row.save()
        Attempt.objects.create(completion=row, number=1, at=past, failure_kind="rate")
        drain_until_idle(experiment.pk)
    row.refresh_from_db()
    assert row.attempts == 2
    assert (row.user_ms or 0) > 89_000
    assert (row.latency_ms or 0) < 60_000


def test_after_five_failures_in_a_row_the_server_rests_and_the_run_finishes_without_a_click(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trouble, "FIRST_REST_SECONDS", 0.5)
    with ModelServer(error_reply(503, "loading")) as server:
        experiment = a_collecting_experiment(server, inputs=12, concurrency=4)
        with an_engine():
            until(lambda: System.objects.get().circuit_until is not None)
            until(lambda: not Completion.objects.filter(state="running").exists())
            in_row = System.objects.get().failures_in_row
            asked = len(questions(server))
            assert 5 <= in_row <= 12
            until(lambda: len(questions(server)) > asked)
            assert len(questions(server)) - asked <= 2, "half open, one call at a time finds out"
            assert failures(experiment)[0].kind == "busy"
            server.script = echoes
            until(lambda: progress(experiment).done == 12)
    assert System.objects.get().failures_in_row == 0
    assert failures(experiment) == []


def test_a_failed_check_before_collecting_asks_no_input_and_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "FIRST_REST_SECONDS", 0.2)
    with ModelServer(error_reply(503, "loading")) as server:
        experiment = a_collecting_experiment(server, inputs=2, preflight={})
        with an_engine():
            until(lambda: System.objects.get().failures_in_row >= 5)
            assert questions(server) == []
            server.script = echoes
            until(lambda: progress(experiment).done == 2)


def test_a_process_that_lost_the_race_for_the_check_works_on_when_the_other_is_gone() -> None:
    """The one that looked at the system was killed: the other must not wait for it for ever."""
    with ModelServer(echoes) as server:
        experiment = a_collecting_experiment(server, inputs=3, preflight={})
        soon = timezone.now() + timedelta(seconds=60)
        System.objects.update(preflight={"asking": soon.isoformat()})
        with an_engine():
            time.sleep(0.5)
            assert server.posts == []
            System.objects.update(preflight={"before": {"server": "fake"}})
            until(lambda: progress(experiment).done == 3)


def test_a_check_whose_process_was_killed_is_made_by_another() -> None:
    with ModelServer(echoes) as server:
        experiment = a_collecting_experiment(server, inputs=1, preflight={})
        System.objects.update(preflight={"asking": timezone.now().isoformat()})
        drain_until_idle(experiment.pk)
    assert states(experiment) == {"done": 1}


def test_a_long_check_is_not_begun_by_another_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "ASKING_SECONDS", 4.0)
    gate = threading.Event()

    def script(asked: Asked) -> Reply:
        return echoes(asked) if gate.is_set() else stream(Until(gate), chunk("Yes."), chunk(finish="stop"))

    with ModelServer(script) as server:
        experiment = a_collecting_experiment(server, inputs=1, preflight={})
        with an_engine(lease_seconds=4), an_engine(lease_seconds=4):
            until(lambda: len(server.posts) == 1)
            first = System.objects.get().preflight["asking"]
            until(lambda: System.objects.get().preflight["asking"] > first, "nobody said that it still asks")
            assert len(server.posts) == 1
            gate.set()
            until(lambda: progress(experiment).done == 1)


def test_systems_are_checked_before_and_after_and_two_alike_are_told() -> None:
    with ModelServer(echoes) as server:
        experiment = a_collecting_experiment(server, inputs=1, systems=2, preflight={})
        System.objects.filter(name="system-2").update(model_id="other")
        drain_until_idle(experiment.pk)
    for system in System.objects.all():
        assert system.preflight.keys() == {"before", "after"}
    worst = findings(experiment)[0]
    assert worst.level == "red"
    assert "word for word alike" in worst.sentence


def test_a_server_that_changed_during_collecting_is_told() -> None:
    def script(asked: Asked) -> Reply:
        late = any(earlier.prompt.startswith("Question") for earlier in server.posts)
        return stream(
            chunk("Yes.", fingerprint="quantised" if late else "whole"),
            chunk(finish="stop", fingerprint="quantised" if late else "whole"),
        )

    with ModelServer(script) as server:
        experiment = a_collecting_experiment(server, inputs=1, preflight={})
        drain_until_idle(experiment.pk)
    assert "fingerprint changed" in findings(experiment)[0].sentence


def test_a_call_that_is_not_counted_warms_the_server_up_after_a_rest() -> None:
    with ModelServer(echoes) as server:
        experiment = a_collecting_experiment(server, inputs=2)
        drain_until_idle(experiment.pk)
    assert len(server.posts) == 3
    assert not server.posts[0].prompt.startswith("Question")


def test_a_first_answer_far_slower_than_the_others_is_a_cold_start() -> None:
    with ModelServer(echoes) as server:
        a_collecting_experiment(server, inputs=5)
    now = timezone.now()
    for number, row in enumerate(Completion.objects.order_by("pk")):
        row.state, row.outcome, row.sample = "done", "complete", 1
        row.latency_ms = 6000.0 if number in {0, 2} else 1000.0
        row.finished_at = now + timedelta(seconds=10 * number)
        row.save()
    assert mark_cold_starts(System.objects.get().pk) == 1
    assert list(Completion.objects.order_by("pk").values_list("cold", flat=True)) == [True, False, False, False, False]


def test_a_halted_row_is_back_in_line_in_the_middle_of_its_waits() -> None:
    with ModelServer(error_reply(429, "slow down", headers={"retry-after": "5"})) as server:
        experiment = a_collecting_experiment(server, inputs=1)
        with an_engine():
            until(lambda: len(questions(server)) == 1)
    assert states(experiment) == {"pending": 1}
    assert len(questions(server)) == 1
