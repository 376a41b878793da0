"""How the wire tests ask a fake server: one short call for a question, with the waits in the test's hands."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from backends.adapters.contract import ChatRequest, Target
from backends.client import Deadlines, WireClient
from backends.failures import BackendFailure
from backends.fetching import Attempt, FetchResult, RetryPolicy, fetch, fetch_with_retries
from backends.hosts import AddressPolicy
from backends.streams import Fetched
from tests.fakes.model_server import ModelServer

KEY = "sk-canary-0123456789abcdef"
HERE = AddressPolicy.embedded()


def a_target(base_url: str, *, dialect: str = "openai", preset: str = "", secret: str = KEY, **more: Any) -> Target:
    return Target.of(dialect=dialect, preset=preset, base_url=base_url, secret=secret, **more)


def a_chat(prompt: str = "Hi", *, messages: Sequence[Mapping[str, Any]] = (), **more: Any) -> ChatRequest:
    return ChatRequest(**{"model": "fake", **more}, messages=list(messages) or [{"role": "user", "content": prompt}])


def a_client(*, total: float = 120.0, silence: float = 120.0, **more: Any) -> WireClient:
    return WireClient(policy=HERE, deadlines=Deadlines(connect=60.0, silence=silence, total=total), **more)


def ask(server: ModelServer, *, total: float = 120.0, **more: Any) -> tuple[Attempt, Fetched | BackendFailure]:
    """One attempt; `more`: of the target (dialect, preset, secret, headers) and of the chat."""
    of_target = {name: more.pop(name) for name in ("dialect", "preset", "secret", "headers") if name in more}
    with a_client(total=total) as client:
        return fetch(client, a_target(server.base_url, **of_target), a_chat(**more))


def answer(server: ModelServer, **more: Any) -> Fetched:
    attempt, result = ask(server, **more)
    assert isinstance(result, Fetched), (attempt.failure_kind, attempt.sentence)
    return result


def refusal(server: ModelServer, **more: Any) -> BackendFailure:
    _, result = ask(server, **more)
    assert isinstance(result, BackendFailure), result
    return result


def ask_until_done(
    server: ModelServer,
    *,
    total: float = 120.0,
    policy: RetryPolicy | None = None,
    on_attempt: Callable[[Attempt], None] | None = None,
    **more: Any,
) -> tuple[FetchResult, list[float]]:
    """All attempts, and the waits that were asked for; none is really waited."""
    of_target = {name: more.pop(name) for name in ("dialect", "preset", "secret", "headers") if name in more}
    waits: list[float] = []
    with a_client(total=total) as client:
        result = fetch_with_retries(
            client,
            a_target(server.base_url, **of_target),
            a_chat(**more),
            policy=policy,
            sleep=waits.append,
            rng=random.Random(7),
            on_attempt=on_attempt,
        )
    return result, waits
