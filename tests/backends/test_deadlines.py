"""How long is waited for a server: each deadline by itself, and which can be set."""

from __future__ import annotations

import pytest

from backends.actions import CannotAdd, add_endpoint, edit_endpoint
from backends.client import Deadlines, WireClient
from backends.deadlines import deadlines_of, problems, stated
from backends.failures import BackendFailure
from backends.fetching import Attempt, fetch
from tests.constraints import refused_by
from tests.factories import an_endpoint
from tests.fakes.asking import HERE, a_chat, a_target
from tests.fakes.model_server import Hang, ModelServer, Reply, Wait, chunk, comments_for_ever, event, stream

LOCAL = {"name": "local", "dialect": "openai", "preset": "vllm", "base_url": "http://127.0.0.1:8000/v1"}


def asked(server: ModelServer, **seconds: float) -> tuple[Attempt, object]:
    deadlines = Deadlines(**({"connect": 60.0, "silence": 60.0, "total": 60.0} | seconds))
    with WireClient(policy=HERE, deadlines=deadlines) as client:
        return fetch(client, a_target(server.base_url), a_chat())


def test_a_first_token_that_does_not_come_ends_the_call_although_comments_do() -> None:
    with ModelServer(comments_for_ever()) as server:
        attempt, result = asked(server, first_token=0.2)
    assert isinstance(result, BackendFailure)
    assert attempt.failure_kind == "too_slow"
    assert "gave no first token within" in attempt.sentence
    assert "first-token deadline" in attempt.sentence


def test_once_the_first_token_is_there_only_the_whole_answers_deadline_counts() -> None:
    slow = Reply([event(chunk("One")), Wait(2.5), event(chunk(" two")), event(chunk(finish="stop"))])
    with ModelServer(slow) as server:
        attempt, _ = asked(server, first_token=2.0)
    assert attempt.failure_kind == ""


def test_thoughts_are_a_first_token() -> None:
    slow = Reply([event(chunk(reasoning="Hm")), Wait(2.5), event(chunk("Yes")), event(chunk(finish="stop"))])
    with ModelServer(slow) as server:
        attempt, _ = asked(server, first_token=2.0)
    assert attempt.failure_kind == ""


def test_silence_in_the_middle_ends_the_call_and_is_told_apart() -> None:
    with ModelServer(Reply([event(chunk("One")), Hang()])) as server:
        attempt, _ = asked(server, silence=1.0)
    assert attempt.failure_kind == "too_slow"
    assert "fell silent" in attempt.sentence


def test_a_whole_answer_that_takes_too_long_names_its_own_deadline() -> None:
    with ModelServer(stream(chunk("One"), Wait(60), chunk(finish="stop"))) as server:
        attempt, _ = asked(server, total=1.0)
    assert "no whole answer within" in attempt.sentence
    assert "total deadline" in attempt.sentence


@pytest.mark.django_db
def test_deadlines_are_kept_with_the_endpoint_and_changed_with_it() -> None:
    endpoint = add_endpoint(**LOCAL, deadlines={"total": 60.0, "first_token": 20.0})
    assert stated(endpoint) == {"connect": 10.0, "first_token": 20.0, "silence": 120.0, "total": 60.0}
    assert deadlines_of(endpoint) == Deadlines(connect=10.0, first_token=20.0, silence=60.0, total=60.0)
    assert add_endpoint(**LOCAL, deadlines={"total": 60.0, "first_token": 20.0}) == endpoint
    with pytest.raises(CannotAdd, match=r"total_seconds is 60\.0"):
        add_endpoint(**LOCAL, deadlines={"first_token": 20.0})
    edit_endpoint(endpoint=endpoint, deadlines={})
    assert stated(endpoint)["first_token"] is None
    edit_endpoint(endpoint=endpoint, deadlines={"connect": 3})
    edit_endpoint(endpoint=endpoint, max_concurrency=2)
    assert stated(endpoint)["connect"] == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"total": 0.0}, "'total' must be above 0"),
        ({"silence": -1.0}, "'silence' must be above 0"),
        ({"connect": 1e9}, "at most 86400 seconds"),
        ({"connect": float("nan")}, "must be above 0"),
        ({"read": 5.0}, "'read' is not known. Known are: connect, first_token, silence, total"),
        ({"first_token": 400.0}, "the first token may take 400 s, but the whole answer only 300 s: raise 'total'"),
    ],
)
def test_a_deadline_that_makes_no_sense_is_named(given: dict[str, float], why: str) -> None:
    with pytest.raises(CannotAdd) as refused:
        add_endpoint(**LOCAL, deadlines=given)
    assert why in str(refused.value)


def test_unknown_deadlines_are_named_in_the_order_in_which_they_were_given() -> None:
    given = ["read", "write", "pool", "first", "last", "whole"]
    assert [line.split("'")[1] for line in problems(dict.fromkeys(given, 5.0))] == given


@pytest.mark.django_db
def test_the_database_refuses_a_deadline_of_nothing_too() -> None:
    with refused_by("deadlines_within_an_answer_are_positive"):
        an_endpoint(silence_seconds=0)
    with refused_by("deadlines_within_an_answer_are_positive"):
        an_endpoint(first_token_seconds=0)
