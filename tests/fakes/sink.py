"""A Sentry that keeps what it is sent: envelopes over HTTP, as the real kit sends them."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import brotli


class Sink:
    """All that came in, as text."""

    def __init__(self) -> None:
        self.envelopes: list[str] = []
        self.address = ""

    @property
    def events(self) -> list[dict[str, Any]]:
        """The errors among it."""
        found = []
        for envelope in self.envelopes:
            lines = envelope.splitlines()
            for head, body in zip(lines[1::2], lines[2::2], strict=False):
                if json.loads(head).get("type") == "event":
                    found.append(json.loads(body))
        return found


@contextmanager
def listening() -> Iterator[Sink]:
    """A sink on loopback, with the address (DSN) of a project of its own."""
    sink = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            packed = self.headers.get("Content-Encoding", "")
            body = {"gzip": gzip.decompress, "br": brotli.decompress, "": bytes}[packed](body)
            sink.envelopes.append(body.decode())
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sink.address = f"http://public@127.0.0.1:{server.server_port}/7"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
