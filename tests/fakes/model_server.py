"""A model server on a real socket that misbehaves on demand, and remembers what it was asked.

    with ModelServer(answers("Paris.")) as server:
        ... ask server.base_url ...
        assert server.counts["Capital of France?"] == 1

A script is a `Reply`, a list of replies (one for each question in turn, the last repeats), or a function from
`Asked` to a `Reply`. A reply is a list of steps on the open connection: bytes to send, `Wait`, `Until`, `Reset`, …
Run as a program it is the server of known timing:  python -m tests.fakes.model_server --port 9000 --ttft 0.1
"""

from __future__ import annotations

import argparse
import gzip
import json
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


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


Script = Reply | Sequence[Reply] | Callable[[Asked], Reply]


class ModelServer:
    """Serves a script on 127.0.0.1 until closed. `gets` maps paths of GET requests to JSON bodies or replies."""

    def __init__(self, script: Script | None = None, *, gets: Mapping[str, Any] | None = None, port: int = 0) -> None:
        self.script: Script = script if script is not None else answers("Hello.")
        self.gets: dict[str, Any] = {"/v1/models": models("fake"), **(gets or {})}
        self.requests: list[Asked] = []
        self.counts: Counter[str] = Counter()
        self.most_at_once = 0
        self.connections = 0
        self.closing = threading.Event()
        self._at_once = 0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.fake = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.port = int(self._server.server_address[1])
        self.root = f"http://127.0.0.1:{self.port}"
        self.base_url = f"{self.root}/v1"

    @property
    def posts(self) -> list[Asked]:
        return [asked for asked in self.requests if asked.method == "POST"]

    @property
    def bodies(self) -> list[Any]:
        return [asked.body for asked in self.posts]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stops listening and breaks what is open."""
        self.closing.set()
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()
        with self._lock:
            for connection in self._open:
                connection.close()

    def reply_to(self, asked: Asked) -> Reply:
        if asked.method == "GET":
            found = self.gets.get(asked.path, Reply(status=404, **_json({"detail": "Not Found"})))
            return found if isinstance(found, Reply) else json_reply(found)
        if isinstance(self.script, Reply):
            return self.script
        if callable(self.script):
            return self.script(asked)
        return self.script[min(len(self.posts), len(self.script)) - 1]

    def note(self, asked: Asked) -> None:
        with self._lock:
            self.requests.append(asked)
            if asked.method == "POST":
                self.counts[asked.prompt] += 1

    def busy(self, change: int) -> None:
        with self._lock:
            self._at_once += change
            self.most_at_once = max(self.most_at_once, self._at_once)

    def opened(self, connection: socket.socket) -> int:
        with self._lock:
            self._open.add(connection)
            self.connections += 1
            return self.connections

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    fake: ModelServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    number = 0

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = self.server.fake.opened(self.connection)

    def finish(self) -> None:
        self.server.fake.closed(self.connection)
        super().finish()

    def do_POST(self) -> None:
        fake = self.server.fake
        data = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(
            len(fake.requests) + 1, self.command, self.path, headers, _decoded(data), time.monotonic(), self.number
        )
        fake.note(asked)
        fake.busy(+1)
        try:
            self._say(fake.reply_to(asked))
        except OSError:
            self.close_connection = True
        finally:
            fake.busy(-1)

    def do_GET(self) -> None:
        self.do_POST()

    def _say(self, reply: Reply) -> None:
        for step in reply.headers_after:
            if not self._take(step, chunked=False):
                return
        if not reply.raw:
            self._head(reply)
        chunked = not reply.raw and reply.length is None
        for step in reply.steps:
            if not self._take(step, chunked=chunked):
                return
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
        if reply.raw:
            self.close_connection = True

    def _head(self, reply: Reply) -> None:
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.length is None:
            self.send_header("transfer-encoding", "chunked")
        else:
            self.send_header("content-length", str(reply.length))
        self.end_headers()

    def _take(self, step: Step, *, chunked: bool) -> bool:
        """Does one step; False where the connection is over."""
        closing = self.server.fake.closing
        if isinstance(step, bytes):
            self._write(step, chunked=chunked)
        elif isinstance(step, Wait):
            closing.wait(step.seconds)
        elif isinstance(step, Until):
            while not step.event.wait(0.05) and not closing.is_set():
                pass
        elif isinstance(step, Repeat):
            while not closing.is_set():
                self._write(step.data, chunked=chunked)
                closing.wait(step.pause)
        else:
            self._break(step)
            return False
        return not closing.is_set()

    def _write(self, data: bytes, *, chunked: bool) -> None:
        if data:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data) if chunked else data)
            self.wfile.flush()

    def _break(self, step: Reset | Close | Hang) -> None:
        self.close_connection = True
        if isinstance(step, Hang):
            self.server.fake.closing.wait()
        elif isinstance(step, Reset):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's own name for it
        """Quiet."""


def _decoded(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None


def _json(body: Any) -> dict[str, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return {"steps": [data], "headers": {"content-type": "application/json"}, "length": len(data)}


# ---- replies -------------------------------------------------------------------------------------------------------


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


def main() -> int:
    parser = argparse.ArgumentParser(description="A model server of known timing.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ttft", type=float, default=0.1, help="seconds to the first token")
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--total", type=float, default=0.57, help="seconds to the last token")
    given = parser.parse_args()
    with ModelServer(timed(ttft=given.ttft, tokens=given.tokens, total=given.total), port=given.port) as server:
        sys.stdout.write(f"{server.base_url}\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
