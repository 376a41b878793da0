"""Knows httpx, and is the only place that does: one client per drain, its limits, and its errors in our words."""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Self
from urllib.parse import urlsplit

import httpcore
import httpx
import httpx_sse

from backends.adapters.contract import WireRequest
from backends.failures import BackendError, BackendFailure, TransientError
from backends.hosts import AddressPolicy
from backends.network import CheckedNetwork, Resolve, Watch, current_watch, resolve

BODY_CAP = 2_000_000  # bytes of an answer in one piece
ERRNO = re.compile(r"\[Errno -?\d+\] ")  # says nothing to whoever reads the sentence
STREAM_CAP = 64_000_000  # bytes of a stream: about 300 of wrapping to each token


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Seconds: to connect, to the first token (None: as long as the whole), of silence between two reads, and for a
    whole attempt whatever arrives meanwhile."""

    connect: float = 10.0
    first_token: float | None = None
    silence: float = 300.0
    total: float = 600.0


class _Transport(httpx.HTTPTransport):
    """httpx's own transport over a pool of ours: it offers no way to hand in how sockets are opened."""

    def __init__(self, network: CheckedNetwork, context: ssl.SSLContext, connections: int, keep: int) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=connections,
            max_keepalive_connections=keep,
            keepalive_expiry=30.0,
            network_backend=network,
        )


class Exchange:
    """One answer while it is read. Header names in lower case."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()

    def events(self) -> Iterator[str]:
        """The data of each server-sent event; UTF-8 whatever the header says, as the standard wants."""
        self._response.encoding = "utf-8-sig"
        self._response.stream = _Capped(self._response.stream, STREAM_CAP)
        for event in httpx_sse.EventSource(self._response).iter_sse():
            if event.data:
                yield event.data

    def lines(self) -> Iterator[str]:
        """The lines of newline-delimited JSON, split at line feeds only."""
        self._response.stream = _Capped(self._response.stream, STREAM_CAP)
        rest = b""
        for piece in self._response.iter_raw():
            *whole, rest = (rest + piece).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in whole if line.strip())
        if rest.strip():
            yield rest.decode("utf-8", "replace")

    def body(self, cap: int = BODY_CAP) -> str:
        """The whole body as text."""
        self._response.stream = _Capped(self._response.stream, cap)
        return b"".join(self._response.iter_raw()).decode("utf-8-sig", "replace")


class _Capped(httpx.SyncByteStream):
    def __init__(self, stream: Any, cap: int) -> None:
        self._stream, self._cap = stream, cap

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for piece in self._stream:
            size += len(piece)
            if size > self._cap:
                raise BackendError(
                    "too_big",
                    f"The answer was larger than {self._cap / 1e6:.0f} MB and was dropped. Lower max_tokens, "
                    "and check that the base address is a model server's.",
                )
            yield piece

    def close(self) -> None:
        self._stream.close()


@cache
def _trusted(ca_file: str | None) -> ssl.SSLContext:
    """Reading all certificates takes 25 ms, most of what a short drain would cost."""
    return ssl.create_default_context(cafile=ca_file) if ca_file else httpx.create_ssl_context(trust_env=False)


class WireClient:
    """The one way out. Blocking; shared by the threads of one drain; closed at its end.

    Follows no redirect, keeps no cookie, reads no proxy or key from the environment, asks for no compression.
    """

    def __init__(
        self,
        *,
        policy: AddressPolicy,
        concurrency: int = 1,
        deadlines: Deadlines | None = None,
        ca_file: str | None = None,
        resolve: Resolve = resolve,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.deadlines = deadlines or Deadlines()
        self._clock = clock
        context = _trusted(ca_file)
        network = CheckedNetwork(policy, resolve)
        connections = max(1, concurrency) + 2
        self._kept = self._client(_Transport(network, context, connections, connections))
        self._fresh = self._client(_Transport(network, context, connections, 0))

    def _client(self, transport: httpx.BaseTransport) -> httpx.Client:
        limits = httpx.Timeout(self.deadlines.silence, connect=self.deadlines.connect, pool=self.deadlines.total)
        client = httpx.Client(transport=transport, timeout=limits, trust_env=False, follow_redirects=False)
        client.headers.clear()
        client.headers.update({"Accept-Encoding": "identity", "User-Agent": "blindpair", "Connection": "keep-alive"})
        return client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._kept.close()
        self._fresh.close()

    def watch(self) -> Watch:
        return Watch(self.deadlines.total, self._clock, first_token=self.deadlines.first_token)

    @contextmanager
    def exchange(self, request: WireRequest, watch: Watch, *, fresh: bool = False) -> Iterator[Exchange]:
        """Sends a request and hands out the answer as soon as its headers are there.

        `fresh`: on a new connection, after one that was kept alive had died. Raises `BackendFailure` for whatever
        goes wrong on the way, also while the caller reads.
        """
        client = self._fresh if fresh else self._kept
        client.cookies.clear()
        token = current_watch.set(watch)
        try:
            with (
                _in_our_words(request.url, watch),
                client.stream(
                    request.method, request.url, headers=_headers(request), content=_encoded(request.body)
                ) as response,
            ):
                if response.headers.get("content-encoding", "identity").lower() not in {"", "identity"}:
                    raise BackendError(
                        "not_an_api",
                        f"{_host(request.url)} answered compressed although asked not to, so its answer was not read. "
                        "Switch compression off on the server or the proxy before it.",
                    )
                yield Exchange(response)
        finally:
            current_watch.reset(token)

    def get_json(self, url: str, headers: Mapping[str, str]) -> tuple[int, Any]:
        """Status and decoded body of a small GET, None where it is no JSON; raises `BackendFailure` if not reached."""
        return self._json(WireRequest(url=url, headers=headers, method="GET"))

    def post_json(self, url: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> tuple[int, Any]:
        """The same for a small POST."""
        return self._json(WireRequest(url=url, headers=headers, body=body))

    def _json(self, request: WireRequest) -> tuple[int, Any]:
        with self.exchange(request, self.watch()) as exchange:
            text = exchange.body()
        try:
            return exchange.status, json.loads(text)
        except (ValueError, RecursionError):
            return exchange.status, None


def _headers(request: WireRequest) -> dict[str, str]:
    accept = "text/event-stream, application/json" if request.method == "POST" else "application/json"
    kind = {"Content-Type": "application/json"} if request.body is not None else {}
    return {"Accept": accept, **kind, **request.headers}


def _encoded(body: Mapping[str, Any] | None) -> bytes | None:
    return None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def _host(url: str) -> str:
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2]


@contextmanager
def _in_our_words(url: str, watch: Watch) -> Iterator[None]:
    host = _host(url)
    try:
        yield
    except BackendFailure:
        raise
    except (httpx.InvalidURL, UnicodeEncodeError, httpx.LocalProtocolError):
        raise BackendError(
            "bad_request", f"A request to {host} could not be written. Check its base address, headers and secret."
        ) from None
    except httpx.TimeoutException as error:
        raise _timeout(error, host, watch) from None
    except (httpx.ConnectError, ssl.SSLError) as error:
        raise _unconnected(error, host) from None
    except (httpx.RequestError, httpx_sse.SSEError) as error:
        raise TransientError(
            "unreachable",
            f"{host} broke the connection off ({_why(error)}). If this repeats, look at the server's log.",
        ) from None


def _timeout(error: httpx.TimeoutException, host: str, watch: Watch) -> BackendFailure:
    if isinstance(error, httpx.ConnectTimeout) and not watch.expired():
        return TransientError("unreachable", f"{host} did not accept a connection in time. Check that the server runs.")
    seconds = f"{watch.ms() / 1000:.3g} s"
    if not watch.expired():
        said = f"{host} fell silent: nothing came for too long, {seconds} after the request."
        return TransientError(
            "too_slow", f"{said} Look at the server's log, or raise the endpoint's deadline of silence."
        )
    if watch.waits:
        said = f"{host} gave no first token within {seconds}."
        return TransientError(
            "too_slow", f"{said} Lower the concurrency, or raise the endpoint's first-token deadline."
        )
    return TransientError(
        "too_slow",
        f"{host} gave no whole answer within {seconds}. "
        "Lower max_tokens or the concurrency, or raise the endpoint's total deadline.",
    )


def _unconnected(error: Exception, host: str) -> BackendFailure:
    why = _why(error)
    if isinstance(error, ssl.SSLError) or "ssl" in why.lower() or "certificate" in why.lower():
        return BackendError(
            "tls", f"{host} has no certificate that can be trusted, or speaks no TLS ({why}). Check the base address."
        )
    return TransientError(
        "unreachable", f"{host} could not be reached ({why}). Check the address and that the server runs."
    )


def _why(error: Exception) -> str:
    words = ERRNO.sub("", " ".join(str(error).split()))
    return words[:200] or type(error).__name__


def now() -> datetime:
    return datetime.now(UTC)
