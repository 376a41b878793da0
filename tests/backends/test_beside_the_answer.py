"""What servers say beside the answer: passed over where it is counted, kept where it may be looked up."""

from __future__ import annotations

from typing import Any

import pytest

from backends.presets import PRESETS
from tests.fakes.asking import answer
from tests.fakes.model_server import ModelServer, chunk, stream, usage

BESIDE: dict[str, dict[str, Any]] = {
    "llama.cpp's timings": {"timings": {"prompt_ms": 12.5, "predicted_ms": 80.1, "cache_n": 3}},
    "vLLM's metrics": {"metrics": {"time_to_first_token": 0.02, "queue_time": 0.001}},
    "OpenRouter's provider": {"provider": "SomeCloud"},
    "OpenAI's obfuscation": {"obfuscation": "aF3kz9"},
    "OpenAI's tier": {"service_tier": "default"},
}


@pytest.mark.parametrize("name", BESIDE)
def test_a_field_beside_the_answer_is_no_text_and_is_kept_in_the_tail(name: str) -> None:
    with ModelServer(stream(chunk("Paris") | BESIDE[name], chunk(finish="stop") | BESIDE[name])) as server:
        fetched = answer(server)
    assert fetched.text == "Paris"
    assert next(iter(BESIDE[name])) in fetched.raw_tail


def test_openrouters_cost_in_the_usage_is_kept_in_the_tail_and_the_tokens_count() -> None:
    paid = usage(10, 3) | {"cost": 0.00042}
    with ModelServer(stream(chunk("Paris"), chunk(finish="stop"), chunk(choices=[], usage=paid))) as server:
        fetched = answer(server, preset="openrouter")
    assert (fetched.usage.input, fetched.usage.output) == (10, 3)
    assert "0.00042" in fetched.raw_tail


def test_usage_in_every_chunk_counts_once_as_the_last_one_says() -> None:
    pieces = [chunk(text, usage=usage(10, n)) for n, text in enumerate(("Pa", "r", "is"), start=1)]
    with ModelServer(stream(*pieces, chunk(finish="stop", usage=usage(10, 4)))) as server:
        fetched = answer(server)
    assert (fetched.usage.input, fetched.usage.output) == (10, 4)


def test_a_stream_that_begins_without_a_role_is_understood() -> None:
    """guidellm's mock sends no role at all."""
    with ModelServer(stream(chunk("Paris"), chunk(finish="stop"))) as server:
        fetched = answer(server)
    assert fetched.text == "Paris"
    assert fetched.ttft_ms is not None


def test_deepseeks_cache_hits_are_cached_tokens() -> None:
    counted = {"prompt_tokens": 50, "completion_tokens": 2, "prompt_cache_hit_tokens": 30}
    with ModelServer(stream(chunk("Paris"), chunk(finish="stop", usage=counted))) as server:
        fetched = answer(server, preset="deepseek")
    assert (fetched.usage.input, fetched.usage.cached) == (50, 30)


@pytest.mark.parametrize("preset", sorted(PRESETS.keys() - {"recorded", "anthropic", "gemini"}))
def test_a_thinking_switch_reaches_every_server_as_it_was_written(preset: str) -> None:
    switches = {"chat_template_kwargs": {"enable_thinking": False}, "reasoning_effort": "low"}
    with ModelServer() as server:
        answer(server, preset=preset, parameters={**switches, "seed": 7})
    assert server.bodies[0].items() >= {**switches, "seed": 7}.items()
