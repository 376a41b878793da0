"""Knows how one answer is fetched: an attempt, what came of it, and when it is worth another."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from backends.adapters import adapter_for
from backends.adapters.contract import Adapter, ChatRequest, Target, WireRequest
from backends.client import Exchange, WireClient, now
from backends.error_answers import from_event, from_status, looks_like_html
from backends.failures import BackendError, BackendFailure, TransientError, scrub
from backends.network import Watch
from backends.presets import Profile
from backends.streams import Collector, Event, Fetched, Offsets

_RATE_HEADERS = (
    "x-ratelimit-",
    "anthropic-ratelimit-",
    "retry-after",
    "openai-processing-ms",
    "x-litellm-",
    "x-generation-id",
)
MOST_CHARS_A_TOKEN = 8  # of any text that is worth rating; prose has four or five
_TOLD_CHARS, _TOLD_HEADERS = 200, 40
_REQUEST_IDS = ("x-request-id", "request-id", "x-generation-id", "apim-request-id")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """At most `attempts` calls; waits are drawn from 0 to min(cap, base · 2^n) seconds, or are what the server asks."""

    attempts: int = 5
    base: float = 1.0
    cap: float = 30.0
    longest_asked: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call: what it waited for before, when things happened, and how it ended ("" in `failure_kind`: answered).

    `sent` is the request without its messages; `told` are the headers about rates, and the request's id.
    """

    number: int
    waited_ms: float
    offsets: Offsets
    failure_kind: str = ""
    sentence: str = ""
    status: int | None = None
    retry_after: float | None = None
    raw_tail: str = ""
    sent: Mapping[str, Any]
    told: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchResult:
    """What came of all attempts: an answer, or the last failure. `user_ms` includes retries and waits."""

    attempts: tuple[Attempt, ...]
    user_ms: float
    fetched: Fetched | None = None
    failure: BackendFailure | None = None

    @property
    def kind(self) -> str:
        return self.failure.kind.name if self.failure else ""

    @property
    def sentence(self) -> str:
        return self.failure.sentence if self.failure else self.fetched.sentence if self.fetched else ""

    @property
    def stops_system(self) -> bool:
        return self.failure is not None and self.failure.kind.stops_system

    @property
    def trips_circuit(self) -> bool:
        return self.failure is not None and self.failure.kind.trips_circuit

    @property
    def waited_ms(self) -> float:
        return sum(attempt.waited_ms for attempt in self.attempts)


def fetch(
    client: WireClient,
    target: Target,
    chat: ChatRequest,
    *,
    number: int = 1,
    waited_ms: float = 0.0,
    sent_ms: float = 0.0,
    fresh: bool = False,
) -> tuple[Attempt, Fetched | BackendFailure]:
    """One attempt: its record, and the answer or the failure. Raises nothing that a server can cause."""
    adapter = adapter_for(target, chat)
    request = adapter.request(target, chat)
    call = _Call(
        target=target,
        chat=chat,
        adapter=adapter,
        request=request,
        watch=client.watch(),
        collector=Collector(streamed=chat.stream),
        sent_ms=sent_ms,
    )
    result: Fetched | BackendFailure
    try:
        result = _answer(call, client, fresh=fresh)
    except BackendFailure as error:
        result = _as_cut_off(error, call.collector).without(target.secret)
    offsets = result.offsets if isinstance(result, Fetched) else call.offsets()
    raw_tail = scrub(call.collector.raw_tail(), target.secret)
    attempt = Attempt(
        number=number, waited_ms=waited_ms, offsets=offsets, raw_tail=raw_tail, sent=request.sent(), told=call.told
    )
    if isinstance(result, BackendFailure):
        attempt = replace(
            attempt,
            failure_kind=result.kind.name,
            sentence=result.sentence,
            status=result.status,
            retry_after=result.retry_after,
            raw_tail=result.raw or raw_tail,
        )
    return attempt, result


def fetch_with_retries(
    client: WireClient,
    target: Target,
    chat: ChatRequest,
    *,
    policy: RetryPolicy | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    rng: random.Random | None = None,
    on_attempt: Callable[[Attempt], None] | None = None,
) -> FetchResult:
    """Asks until there is an answer, a failure that no retry mends, or `policy.attempts` are spent.

    `on_attempt` is told of each attempt as it ends, before any wait (after a rate limit the caller may lower its
    concurrency). `sleep` may raise to leave early: the attempts so far have been told.
    """
    policy, rng = policy or RetryPolicy(), rng or random.Random()  # noqa: S311 - spreads retries, guards nothing
    began, attempts, waited, fresh = clock(), list[Attempt](), 0.0, False
    while True:
        attempt, result = fetch(
            client,
            target,
            chat,
            number=len(attempts) + 1,
            waited_ms=waited,
            sent_ms=(clock() - began) * 1000,
            fresh=fresh,
        )
        attempts.append(attempt)
        if on_attempt:
            on_attempt(attempt)
        user_ms = (clock() - began) * 1000
        if isinstance(result, Fetched):
            return FetchResult(attempts=tuple(attempts), user_ms=user_ms, fetched=result)
        if _refuses_usage(result, target.profile, chat):
            target, waited, fresh = replace(target, profile=replace(target.profile, stream_usage=False)), 0.0, False
            continue
        wait = wait_before_retry(result, attempts, policy, rng)
        if wait is None:
            return FetchResult(attempts=tuple(attempts), user_ms=user_ms, failure=result)
        paused = clock()
        if wait:
            sleep(wait)
        waited, fresh = (clock() - paused) * 1000, result.kind.retry == "once"


def wait_before_retry(
    last: BackendFailure, attempts: list[Attempt], policy: RetryPolicy, rng: random.Random
) -> float | None:
    """Seconds to wait before asking again, or None where that is no use: full jitter, or what the server asked."""
    kind = last.kind
    if kind.retry == "no" or len(attempts) >= policy.attempts:
        return None
    if kind.retry == "once":
        return 0.0 if sum(attempt.failure_kind == kind.name for attempt in attempts) <= 1 else None
    if last.retry_after is not None:
        return min(last.retry_after, policy.longest_asked) + rng.uniform(0, min(1.0, 0.1 * last.retry_after))
    return rng.uniform(0, min(policy.cap, policy.base * 2.0 ** (len(attempts) - 1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """What one attempt is made of."""

    target: Target
    chat: ChatRequest
    adapter: Adapter
    request: WireRequest
    watch: Watch
    collector: Collector
    sent_ms: float
    told: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return urlsplit(self.request.url).netloc

    def offsets(self) -> Offsets:
        return self.collector.offsets(sent=self.sent_ms, connected=self.watch.connect_ms, end=self.watch.ms())


def _answer(call: _Call, client: WireClient, *, fresh: bool) -> Fetched:
    collector, payloads = call.collector, list[Any]()
    with client.exchange(call.request, call.watch, fresh=fresh) as exchange:
        headers = exchange.headers
        call.told.update(_told(headers, call.target.secret))
        collector.take(Event("headers", call.watch.ms(), headers))
        if exchange.status >= 300:
            raise _refusal(call, exchange)
        for data in _messages(exchange, call.request, collector):
            t = call.watch.ms()
            collector.keep(data)
            if data == "[DONE]":
                continue  # proves nothing: it also follows errors and cut answers
            payload = _decoded(data)
            payloads = [*payloads[:1], *payloads[1:][-3:], payload]
            for event in call.adapter.read(payload, t):
                if event.kind == "error":
                    raise _broken(call, payload)
                collector.take(event)
            if call.watch.waits and collector.began():
                call.watch.begin()
    offsets = call.offsets()
    about = call.adapter.about(payloads)
    header_id = next((call.told[name] for name in _REQUEST_IDS if name in call.told), "")
    fetched = collector.answer(
        offsets=offsets,
        about=replace(about, request_id=header_id or about.request_id),
        prompt_chars=call.chat.characters(),
    )
    if call.target.profile.drops_silently and not fetched.usage.estimated:
        _refuse_what_was_dropped(call, fetched.usage.input)
    return fetched


def _refuse_what_was_dropped(call: _Call, read: int) -> None:
    """An answer to a part of the input is no answer to it, though it came with status 200."""
    chat = call.chat
    context = chat.parameters.get("num_ctx") or chat.context
    filled = isinstance(context, int) and read >= context - 1
    if not read or not (filled or read * MOST_CHARS_A_TOKEN < chat.characters()):
        return
    raise BackendError(
        "too_long",
        f"{call.target.profile.title} read only {read} tokens of an input of {chat.characters()} characters: "
        "the rest did not fit into its context and was dropped without a word. "
        "Raise num_ctx in the system's parameters, or shorten the input, then fetch it again.",
        status=200,
        raw=call.collector.raw_tail(),
    )


def _told(headers: Mapping[str, str], secret: str) -> dict[str, str]:
    wanted = [name for name in headers if name.startswith(_RATE_HEADERS) or name in _REQUEST_IDS]
    return {name: scrub(headers[name], secret)[:_TOLD_CHARS] for name in wanted[:_TOLD_HEADERS]}


def _refusal(call: _Call, exchange: Exchange) -> BackendFailure:
    return from_status(
        status=exchange.status,
        headers=exchange.headers,
        body=scrub(exchange.body(), call.target.secret),  # before anything of it is cut short
        host=call.host,
        dialect=call.target.profile.dialect,
        model=call.chat.model,
        now=now(),
    )


def _broken(call: _Call, payload: Any) -> BackendFailure:
    return from_event(
        json.loads(scrub(json.dumps(payload), call.target.secret)),
        host=call.host,
        began=call.collector.began(),
        raw=call.collector.raw_tail(),
        model=call.chat.model,
        dialect=call.target.profile.dialect,
    )


def _messages(exchange: Exchange, request: WireRequest, collector: Collector) -> Iterator[str]:
    if exchange.content_type == "text/event-stream":
        yield from exchange.events()
    elif request.lines:
        yield from exchange.lines()
    else:
        collector.streamed = False
        body = exchange.body()
        if looks_like_html(body) or exchange.content_type == "text/html":
            raise BackendError(
                "not_an_api",
                "The address answered with a web page instead of a model's answer. Check the endpoint's base address, "
                "and that no log-in page stands before it.",
                raw=body[:4000],
                status=exchange.status,
            )
        yield body.strip()


def _decoded(data: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise TransientError(
            "cut_off",
            "The server sent something that is not JSON, so the answer was dropped. "
            "If this repeats, check that the dialect fits the server.",
            raw=data[:4000],
        ) from None


def _as_cut_off(error: BackendFailure, collector: Collector) -> BackendFailure:
    """A connection that breaks after the answer began is another failure than one that never came about."""
    if error.kind.name != "unreachable" or collector.headers_ms is None:
        return error
    return TransientError(
        "cut_off",
        f"The connection broke in the middle of the answer. {error.sentence}",
        status=200,
        raw=collector.raw_tail(),
    )


def _refuses_usage(failure: BackendFailure, profile: Profile, chat: ChatRequest) -> bool:
    """A server that knows no usage in its stream says so once; the next attempt goes without."""
    asked = profile.stream_usage and chat.stream and profile.dialect == "openai"
    words = f"{failure.sentence} {failure.raw}"
    return asked and failure.kind.name == "bad_request" and ("stream_options" in words or "include_usage" in words)
