"""The other dialects over a real socket: Anthropic's messages, Gemini's generateContent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.adapters import ADAPTERS
from backends.error_answers import from_event, read_error
from tests.fakes.asking import answer, refusal
from tests.fakes.model_server import ModelServer, Wait, event, json_reply, stream

TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "Capital of France?"},
]


# ---- Anthropic -----------------------------------------------------------------------------------------------------


def said(kind: str, **fields: Any) -> bytes:
    return event({"type": kind, **fields}, name=kind)


def message_start(**usage: int) -> bytes:
    return said("message_start", message={"id": "msg_1", "model": "claude-x-20260101", "content": [], "usage": usage})


def text(piece: str) -> bytes:
    return said("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})


def thinking(piece: str) -> bytes:
    return said("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": piece})


def message_delta(stop: str, **usage: int) -> bytes:
    return said("message_delta", delta={"stop_reason": stop}, usage=usage)


STOP = said("message_stop")


def test_anthropic_puts_text_blocks_together_and_keeps_thinking_apart() -> None:
    steps = [
        message_start(input_tokens=10, cache_read_input_tokens=90, cache_creation_input_tokens=7, output_tokens=1),
        said("ping"),
        thinking("Hm."),
        said("content_block_delta", delta={"type": "signature_delta", "signature": "x"}),
        said("content_block_stop", index=0),
        Wait(0.1),
        text("Par"),
        text("is"),
        said("content_block_start", index=2, content_block={"type": "text", "text": "."}),
        said("content_block_delta", index=3, delta={"type": "input_json_delta", "partial_json": "{}"}),
        message_delta("end_turn", output_tokens=25),
        STOP,
    ]
    with ModelServer(stream(*steps, done=False)) as server:
        fetched = answer(server, dialect="anthropic")
    assert (fetched.text, fetched.reasoning, fetched.outcome) == ("Paris.", "Hm.", "complete")
    assert (fetched.model, fetched.request_id) == ("claude-x-20260101", "msg_1")
    counted = fetched.usage
    assert (counted.input, counted.cached, counted.cache_write, counted.output) == (100, 90, 7, 25)
    assert fetched.ttft_ms is not None
    assert fetched.first_visible_ms is not None
    assert fetched.first_visible_ms - fetched.ttft_ms >= 50


def test_anthropic_gets_its_system_apart_a_limit_always_and_an_explicit_version() -> None:
    with ModelServer(stream(message_start(), text("P"), message_delta("end_turn"), STOP, done=False)) as server:
        answer(server, dialect="anthropic", messages=TALK, parameters={"stop": "END", "temperature": 0, "top_k": 5})
    asked = server.posts[0]
    assert asked.path == "/v1/messages"
    assert asked.headers["anthropic-version"] == "2023-06-01"
    assert asked.body == {
        "model": "fake",
        "system": "Be brief.",
        "messages": TALK[1:],
        "max_tokens": 4096,
        "stop_sequences": ["END"],
        "temperature": 0,
        "top_k": 5,
        "stream": True,
    }


def test_anthropics_new_version_gets_no_sampling() -> None:
    parameters = {"temperature": 0, "top_p": 0.9, "top_k": 5, "anthropic_version": "2026-10-21", "max_tokens": 9}
    with ModelServer(stream(message_start(), text("P"), message_delta("end_turn"), STOP, done=False)) as server:
        answer(server, dialect="anthropic", parameters=parameters)
    assert server.posts[0].headers["anthropic-version"] == "2026-10-21"
    assert set(server.bodies[0]) == {"model", "messages", "max_tokens", "stream"}


@pytest.mark.parametrize(
    ("stop", "outcome"),
    [
        ("end_turn", "complete"),
        ("stop_sequence", "complete"),
        ("max_tokens", "truncated"),
        ("model_context_window_exceeded", "truncated"),
        ("refusal", "refused"),
    ],
)
def test_anthropics_stop_reasons_are_mapped(stop: str, outcome: str) -> None:
    with ModelServer(stream(message_start(), text("Paris"), message_delta(stop), STOP, done=False)) as server:
        assert answer(server, dialect="anthropic").outcome == outcome


def test_anthropic_refusing_without_a_word_is_refused_and_not_empty() -> None:
    with ModelServer(stream(message_start(), message_delta("refusal"), STOP, done=False)) as server:
        assert answer(server, dialect="anthropic").outcome == "refused"


def test_anthropic_without_a_stop_reason_did_not_happen() -> None:
    with ModelServer(stream(message_start(), text("Par"), STOP, done=False)) as server:
        assert refusal(server, dialect="anthropic").kind.name == "cut_off"


@pytest.mark.parametrize(("began", "kind"), [(False, "busy"), (True, "cut_off")])
def test_anthropics_error_event_is_a_failure(began: bool, kind: str) -> None:
    error = said("error", error={"type": "overloaded_error", "message": "Overloaded"})
    with ModelServer(stream(message_start(), *([text("Par")] if began else []), error, done=False)) as server:
        failure = refusal(server, dialect="anthropic")
    assert failure.kind.name == kind
    assert "Overloaded" in failure.sentence


def test_anthropics_rate_limit_inside_a_stream_is_no_spending_limit() -> None:
    error = said("error", error={"type": "rate_limit_error", "message": "slow down"})
    with ModelServer(stream(message_start(), error, done=False)) as server:
        assert refusal(server, dialect="anthropic").kind.name == "rate"


def test_a_whole_anthropic_message_is_understood() -> None:
    body = {
        "type": "message",
        "id": "msg_1",
        "model": "m",
        "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Paris"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 5, "output_tokens": 3},
    }
    with ModelServer(json_reply(body)) as server:
        fetched = answer(server, dialect="anthropic")
    assert (fetched.text, fetched.reasoning, fetched.usage.input) == ("Paris", "Hm.", 5)


# ---- Gemini --------------------------------------------------------------------------------------------------------


def candidate(*parts: dict[str, Any], finish: str = "", **usage: int) -> dict[str, Any]:
    made: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if finish:
        made["finishReason"] = finish
    return {"candidates": [made], "usageMetadata": usage, "modelVersion": "gemini-x", "responseId": "r-1"}


def test_gemini_skips_thoughts_and_counts_the_last_usage_with_thoughts_as_output() -> None:
    chunks = [
        candidate({"text": "Hm.", "thought": True}, promptTokenCount=10, thoughtsTokenCount=4),
        candidate({"text": "Par"}, promptTokenCount=10, candidatesTokenCount=1, thoughtsTokenCount=4),
        candidate(
            {"text": "is"},
            finish="STOP",
            promptTokenCount=10,
            cachedContentTokenCount=8,
            candidatesTokenCount=2,
            thoughtsTokenCount=4,
        ),
    ]
    with ModelServer(stream(*chunks, done=False)) as server:
        fetched = answer(server, dialect="gemini")
    assert (fetched.text, fetched.reasoning, fetched.outcome) == ("Paris", "Hm.", "complete")
    counted = fetched.usage
    assert (counted.input, counted.cached, counted.output, counted.reasoning) == (10, 8, 6, 4)
    assert (fetched.model, fetched.request_id) == ("gemini-x", "r-1")


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("../../files/x", "/v1/files/x"),
        ("models/../../../admin", "/v1/models/admin"),
        ("tunedModels/mine", "/v1/tunedModels/mine"),
        ("models/x?key=1#2", "/v1/models/x%3Fkey%3D1%232"),
        ("models//.//x", "/v1/models/x"),
    ],
)
def test_the_name_of_a_model_leads_to_no_other_place_of_the_server(model: str, path: str) -> None:
    with ModelServer(stream(candidate({"text": "P"}, finish="STOP"), done=False)) as server:
        answer(server, dialect="gemini", model=model)
    assert server.posts[0].path == f"{path}:streamGenerateContent?alt=sse"


def test_gemini_gets_its_own_names_and_roles() -> None:
    parameters = {"max_tokens": 9, "temperature": 0, "top_p": 0.9, "top_k": 5, "seed": 1, "stop": "END"}
    parameters["extra_body"] = {"safetySettings": [], "generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}}
    with ModelServer(stream(candidate({"text": "P"}, finish="STOP"), done=False)) as server:
        answer(server, dialect="gemini", messages=TALK, model="gemini-x", parameters=parameters)
    asked = server.posts[0]
    assert asked.path == "/v1/models/gemini-x:streamGenerateContent?alt=sse"
    assert asked.body == {
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}]},
            {"role": "model", "parts": [{"text": "Hello."}]},
            {"role": "user", "parts": [{"text": "Capital of France?"}]},
        ],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "safetySettings": [],
        "generationConfig": {
            "maxOutputTokens": 9,
            "temperature": 0,
            "topP": 0.9,
            "topK": 5,
            "seed": 1,
            "stopSequences": ["END"],
            "thinkingConfig": {"thinkingBudget": 0},
        },
    }


@pytest.mark.parametrize(
    ("finish", "outcome"),
    [
        ("STOP", "complete"),
        ("MAX_TOKENS", "truncated"),
        ("SAFETY", "refused"),
        ("RECITATION", "refused"),
        ("PROHIBITED_CONTENT", "refused"),
    ],
)
def test_geminis_finish_reasons_are_mapped(finish: str, outcome: str) -> None:
    with ModelServer(stream(candidate({"text": "Paris"}, finish=finish), done=False)) as server:
        assert answer(server, dialect="gemini").outcome == outcome


def test_geminis_blocked_prompt_without_candidates_is_refused() -> None:
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 5}}
    with ModelServer(stream(blocked, done=False)) as server:
        assert answer(server, dialect="gemini").outcome == "refused"


def test_a_gemini_stream_that_just_ends_did_not_happen() -> None:
    with ModelServer(stream(candidate({"text": "Par"}), done=False)) as server:
        assert refusal(server, dialect="gemini").kind.name == "cut_off"


def test_gemini_thinking_without_parts_is_empty() -> None:
    only = {"candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}]}
    with ModelServer(stream({**only, "usageMetadata": {"thoughtsTokenCount": 60}}, done=False)) as server:
        fetched = answer(server, dialect="gemini")
    assert (fetched.outcome, fetched.usage.output) == ("empty", 60)


def test_a_gemini_array_in_place_of_a_stream_is_understood() -> None:
    with ModelServer(json_reply([candidate({"text": "Par"}), candidate({"text": "is"}, finish="STOP")])) as server:
        assert answer(server, dialect="gemini").text == "Paris"


# ---- whatever they say ---------------------------------------------------------------------------------------------

NAMES = [
    *(
        "choices",
        "delta",
        "message",
        "content",
        "error",
        "usage",
        "index",
        "finish_reason",
        "reasoning",
        "type",
        "text",
    ),
    *("thinking", "stop_reason", "candidates", "parts", "finishReason", "usageMetadata", "promptFeedback", "done"),
    *("prompt_tokens", "prompt_tokens_details", "done_reason", "model", "id", "code", "status", "detail", "loc"),
]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "text", "stop", "message"])
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
)


@given(payload=ANYTHING)
def test_no_adapter_breaks_on_a_payload_of_wrong_types(payload: object) -> None:
    for adapter in filter(None, ADAPTERS.values()):
        for found in adapter.read(payload, 1.0):
            assert isinstance(found.text, str)
        adapter.about([payload])


@given(payload=ANYTHING)
def test_no_error_body_is_too_odd_to_be_put_into_a_sentence(payload: object) -> None:
    failed = from_event(payload, host="h", began=False, raw="")
    assert failed.sentence
    assert read_error(json.dumps(payload)).message is not None
