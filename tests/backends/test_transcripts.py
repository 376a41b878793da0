"""What real servers said, read by the real client: vLLM, llama-server, transformers serve."""

from __future__ import annotations

import importlib.util
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from backends.failures import BackendFailure
from backends.fetching import fetch
from backends.streams import Fetched
from tests.fakes.asking import a_chat, a_client, a_target, answer, refusal
from tests.fakes.model_server import ModelServer
from tests.fakes.replaying import reply_of, transcript
from tests.needs import shared

LLAMA = "llama-server-from-llama-cpp-python-0.3.36"


def test_vllms_stream_is_read_with_the_fingerprint_that_comes_last() -> None:
    with ModelServer(reply_of(transcript("vllm-0.32.0/chat_stream_usage"))) as server:
        fetched = answer(server, preset="vllm")
    assert fetched.text == " attributecor copy29utedictses preceded"
    assert (fetched.model, fetched.fingerprint) == ("tiny", "vllm-0.32.0-10f85dc6")
    assert (fetched.usage.input, fetched.usage.output, fetched.usage.estimated) == (42, 9, False)


def test_vllms_reasoning_only_stream_is_empty() -> None:
    with ModelServer(reply_of(transcript("vllm-0.32.0-reasoning/chat_stream_usage"))) as server:
        fetched = answer(server, preset="vllm")
    assert (fetched.text, fetched.outcome) == ("", "empty")
    assert fetched.reasoning.startswith(" attributecor copy")


def test_llama_servers_stream_is_read_with_its_null_first_chunk() -> None:
    with ModelServer(reply_of(transcript(f"{LLAMA}/chat_stream_usage"))) as server:
        fetched = answer(server, preset="llamacpp")
    assert fetched.text == " depthlink defaultdictses precededcript S p klinkink"
    assert (fetched.outcome, fetched.fingerprint) == ("truncated", "b1-0c1e570")
    assert fetched.usage.output == 12


def test_transformers_serve_sends_no_done_and_usage_in_the_finish_chunk() -> None:
    with ModelServer(reply_of(transcript("transformers-serve-5.19.0/chat_stream_usage"))) as server:
        fetched = answer(server, preset="transformers")
    assert (fetched.outcome, fetched.model) == ("complete", "hf@main")
    assert "[DONE]" not in fetched.raw_tail
    assert (fetched.usage.input, fetched.usage.output) == (42, 9)


def test_vllms_anthropic_stream_is_read() -> None:
    with ModelServer(reply_of(transcript("vllm-0.32.0/anthropic_stream"))) as server:
        fetched = answer(server, preset="vllm", dialect="anthropic")
    assert (fetched.outcome, fetched.usage.input, fetched.usage.output) == ("truncated", 26, 12)
    assert fetched.text.startswith(" refle he")


def test_vllms_full_queue_is_busy() -> None:
    with ModelServer(reply_of(transcript("vllm-0.32.0/err_queue_full"))) as server:
        failure = refusal(server, preset="vllm")
    assert (failure.kind.name, failure.retry_after) == ("busy", None)


def test_arrival_times_are_measured_as_they_were_recorded() -> None:
    recorded = transcript("vllm-0.32.0/anthropic_stream")
    with ModelServer(reply_of(recorded, paced=True)) as server:
        fetched = answer(server, preset="vllm", dialect="anthropic")
    assert fetched.ttft_ms is not None
    assert fetched.ttft_ms >= 21.4 - 1  # a busy machine may only be late
    assert fetched.latency_ms >= 57.2 - 1
    assert fetched.headers_ms < fetched.ttft_ms < fetched.latency_ms


# ---- the whole collection ------------------------------------------------------------------------------------------

FAILURES = {
    "err_bad_json": {"vllm": "bad_request", "llama": "busy", "transformers": "bad_request"},
    "err_bad_temperature": {"vllm": "bad_request", "transformers": "busy"},
    "err_context_overflow": {"vllm": "too_long", "llama": "too_long"},
    "err_context_overflow_stream": {"vllm": "too_long", "llama": "too_long"},
    "anthropic_err_overflow": {"vllm": "too_long", "llama": "too_long", "transformers": "no_such_path"},
    "anthropic_err_unknown_model": {"vllm": "no_such_model", "transformers": "no_such_path"},
    "anthropic_message": {"transformers": "no_such_path"},
    "anthropic_stream": {"transformers": "no_such_path"},
    "chat_unknown_field": {"transformers": "bad_request"},
    "err_empty_messages": {"vllm": "bad_request", "transformers": "busy"},
    "err_max_tokens_too_big": {"vllm": "bad_request"},
    "err_messages_missing": {"vllm": "bad_request", "llama": "bad_request", "transformers": "busy"},
    "err_no_key": {"vllm": "auth", "llama": "auth"},
    "err_wrong_key": {"vllm": "auth", "llama": "auth"},
    "err_no_such_path": {"vllm": "no_such_path", "llama": "no_such_path", "transformers": "no_such_path"},
    "err_queue_full": {"vllm": "busy"},
    "err_unknown_model": {"vllm": "no_such_model", "transformers": "no_such_model"},
    "midstream_engine_death": {"vllm": "cut_off"},
}


def _replay(script: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("replay", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def replaying(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    replay = _replay(folder.parent / "replay.py")
    recordings = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    with replay.Server(("127.0.0.1", 0), replay.Handler) as server:
        server.speed, server.recs = 0, recordings
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", recordings
        server.shutdown()
        thread.join()


def _said(recorded: dict[str, Any]) -> tuple[str, str]:
    """Text and finish reason of a recording, read in the plainest way there is."""
    body = "".join(piece for _, piece in recorded["chunks"])
    lines = [line[5:] for line in body.split("\n") if line.startswith("data:")] or [body]
    text, finish = "", ""
    for payload in (json.loads(line) for line in lines if line.strip() != "[DONE]"):
        for choice in payload.get("choices", []):
            part = choice.get("delta") or choice.get("message") or {}
            text, finish = text + (part.get("content") or ""), choice.get("finish_reason") or finish
        blocks = [payload.get("delta"), payload.get("content_block"), *(payload.get("content") or [])]
        text += "".join(block.get("text", "") for block in blocks if isinstance(block, dict))
        finish = payload.get("stop_reason") or (payload.get("delta") or {}).get("stop_reason") or finish
    return text, finish


def _check(server: str, name: str, recorded: dict[str, Any], result: Fetched | BackendFailure) -> None:
    expected = FAILURES.get(name, {}).get(server.partition("-")[0])
    if expected is not None:
        assert isinstance(result, BackendFailure), (server, name)
        assert result.kind.name == expected, (server, name, result.sentence)
        return
    assert isinstance(result, Fetched), (server, name, result)
    text, finish = _said(recorded)
    assert (result.text, result.finish_reason) == (text, finish), (server, name)
    if not text.strip():
        assert result.outcome == "empty", (server, name)
    else:
        limits = {"length", "max_tokens"}
        assert result.outcome == ("truncated" if finish in limits else "complete"), (server, name)


def test_the_whole_collection_of_transcripts_is_read_right() -> None:
    collection, checked = shared("transcripts"), 0
    for folder in sorted(path for path in collection.iterdir() if path.is_dir()):
        with replaying(folder) as (url, recordings), a_client() as client:
            for name, recorded in recordings.items():
                if recorded["request"]["method"] != "POST":
                    continue
                dialect = "anthropic" if recorded["request"]["path"] == "/v1/messages" else "openai"
                target = a_target(url, dialect=dialect, preset="vllm", headers={"x-scenario": name})
                _, result = fetch(client, target, a_chat(model="no-such-model"))
                _check(folder.name, name, recorded, result)
                checked += 1
    assert checked >= 100
