"""The load client of rating_cycle.py: one thread, plain sockets, as little work as possible beside the server.

It reads JSON from its standard input: {"port", "seats": [{"path", "cookies", "fields"}], "cycles"}. Every seat posts
its form so many times: it waits for the answer and posts the hidden fields of the form in it again, with a verdict.
It prints the times of all cycles in seconds, the whole span, and where each seat stands, as JSON.
"""

import json
import re
import selectors
import socket
import sys
import time
import zlib
from typing import Any
from urllib.parse import urlencode

HIDDEN = re.compile(rb'<input type="hidden" name="(\w+)" value="([^"]*)"')
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Seat:
    """One connection with one form after the other."""

    def __init__(self, port: int, path: str, cookies: str, fields: dict[str, str]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookies}\r\nAccept-Encoding: gzip\r\n"
            "HX-Request: true\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: "
        ).encode()
        self.fields, self.answer, self.sent, self.cycles = fields, b"", 0.0, 0

    def send(self) -> None:
        """Post the form."""
        body = urlencode(self.fields | {"verdict": "left"}).encode()
        self.sent, self.answer = time.perf_counter(), b""
        self.socket.sendall(self.head + str(len(body)).encode() + b"\r\n\r\n" + body)

    def take(self) -> bool:
        """Read what has come; whether the answer is whole. Raises where the server said anything but 200."""
        came = self.socket.recv(262144)
        if not came:
            raise ConnectionError("the server hung up")
        self.answer += came
        head, _, body = self.answer.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        return length is not None and len(body) >= int(length[1])

    def read(self) -> None:
        """Take the next form's fields. Raises where there is none."""
        head, _, body = self.answer.partition(b"\r\n\r\n")
        if b" 200 " not in head[:20]:
            raise ConnectionError(f"the server answered {head[:200]!r}")
        if b"content-encoding: gzip" in head.lower():
            body = zlib.decompress(body, wbits=31)
        self.fields = {name.decode(): value.decode() for name, value in HIDDEN.findall(body)}
        if not self.fields:
            raise ConnectionError(f"no form came: {head[:200]!r}")
        self.cycles += 1


def click(given: dict[str, Any]) -> dict[str, Any]:
    """Let every seat go through so many cycles."""
    seats = [Seat(given["port"], one["path"], one["cookies"], one["fields"]) for one in given["seats"]]
    watch, times, start = selectors.DefaultSelector(), [], time.perf_counter()
    for seat in seats:
        watch.register(seat.socket, selectors.EVENT_READ, seat)
        seat.send()
    end = start
    while watch.get_map():
        for key, _ in watch.select(30):
            seat = key.data
            if not seat.take():
                continue
            end = time.perf_counter()
            times.append(end - seat.sent)
            seat.read()
            if seat.cycles < given["cycles"]:
                seat.send()
            else:
                watch.unregister(seat.socket)
    return {"times": times, "span": end - start, "fields": [seat.fields for seat in seats]}


if __name__ == "__main__":
    print(json.dumps(click(json.loads(sys.stdin.read()))))
