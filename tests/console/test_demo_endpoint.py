"""The demonstration's model server speaks like vLLM: streams, usage, lengths, errors; and it ends with its starter."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from console.demo_endpoint import MODEL, OTHERWISE, DemoEndpoint

ANSWER = "Two days, and not a minute more."


@pytest.fixture
def endpoint() -> Iterator[DemoEndpoint]:
    with DemoEndpoint({"How long?": ANSWER}, pace=0) as running:
        yield running


def ask(endpoint: DemoEndpoint, method: str, path: str, body: object = None) -> tuple[int, bytes]:
    host = endpoint.base_url.removeprefix("http://").removesuffix("/v1")
    connection = HTTPConnection(host, timeout=60)
    connection.request(method, path, json.dumps(body) if body is not None else None)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


def chat(prompt: str, **more: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": prompt}]} | more


def events(content: bytes) -> list[str]:
    return [part.removeprefix("data: ") for part in content.decode().split("\n\n") if part]


def test_it_streams_the_answer_piece_by_piece_with_usage(endpoint: DemoEndpoint) -> None:
    wanted = chat("How long?", stream=True, stream_options={"include_usage": True})
    status, content = ask(endpoint, "POST", "/v1/chat/completions", wanted)
    *chunks, last = events(content)
    read = [json.loads(chunk) for chunk in chunks]
    texts = [one["choices"][0]["delta"].get("content") or "" for one in read if one["choices"]]
    assert (status, last) == (200, "[DONE]")
    assert "".join(texts) == ANSWER
    assert len(texts) > 5
    assert read[-2]["choices"][0]["finish_reason"] == "stop"
    assert read[-1]["usage"]["completion_tokens"] == 8


def test_it_answers_whole_where_no_stream_is_wanted(endpoint: DemoEndpoint) -> None:
    status, content = ask(endpoint, "POST", "/v1/chat/completions", chat("How long?"))
    assert (status, json.loads(content)["choices"][0]["message"]["content"]) == (200, ANSWER)


def test_it_cuts_at_the_limit_and_says_so(endpoint: DemoEndpoint) -> None:
    _, content = ask(endpoint, "POST", "/v1/chat/completions", chat("How long?", max_tokens=2))
    [choice] = json.loads(content)["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("Two days", "length")


def test_it_says_what_it_does_not_know(endpoint: DemoEndpoint) -> None:
    _, content = ask(endpoint, "POST", "/v1/chat/completions", chat("Something else"))
    assert json.loads(content)["choices"][0]["message"]["content"] == OTHERWISE


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/chat/completions", {"model": "another", "messages": []}, 404),
        ("/v1/chat/completions", {"model": MODEL}, 400),
        ("/v1/chat/completions", [], 400),
        ("/v1/elsewhere", {"model": MODEL, "messages": []}, 404),
    ],
)
def test_it_refuses_like_the_real_one(endpoint: DemoEndpoint, path: str, body: object, status: int) -> None:
    assert ask(endpoint, "POST", path, body)[0] == status


def test_it_lists_its_model_and_is_healthy(endpoint: DemoEndpoint) -> None:
    assert ask(endpoint, "GET", "/health")[0] == 200
    assert json.loads(ask(endpoint, "GET", "/v1/models")[1])["data"][0]["id"] == MODEL


def test_it_ends_when_its_starter_is_gone(checkout: Path) -> None:
    ours, theirs = os.pipe()
    words = [sys.executable, "-m", "console.demo_endpoint", "samples/inputs.jsonl", "samples/hosted.jsonl"]
    with subprocess.Popen(words, stdin=ours, stdout=subprocess.PIPE, cwd=checkout, text=True) as process:
        os.close(ours)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        os.close(theirs)
        assert process.wait(timeout=120) == 0
