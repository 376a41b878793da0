"""When an answer is asked for again, how long is waited, and what is remembered of each attempt."""

from __future__ import annotations

import random
import socket
from pathlib import Path

import pytest

from backends.failures import BackendFailure, failure
from backends.fetching import Attempt, RetryPolicy, fetch, fetch_with_retries, wait_before_retry
from backends.streams import Offsets
from tests.fakes.asking import KEY, a_chat, a_client, a_target, ask_until_done, refusal
from tests.fakes.model_server import (
    Asked,
    Hang,
    ModelServer,
    Reply,
    Reset,
    answers,
    chunk,
    error_reply,
    event,
    stream,
)


def an_attempt(kind: str, number: int = 1) -> Attempt:
    return Attempt(number=number, waited_ms=0, offsets=Offsets(), failure_kind=kind, sent={})


def test_a_rate_limit_is_waited_out_as_long_as_the_server_says() -> None:
    with ModelServer([error_reply(429, headers={"retry-after": "20"}), answers("Paris")]) as server:
        result, waits = ask_until_done(server)
    assert result.fetched is not None
    assert result.fetched.text == "Paris"
    assert len(waits) == 1
    assert 20 <= waits[0] <= 21
    assert [attempt.failure_kind for attempt in result.attempts] == ["rate", ""]
    assert result.attempts[0].retry_after == 20.0


def test_a_wait_of_an_hour_is_cut_to_two_minutes() -> None:
    with ModelServer([error_reply(429, headers={"retry-after": "3600"}), answers("Paris")]) as server:
        _, waits = ask_until_done(server)
    assert 120 <= waits[0] <= 121


def test_a_busy_server_is_asked_again_with_growing_jittered_waits_and_then_given_up() -> None:
    with ModelServer(error_reply(503)) as server:
        result, waits = ask_until_done(server, policy=RetryPolicy(attempts=5, base=1.0, cap=3.0))
    assert (result.kind, result.stops_system, result.trips_circuit) == ("busy", False, True)
    assert [attempt.number for attempt in result.attempts] == [1, 2, 3, 4, 5]
    assert len(waits) == 4
    assert all(0 <= wait <= most for wait, most in zip(waits, (1, 2, 3, 3), strict=True))
    assert len(set(waits)) == 4


def test_the_jitter_is_full() -> None:
    draws = [
        wait_before_retry(failure("busy", "x"), [an_attempt("busy")] * 3, RetryPolicy(), random.Random(n))
        for n in range(400)
    ]
    numbers = [draw for draw in draws if draw is not None]
    assert len(numbers) == 400
    assert min(numbers) < 0.2
    assert 3.8 < max(numbers) <= 4.0


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 422])
def test_what_no_retry_mends_is_asked_once(status: int) -> None:
    with ModelServer(error_reply(status)) as server:
        result, waits = ask_until_done(server)
    assert (len(server.posts), waits) == (1, [])
    assert result.stops_system is (status in {401, 402, 403, 404})


def test_a_cut_answer_is_asked_from_zero_and_texts_are_never_joined() -> None:
    with ModelServer([Reply([event(chunk("Par")), Reset()]), answers("Rome")]) as server:
        result, waits = ask_until_done(server)
    assert result.fetched is not None
    assert result.fetched.text == "Rome"
    assert len(waits) == 1
    assert "Par" in result.attempts[0].raw_tail
    assert result.attempts[0].offsets.first_token is not None


def test_a_break_before_any_byte_is_asked_once_more_at_once() -> None:
    with ModelServer([Reply(headers_after=[Reset()]), answers("Paris")]) as server:
        result, waits = ask_until_done(server)
    assert result.fetched is not None
    assert waits == []
    with ModelServer(Reply(headers_after=[Reset()])) as server:
        result, waits = ask_until_done(server)
    assert (result.kind, len(server.posts), waits) == ("unreachable", 2, [])


def test_the_retry_after_a_dead_kept_alive_connection_is_on_a_fresh_one() -> None:
    def script(asked: Asked) -> Reply:
        return answers("Paris") if asked.number != 2 else Reply(headers_after=[Reset()])

    with ModelServer(script) as server, a_client() as client:
        target = a_target(server.base_url)
        fetch(client, target, a_chat("one"))
        fetch(client, target, a_chat("two"))
        fetch(client, target, a_chat("three"), fresh=True)
        fetch(client, target, a_chat("four"), fresh=True)
    assert [asked.connection for asked in server.posts] == [1, 1, 2, 3]


def test_a_server_that_is_not_there_is_told_in_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with a_client() as client:
            attempt, result = fetch(client, a_target(url), a_chat())
    assert isinstance(result, BackendFailure)
    assert result.kind.name == "unreachable"
    assert "Check the address and that the server runs." in attempt.sentence


def test_a_hanging_server_ends_at_the_deadline_and_is_asked_once_more() -> None:
    with ModelServer(Reply([Hang()])) as server:
        result, waits = ask_until_done(server, total=0.2)
    assert (result.kind, len(server.posts), waits) == ("too_slow", 2, [])
    assert all(180 <= (attempt.offsets.end or 0) < 60_000 for attempt in result.attempts)


def test_a_server_without_usage_in_its_stream_is_asked_again_without_it() -> None:
    refused = error_reply(400, "Unrecognized request argument supplied: stream_options")
    with ModelServer([refused, stream(chunk("Paris"), chunk(finish="stop"))]) as server:
        result, waits = ask_until_done(server)
    assert result.fetched is not None
    assert result.fetched.usage.estimated
    assert waits == []
    assert ["stream_options" in body for body in server.bodies] == [True, False]


def test_a_server_that_refuses_usage_for_ever_is_asked_twice_at_most() -> None:
    with ModelServer(error_reply(400, "stream_options is not allowed")) as server:
        result, _ = ask_until_done(server)
    assert (result.kind, len(server.posts)) == ("bad_request", 2)


def test_each_attempt_is_told_as_it_ends() -> None:
    told: list[Attempt] = []
    with ModelServer([error_reply(429, headers={"retry-after": "1"}), answers("Paris")]) as server:
        result, _ = ask_until_done(server, on_attempt=told.append)
    assert tuple(told) == result.attempts


def test_waits_are_beside_the_latency_and_never_in_it() -> None:
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    def script(asked: Asked) -> Reply:
        clock[0] += 0.5
        return answers("Paris") if asked.number == 2 else error_reply(429, headers={"retry-after": "30"})

    with ModelServer(script) as server, a_client() as client:
        result = fetch_with_retries(
            client, a_target(server.base_url), a_chat(), sleep=sleep, clock=lambda: clock[0], rng=random.Random(1)
        )
    assert result.fetched is not None
    assert result.fetched.latency_ms < 5000
    assert 30_000 <= result.waited_ms <= 31_000
    assert 31_000 <= result.user_ms <= 32_000
    assert result.attempts[1].offsets.sent >= 30_500


def test_a_sleep_may_raise_to_leave_early() -> None:
    class Leaving(Exception):
        pass

    def sleep(_: float) -> None:
        raise Leaving

    told: list[Attempt] = []
    with ModelServer(error_reply(503)) as server, a_client() as client, pytest.raises(Leaving):
        fetch_with_retries(client, a_target(server.base_url), a_chat(), sleep=sleep, on_attempt=told.append)
    assert [attempt.failure_kind for attempt in told] == ["busy"]


def test_a_secret_with_a_line_break_is_refused_without_being_shown() -> None:
    with ModelServer() as server:
        failed = refusal(server, secret=f"{KEY}\nx")
    assert failed.kind.name == "bad_request"
    assert "canary" not in f"{failed}{failed.raw}"


def test_no_key_is_in_any_repr() -> None:
    target = a_target("http://127.0.0.1:1/v1", headers={"x-extra": KEY})
    assert KEY not in repr(target)
    with ModelServer() as server:
        result, _ = ask_until_done(server)
    assert KEY not in repr(result)


def test_cookies_are_not_kept() -> None:
    said = stream(chunk("P"), chunk(finish="stop"), headers={"set-cookie": "a=b"})
    with ModelServer(said) as server, a_client() as client:
        for _ in range(2):
            fetch(client, a_target(server.base_url), a_chat())
    assert all("cookie" not in asked.headers for asked in server.posts)


def test_a_proxy_in_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with ModelServer() as server:
        result, _ = ask_until_done(server)
    assert result.fetched is not None


def test_a_password_for_the_host_in_the_operators_home_is_not_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with ModelServer() as server:
        ask_until_done(server)
    assert not [value for value in server.requests[-1].headers.values() if value.startswith("Basic")]
