"""What a fake model server can say: steps on an open connection, and the good and bad answers made of them."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Wait:
    """Says nothing for so many seconds (ends early when the server closes)."""

    seconds: float


@dataclass(frozen=True)
class Until:
    """Says nothing until a test sets the event."""

    event: threading.Event


@dataclass(frozen=True)
class Reset:
    """Breaks the connection with a TCP reset."""


@dataclass(frozen=True)
class Close:
    """Ends the connection before the body was finished."""


@dataclass(frozen=True)
class Hang:
    """Never says anything again."""


@dataclass(frozen=True)
class Repeat:
    """The same bytes for ever, with a pause after each."""

    data: bytes
    pause: float = 0.0


Step = bytes | Wait | Until | Reset | Close | Hang | Repeat


@dataclass(frozen=True)
class Reply:
    """A status line, headers and steps. A body is chunked unless `length` is given; `headers_after` delays the head.

    `raw`: the steps are the whole answer, head included.
    """

    steps: Sequence[Step] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "text/event-stream"})
    headers_after: Sequence[Step] = ()
    length: int | None = None
    raw: bool = False


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; `number` counts from 1, `at` is monotonic seconds, `connection` numbers the socket."""

    number: int
    method: str
    path: str
    headers: Mapping[str, str]  # lower-case names
    body: Any  # decoded JSON, or None
    at: float
    connection: int

    @property
    def prompt(self) -> str:
        """The last user message, in any of the dialects."""
        body = self.body if isinstance(self.body, dict) else {}
        for message in reversed(body.get("messages") or body.get("contents") or []):
            if message.get("role") in {"user", None}:
                content = message.get("content") or message.get("parts") or ""
                return content if isinstance(content, str) else "".join(p.get("text", "") for p in content)
        return ""


def _json(body: Any) -> dict[str, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return {"steps": [data], "headers": {"content-type": "application/json"}, "length": len(data)}


def json_reply(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A body in one piece; bytes as they are, anything else as JSON."""
    made = _json(body)
    return Reply(**{**made, "headers": {**made["headers"], **(headers or {})}}, status=status)


def text_reply(text: str, *, status: int = 200, content_type: str = "text/plain") -> Reply:
    data = text.encode()
    return Reply([data], status=status, headers={"content-type": content_type}, length=len(data))


def error_reply(status: int, message: str = "no", *, headers: Mapping[str, str] | None = None, **more: Any) -> Reply:
    return json_reply({"error": {"message": message, **more}}, status=status, headers=headers)


def stream(*payloads: Any, done: bool = True, headers: Mapping[str, str] | None = None) -> Reply:
    """Server-sent events: a dict becomes `data: JSON`, bytes and other steps stay what they are."""
    steps: list[Step] = [event(p) if isinstance(p, dict) else p for p in payloads]
    if done:
        steps.append(b"data: [DONE]\n\n")
    return Reply(steps, headers={"content-type": "text/event-stream; charset=utf-8", **(headers or {})})


def event(payload: Any, name: str = "") -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(payload, ensure_ascii=False)}\n\n".encode()


def chunk(
    content: str | None = None,
    *,
    finish: str | None = None,
    usage: Mapping[str, Any] | None = None,
    choices: Sequence[Any] | None = None,
    model: str = "fake",
    fingerprint: str = "fake-1",
    **delta: Any,
) -> dict[str, Any]:
    """One chat.completion.chunk; `choices=[]` for a chunk of usage only."""
    if content is not None:
        delta["content"] = content
    made = [{"index": 0, "delta": delta, "finish_reason": finish}] if choices is None else list(choices)
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "model": model,
        "system_fingerprint": fingerprint,
        "choices": made,
    }
    return {**body, "usage": dict(usage)} if usage else body


def usage(prompt: int = 10, completion: int = 5, *, cached: int = 0, reasoning: int = 0) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }


def answers(
    text: str = "Hello.",
    *,
    ttft: float = 0.0,
    gap: float = 0.0,
    finish: str = "stop",
    reasoning: str = "",
    tokens: Iterable[str] | None = None,
    counted: Mapping[str, Any] | None = None,
    model: str = "fake",
) -> Reply:
    """A good answer as vLLM streams one: role, thoughts, tokens (words by default), finish, usage, [DONE]."""
    pieces = list(tokens) if tokens is not None else _words(text)
    payloads: list[Any] = [chunk("", role="assistant", model=model), Wait(ttft)]
    payloads += [chunk(reasoning=word, model=model) for word in _words(reasoning)]
    for number, piece in enumerate(pieces):
        payloads += [Wait(gap)] if number and gap else []
        payloads.append(chunk(piece, model=model))
    counted = counted or usage(completion=len(pieces) + len(_words(reasoning)), reasoning=len(_words(reasoning)))
    return stream(*payloads, chunk(finish=finish, model=model), chunk(choices=[], usage=counted, model=model))


def _words(text: str) -> list[str]:
    words = text.split(" ")
    return [word if not number else f" {word}" for number, word in enumerate(words)] if text else []


def echoes(asked: Asked) -> Reply:
    """A script: answers each prompt with itself."""
    return answers(f"You said: {asked.prompt}")


def models(*names: str, **more: Any) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": name, "object": "model", "owned_by": "fake", **more} for name in names]}


def comments_for_ever(pause: float = 0.01) -> Reply:
    return Reply([event(chunk("", role="assistant")), Repeat(b": keep-alive\n\n", pause)])


def drip(pause: float = 0.01) -> Reply:
    """One byte of the head at a time, for ever."""
    return Reply([b"HTTP/1.1 200 OK\r\nx-drip: ", Repeat(b"a", pause)], raw=True)


def redirect(location: str, status: int = 307) -> Reply:
    return Reply(status=status, headers={"location": location}, length=0)


def login_page(status: int = 200) -> Reply:
    page = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><form></form></body></html>"
    return text_reply(page, status=status, content_type="text/html; charset=utf-8")


def gzip_bomb(megabytes: int = 100) -> Reply:
    data = gzip.compress(b"0" * 1_000_000 * megabytes, 1)
    return Reply([data], headers={"content-type": "application/json", "content-encoding": "gzip"}, length=len(data))


def huge_answer(megabytes: int = 10) -> Reply:
    """So much text as one stream."""
    piece = event(chunk("x" * 10_000))
    return Reply([piece] * (100 * megabytes) + [event(chunk(finish="stop"))])


def timed(*, ttft: float, tokens: int, total: float) -> Callable[[Asked], Reply]:
    """A script of known timing: the first token after `ttft` seconds, the last after `total`."""
    gap = (total - ttft) / max(1, tokens - 1)
    words = ["word", *[" word"] * (tokens - 1)]

    def script(_: Asked) -> Reply:
        return answers(tokens=words, ttft=ttft, gap=gap)

    return script
