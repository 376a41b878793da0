"""A small model server for the demonstration: speaks like vLLM over real HTTP, answers with texts of our own."""

import json
import os
import random
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MODEL = "demo-7b"
FIRST_TOKEN_SECONDS = 0.12
TOKENS_A_SECOND = 45.0
LONGEST_BODY = 1_000_000
OTHERWISE = "This small server only knows the sample requests. Ask it one of those, or connect a server of your own."


class DemoEndpoint:
    """The server in a thread of this process; `base_url` is where it listens once entered."""

    def __init__(self, answers: Mapping[str, str], *, port: int = 0, pace: float = 1.0) -> None:
        """`answers` by prompt; `pace` stretches all waits (0: none), for tests."""
        handler = type("DemoHandler", (Handler,), {"answers": dict(answers), "pace": pace})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def base_url(self) -> str:
        """For example http://127.0.0.1:40123/v1."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> "DemoEndpoint":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Handler(BaseHTTPRequestHandler):
    """GET /health, /version, /v1/models; POST /v1/chat/completions, streamed or whole."""

    protocol_version = "HTTP/1.1"
    answers: Mapping[str, str] = {}
    pace = 1.0

    def do_GET(self) -> None:
        """Facts about the server."""
        if self.path == "/health":
            self._send(200, b"")
        elif self.path == "/version":
            self._send_json(200, {"version": "0.0.0-demo"})
        elif self.path == "/v1/models":
            self._send_json(
                200,
                {"object": "list", "data": [{"id": MODEL, "object": "model", "root": MODEL, "max_model_len": 8192}]},
            )
        else:
            self._send_json(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        """One answer."""
        asked = self._asked()
        if self.path != "/v1/chat/completions":
            self._send_json(404, {"detail": "Not Found"})
        elif asked is None:
            self._send_error(400, "the body is not a chat request", "BadRequestError")
        elif asked.get("model") != MODEL:
            self._send_error(404, f"The model `{asked.get('model')}` does not exist.", "NotFoundError")
        else:
            self._answer(asked)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the signature of http.server
        """Silent: the terminal belongs to the web server."""

    def _asked(self) -> dict[str, Any] | None:
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= LONGEST_BODY:
            return None
        try:
            asked = json.loads(self.rfile.read(length))
        except ValueError:
            return None
        return asked if isinstance(asked, dict) and isinstance(asked.get("messages"), list) else None

    def _answer(self, asked: dict[str, Any]) -> None:
        prompt = next((one.get("content", "") for one in reversed(asked["messages"]) if one.get("role") == "user"), "")
        text = self.answers.get(str(prompt).strip(), OTHERWISE)
        pieces = list(_pieces(text))
        most = asked.get("max_completion_tokens") or asked.get("max_tokens") or len(pieces)
        finish = "length" if most < len(pieces) else "stop"
        pieces = pieces[:most]
        usage = {
            "prompt_tokens": sum(len(str(one.get("content", ""))) for one in asked["messages"]) // 4 + 1,
            "completion_tokens": len(pieces),
        }
        usage["total_tokens"] = sum(usage.values())
        draw = random.Random(str(prompt))  # noqa: S311  # a rhythm, no secret
        time.sleep(self.pace * FIRST_TOKEN_SECONDS * draw.lognormvariate(0, 0.4))
        if asked.get("stream"):
            options = asked.get("stream_options") or {}
            self._stream(pieces, finish, usage if options.get("include_usage") else None, draw)
        else:
            choice = {"index": 0, "message": {"role": "assistant", "content": "".join(pieces)}, "finish_reason": finish}
            self._send_json(200, _body("chat.completion", [choice]) | {"usage": usage})

    def _stream(self, pieces: list[str], finish: str, usage: dict[str, int] | None, draw: random.Random) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            self._event([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
            for piece in pieces:
                time.sleep(self.pace / TOKENS_A_SECOND * draw.uniform(0.6, 1.4))
                self._event([{"index": 0, "delta": {"content": piece}, "finish_reason": None}])
            self._event([{"index": 0, "delta": {"content": ""}, "finish_reason": finish}])
            if usage:
                self._event([], usage=usage)
            self._chunk(b"data: [DONE]\n\n")
            self._chunk(b"")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client went away: nothing is left to tell it

    def _event(self, choices: list[dict[str, Any]], **more: Any) -> None:
        self._chunk(b"data: " + json.dumps(_body("chat.completion.chunk", choices) | more).encode() + b"\n\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def _send_error(self, status: int, message: str, kind: str) -> None:
        self._send_json(status, {"error": {"message": message, "type": kind, "param": None, "code": status}})

    def _send_json(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, json.dumps(body).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _body(kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-demo",
        "object": kind,
        "created": int(time.time()),
        "model": MODEL,
        "system_fingerprint": "demo-endpoint",
        "choices": choices,
    }


def _pieces(text: str) -> Iterator[str]:
    """The text in pieces of four characters, about what a token is."""
    for start in range(0, len(text), 4):
        yield text[start : start + 4]


def main(inputs: Path, outputs: Path) -> None:
    """Serve the answers of two JSONL files until standard input ends: whoever started this process has gone then."""
    prompts = {row["id"]: row["input"] for row in _rows(inputs)}
    answers = {prompts[row["id"]].strip(): row["output"] for row in _rows(outputs)}
    port = int(os.environ.get("DEMO_ENDPOINT_PORT", "0"))
    try:
        endpoint = DemoEndpoint(answers, port=port)
    except OSError:
        endpoint = DemoEndpoint(answers)  # somebody took the port meanwhile
    with endpoint:
        sys.stdout.write(f"{endpoint.base_url}\n")
        sys.stdout.flush()
        sys.stdin.read()


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
