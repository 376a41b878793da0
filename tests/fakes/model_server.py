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
import json
import socket
import ssl
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.fakes.replies import (
    Asked,
    Close,
    Hang,
    Repeat,
    Reply,
    Reset,
    Step,
    Until,
    Wait,
    answers,
    chunk,
    comments_for_ever,
    drip,
    echoes,
    error_reply,
    event,
    gzip_bomb,
    huge_answer,
    json_reply,
    login_page,
    models,
    redirect,
    stream,
    text_reply,
    timed,
    usage,
)

# One import gives a test the server and all that it can say.
__all__ = [
    "Asked",
    "Close",
    "Hang",
    "ModelServer",
    "Repeat",
    "Reply",
    "Reset",
    "Script",
    "Step",
    "Until",
    "Wait",
    "answers",
    "chunk",
    "comments_for_ever",
    "drip",
    "echoes",
    "error_reply",
    "event",
    "gzip_bomb",
    "huge_answer",
    "json_reply",
    "login_page",
    "models",
    "redirect",
    "stream",
    "text_reply",
    "timed",
    "usage",
]


Script = Reply | Sequence[Reply] | Callable[[Asked], Reply]


class ModelServer:
    """Serves a script on 127.0.0.1 until closed. `gets` maps paths of GET requests to JSON bodies or replies."""

    def __init__(
        self,
        script: Script | None = None,
        *,
        gets: Mapping[str, Any] | None = None,
        port: int = 0,
        secure: ssl.SSLContext | None = None,
    ) -> None:
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
        if secure is not None:
            self._server.socket = secure.wrap_socket(self._server.socket, server_side=True)
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
                with suppress(OSError):  # closing alone leaves it open for as long as its handler reads
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()

    def reply_to(self, asked: Asked) -> Reply:
        if asked.method == "GET":
            found = self.gets.get(asked.path, json_reply({"detail": "Not Found"}, status=404))
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
    busy = False

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
        self._be(busy=True)
        try:
            self._say(fake.reply_to(asked))
        except OSError:
            self.close_connection = True
        finally:
            self._be(busy=False)

    def do_GET(self) -> None:
        self.do_POST()

    def _be(self, *, busy: bool) -> None:
        if busy != self.busy:
            self.busy = busy
            self.server.fake.busy(+1 if busy else -1)

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
        self._be(busy=False)  # who has read the end may ask for the next before this thread is run again
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
