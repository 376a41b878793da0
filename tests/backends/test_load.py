"""Throughput runs: bounded, honest, and never against somebody else's server by accident."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backends.actions import add_endpoint, add_system
from backends.load import CannotLoad, run_load
from backends.models import Completion, LoadRun, System
from tests.backends.scenes import an_asked_experiment
from tests.factories import a_system, an_experiment
from tests.fakes.model_server import ModelServer, answers, echoes, error_reply

pytestmark = pytest.mark.django_db(transaction=True)


def a_run(experiment: Any, **fields: Any) -> list[LoadRun]:
    return run_load(experiment=experiment, **({"system_name": "system-1", "concurrency": [1], "requests": 5} | fields))


def test_each_level_has_so_many_calls_under_way_and_says_what_came_of_it() -> None:
    with ModelServer(answers("Yes.", ttft=0.05)) as server:
        one, four = a_run(an_asked_experiment(server), concurrency=[1, 4], requests=12)
    assert (one.requests, four.requests, one.failed) == (12, 12, 0)
    assert [run.throughput for run in (one, four)] == [pytest.approx(12 / run.seconds, rel=0.01) for run in (one, four)]
    assert one.throughput < 20, "each takes at least 50 ms"
    assert four.throughput < 80
    assert 50 <= one.quantiles["e2e_p50"] <= one.quantiles["e2e_p95"]
    assert one.quantiles["ttft_p50"] >= 50
    assert server.most_at_once == 4


def test_the_experiments_own_inputs_are_asked_in_turn_and_nothing_is_stored_of_the_answers() -> None:
    with ModelServer(echoes) as server:
        a_run(an_asked_experiment(server, inputs=3), requests=6)
    asked = [one.prompt for one in server.posts][1:]
    assert sorted(asked) == sorted([f"Question number {n}?" for n in (1, 2, 3)] * 2)
    assert not Completion.objects.exists()


def test_a_level_ends_when_its_time_is_up() -> None:
    with ModelServer(answers("Yes.", ttft=0.05)) as server:
        (run,) = a_run(an_asked_experiment(server), requests=2000, seconds=0.3)
    assert run.requests < 20
    assert run.seconds < 60, "all of them would take 100 s"


def test_failed_requests_are_counted_apart() -> None:
    with ModelServer(lambda asked: error_reply(503) if asked.number % 3 == 0 else answers("Yes.")) as server:
        (run,) = a_run(an_asked_experiment(server), requests=9)
    assert (run.requests, run.failed) == (9, 3)


def test_a_server_that_answers_nothing_is_told_in_its_own_words() -> None:
    with (
        ModelServer(error_reply(401, "bad key")) as server,
        pytest.raises(CannotLoad, match=r"no answer came at concurrency 1: .*refused the key"),
    ):
        a_run(an_asked_experiment(server))
    assert len(server.posts) <= 7


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"concurrency": []}, "concurrency is one or more"),
        ({"concurrency": [0]}, "from 1 to 256"),
        ({"requests": 100_000}, "from 1 to 2000"),
        ({"seconds": 0.0}, "above 0"),
        ({"system_name": "nobody"}, "It has: system-1"),
    ],
)
def test_nonsense_is_refused_before_anything_is_asked(fields: dict[str, Any], why: str) -> None:
    with ModelServer(echoes) as server:
        experiment = an_asked_experiment(server)
        with pytest.raises(CannotLoad, match=why):
            a_run(experiment, **fields)
        assert server.posts == []


def test_a_recorded_system_has_nothing_to_load() -> None:
    experiment = an_experiment()
    a_system(experiment, "system-1")
    with pytest.raises(CannotLoad, match="recorded answers only"):
        a_run(experiment)


@pytest.mark.parametrize(
    "where",
    [
        {"dialect": "openai", "preset": "openai", "base_url": ""},
        {"dialect": "openai", "preset": "vllm", "base_url": "http://93.184.215.14/v1"},
    ],
)
def test_somebody_elses_server_is_not_loaded_unless_told_so(where: dict[str, str]) -> None:
    experiment = an_experiment()
    add_system(experiment=experiment, name="system-1", endpoint=add_endpoint(name="api", **where), model_id="m")
    with pytest.raises(CannotLoad, match="--api"):
        a_run(experiment)


def test_collecting_and_loading_do_not_disturb_each_other() -> None:
    with ModelServer(echoes) as server:
        experiment = an_asked_experiment(server)
        Completion.objects.create(
            system=System.objects.get(),
            input=experiment.inputs.first(),
            state="running",
            claim="x",
            lease_until=timezone.now() + timedelta(seconds=30),
        )
        with pytest.raises(CannotLoad, match="Pause it"):
            a_run(experiment)
