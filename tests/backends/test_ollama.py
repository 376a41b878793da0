"""Ollama: its own chat API, and the messages that it drops without a word: foreseen, prevented, and found."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backends.preflight import Preflight, preflight
from tests.fakes.asking import a_client, a_target, answer, ask, refusal
from tests.fakes.model_server import (
    Asked,
    ModelServer,
    Reply,
    chunk,
    echoes,
    error_reply,
    json_reply,
    stream,
    usage,
)

TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "Capital of France?"},
]


def look(server: ModelServer, **more: Any) -> Preflight:
    with a_client() as client:
        return preflight(client, a_target(server.base_url, preset="ollama"), model="fake", **more)


def lines(*payloads: Any) -> Reply:
    return Reply(
        [json.dumps(payload, ensure_ascii=False).encode() + b"\n" for payload in payloads],
        headers={"content-type": "application/x-ndjson"},
    )


def piece(text: str = "", **more: Any) -> dict[str, Any]:
    return {"model": "qwen", "message": {"role": "assistant", "content": text, **more}, "done": False}


FINISHED = {**piece(), "done": True, "done_reason": "stop", "prompt_eval_count": 10, "eval_count": 5}


def test_ollama_is_asked_through_its_own_api_where_a_context_length_is_wanted() -> None:
    parameters = {"num_ctx": 16384, "max_tokens": 9, "temperature": 0, "stop": "END", "think": False}
    with ModelServer(lines(piece(thinking="Hm."), piece("Par\u2028"), piece("is"), FINISHED)) as server:
        fetched = answer(server, preset="ollama", parameters=parameters, messages=TALK)
    assert (fetched.text, fetched.reasoning, fetched.outcome) == ("Par\u2028is", "Hm.", "complete")
    assert (fetched.usage.input, fetched.usage.output, fetched.model) == (10, 5, "qwen")
    assert server.posts[0].path == "/api/chat"
    assert server.bodies[0] == {
        "model": "fake",
        "messages": TALK,
        "stream": True,
        "think": False,
        "truncate": False,
        "shift": False,
        "options": {"num_ctx": 16384, "num_predict": 9, "temperature": 0, "stop": ["END"]},
    }


def test_ollama_without_a_context_length_is_asked_like_the_others() -> None:
    with ModelServer() as server:
        answer(server, preset="ollama")
    assert server.posts[0].path == "/v1/chat/completions"


def test_ollama_refuses_through_its_own_api_what_does_not_fit() -> None:
    with ModelServer(error_reply(400, "the input length exceeds the context length")) as server:
        assert refusal(server, preset="ollama", parameters={"num_ctx": 4096}).kind.name == "too_long"
    assert (server.bodies[0]["truncate"], server.bodies[0]["shift"]) == (False, False)


def test_ollamas_thinking_is_switched_through_its_own_api_by_the_common_name() -> None:
    for effort, think in (("none", False), ("high", "high")):
        with ModelServer(lines(piece("Paris"), FINISHED)) as server:
            answer(server, preset="ollama", parameters={"num_ctx": 4096, "reasoning_effort": effort})
        assert server.bodies[0]["think"] == think
        assert "reasoning_effort" not in server.bodies[0]["options"]


@pytest.mark.parametrize(
    ("letters", "read", "context", "dropped"),
    [
        (8_000, 900, None, True),  # nine letters a token are no text: the older messages are gone
        (8_000, 2_000, None, False),
        (8_000, 2_048, 2_048, True),  # as much as there is room for
        (8_000, 2_047, 2_048, True),
        (8_000, 2_000, 2_048, False),
        (8_000, 0, None, False),  # some versions count nothing for a prompt that they know already
        (20, 10, None, False),
    ],
)
def test_messages_that_ollama_dropped_are_found_in_each_answer(
    letters: int, read: int, context: int | None, dropped: bool
) -> None:
    said = stream(chunk("Paris"), chunk(finish="stop", usage=usage(read, 1)))
    with ModelServer(said) as server:
        attempt, _ = ask(server, preset="ollama", prompt="word " * (letters // 5), context=context)
        other, _ = ask(server, preset="vllm", prompt="word " * (letters // 5), context=context)
    assert attempt.failure_kind == ("too_long" if dropped else "")
    if dropped:
        assert f"Ollama read only {read} tokens of an input of {letters} characters" in attempt.sentence
        assert "Raise num_ctx" in attempt.sentence
    assert other.failure_kind == "", "others refuse by themselves"


def test_an_ollama_stream_that_just_ends_did_not_happen() -> None:
    """Through /v1 its error line comes out as nothing at all."""
    with ModelServer(stream(done=False)) as server:
        assert refusal(server, preset="ollama").kind.name == "cut_off"
    with ModelServer(lines(piece("Par"))) as server:
        assert refusal(server, preset="ollama", parameters={"num_ctx": 4096}).kind.name == "cut_off"


def test_ollamas_error_line_is_a_failure() -> None:
    with ModelServer(lines(piece("Par"), {"error": "runner died"})) as server:
        failure = refusal(server, preset="ollama", parameters={"num_ctx": 4096})
    assert failure.kind.name == "cut_off"
    assert "runner died" in failure.sentence


def test_ollamas_length_is_truncated() -> None:
    with ModelServer(lines(piece("Par"), {**FINISHED, "done_reason": "length"})) as server:
        assert answer(server, preset="ollama", parameters={"num_ctx": 4096}).outcome == "truncated"


def test_ollamas_silent_dropping_is_foreseen() -> None:
    gets = {"/api/version": {"version": "0.12"}, "/api/ps": {"models": [{"name": "fake", "context_length": 4096}]}}

    def script(asked: Asked) -> Reply:
        if asked.path == "/api/show":
            return json_reply({"details": {"quantization_level": "Q4_K_M"}})
        return echoes(asked)

    with ModelServer(script, gets=gets) as server:
        long = look(server, longest_input=60_000)
        fits = look(server, longest_input=6_000)
    assert (long.quantisation, long.version) == ("Q4_K_M", "0.12")
    assert long.num_ctx == long.context_length == 20_480
    assert any("more than the context of 4096: Ollama is asked" in warning for warning in long.warnings)
    assert (fits.num_ctx, fits.context_length, fits.warnings) == (None, 4096, ())


def ollama(asked: Asked) -> Reply:
    """Its own API beside the common one, for a model of at most 8,192 tokens."""
    if asked.path == "/api/show":
        return json_reply({"model_info": {"qwen2.context_length": 8192}})
    if asked.path == "/api/chat":
        done = {"done": True, "done_reason": "stop", "prompt_eval_count": 10, "eval_count": 1}
        return json_reply({"message": {"role": "assistant", "content": "Yes."}, **done})
    return echoes(asked)


def test_ollamas_context_is_raised_where_the_longest_input_needs_it_and_the_probes_load_it_so() -> None:
    with ModelServer(ollama) as server:
        found = look(server, longest_input=12_000, parameters={"max_tokens": 100})
    assert found.num_ctx == 5120
    chats = [asked.body for asked in server.posts if asked.path == "/api/chat"]
    assert len(chats) == 3
    assert {body["options"]["num_ctx"] for body in chats} == {5120}


def test_ollamas_context_is_raised_no_further_than_the_model_goes_and_that_is_told() -> None:
    with ModelServer(ollama) as server:
        found = look(server, longest_input=60_000)
    assert found.num_ctx == 8192
    assert any(
        "may need 20000 tokens, the server has a context of 8192. Ollama refuses" in one for one in found.warnings
    )


def test_a_context_that_the_owner_chose_stays_and_one_too_short_is_told() -> None:
    with ModelServer(ollama) as server:
        found = look(server, longest_input=12_000, parameters={"num_ctx": 2048})
    assert (found.num_ctx, found.context_length) == (None, 2048)
    assert any("Ollama would drop the oldest messages" in warning for warning in found.warnings)


def test_short_inputs_leave_ollama_as_it_is() -> None:
    with ModelServer(ollama) as server:
        found = look(server, longest_input=300)
    assert (found.num_ctx, found.warnings) == (None, ())
