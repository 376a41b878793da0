"""Knows how a connection is opened: only to a checked address, and never for longer than the attempt's deadline."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from typing import Any

import httpcore

from backends.failures import BackendError, TransientError
from backends.hosts import AddressPolicy

Resolve = Callable[[str, int], Sequence[str]]
SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class Watch:
    """One attempt's stop watch, in ms since it was made; deadlines in seconds: for its first token, and whole.

    `waits`: no token has come yet.
    """

    __slots__ = ("clock", "connect_ms", "deadline", "started", "total", "waits")

    def __init__(
        self, total: float, clock: Callable[[], float] = time.monotonic, *, first_token: float | None = None
    ) -> None:
        self.clock, self.total = clock, total
        self.started = clock()
        self.waits = first_token is not None
        self.deadline = self.started + min(total, first_token or total)
        self.connect_ms: float | None = None

    def begin(self) -> None:
        """The first token is there: from now on only the whole answer's deadline counts."""
        self.waits, self.deadline = False, self.started + self.total

    def ms(self) -> float:
        return (self.clock() - self.started) * 1000

    def remaining(self) -> float:
        return self.deadline - self.clock()

    def expired(self) -> bool:
        return self.remaining() <= 0


# A socket knows nothing of the request it serves; the reading thread does.
current_watch: ContextVar[Watch | None] = ContextVar("current_watch", default=None)


def resolve(host: str, port: int) -> list[str]:
    """Every address of a name, in the system's order, each once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class DeadlineStream(httpcore.NetworkStream):
    """A stream whose single reads end with the attempt's deadline, so that a drip of bytes cannot outlast it."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _within(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _within(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        limit = _within(timeout, httpcore.ConnectTimeout)
        secured = self._stream.start_tls(ssl_context, server_hostname, limit)
        _note_connected()
        return DeadlineStream(secured)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _within(timeout: float | None, error: type[Exception]) -> float | None:
    watch = current_watch.get()
    if watch is None:
        return timeout
    remaining = watch.remaining()
    if remaining <= 0:
        raise error("the deadline of the attempt has passed")
    return remaining if timeout is None else min(timeout, remaining)


def _note_connected() -> None:
    if (watch := current_watch.get()) is not None:
        watch.connect_ms = watch.ms()


class CheckedNetwork(httpcore.NetworkBackend):
    """Resolves a name once, refuses it if any of its addresses is forbidden, and connects to an address it checked."""

    def __init__(self, policy: AddressPolicy, resolve: Resolve = resolve) -> None:
        self._policy = policy
        self._resolve = resolve
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self._checked(host, port)
        options = list(socket_options or ())
        for number, address in enumerate(addresses, start=1):
            try:
                stream = self._sockets.connect_tcp(
                    address, port, _within(timeout, httpcore.ConnectTimeout), local_address, options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(addresses):
                    raise
                continue
            _note_connected()
            return DeadlineStream(stream)
        raise TransientError("unreachable", f"The name {host} has no address. Check the endpoint's base address.")

    def _checked(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError):
            raise TransientError(
                "unreachable", f"The name {host} could not be resolved. Check the endpoint's base address and the DNS."
            ) from None
        for address in addresses:
            if objection := self._policy.objection(host, address, port):
                raise BackendError("forbidden_address", objection)
        return addresses
