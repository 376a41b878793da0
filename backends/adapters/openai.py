"""Knows the chat completions dialect, which nearly every server speaks a little differently."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from backends.adapters.contract import (
    SAMPLING,
    ChatRequest,
    Json,
    Target,
    WireRequest,
    as_list,
    items,
    join,
    key_headers,
    last_text,
    mapping,
    number,
    plain,
)
from backends.presets import SWITCHES, UNIQUE, Profile, with_switches
from backends.streams import About, Event

_NEUTRAL = {"temperature": 1.0, "top_p": 1.0}
_HANDLED = SWITCHES | {"max_tokens", "max_completion_tokens", "stop", "extra_body", "num_ctx", "anthropic_version"}


class OpenAI:
    """Chat completions; one object serves every thread, as it holds nothing."""

    def request(self, target: Target, chat: ChatRequest) -> WireRequest:
        profile = with_switches(target.profile, chat.parameters)
        system = chat.system_text()
        messages = [*([{"role": "system", "content": system}] if system else []), *chat.turns()]
        body: dict[str, Any] = {"model": chat.model, "messages": messages, **settings(profile, chat.parameters)}
        if chat.stream:
            body["stream"] = True
            if profile.stream_usage:
                body["stream_options"] = {"include_usage": True}
        url = join(target.base_url, profile.path_prefix, "/chat/completions")
        return WireRequest(url=url, headers=key_headers(target), body=body)

    def read(self, payload: Any, t: float) -> list[Event]:
        chunk = mapping(payload)
        if chunk.get("error") or chunk.get("object") == "error":
            return [Event("error", t, payload)]
        events: list[Event] = []
        for choice in items(chunk.get("choices")):
            if isinstance(choice, dict) and not choice.get("index"):
                _read_choice(choice, t, payload, events)
        usage = chunk.get("usage")
        if isinstance(usage, dict) and usage:
            events.append(Event("usage", t, payload, counts=_counts(usage)))
        return events

    def about(self, payloads: Sequence[Any]) -> About:
        return About(
            model=last_text(payloads, "model"),
            fingerprint=last_text(payloads, "system_fingerprint"),
            request_id=last_text(payloads, "id"),
        )


def settings(profile: Profile, parameters: Json) -> dict[str, Any]:
    """The request's fields beside model and messages; `extra_body` wins over all, and unknown ones pass as they are."""
    body: dict[str, Any] = {**profile.extra_body, **_beside_the_cache(profile)}
    limit = parameters.get("max_tokens", parameters.get("max_completion_tokens"))
    if limit is not None:
        body[profile.limit_field] = limit  # never both names: some servers refuse that
    stop = parameters.get("stop")
    if stop is not None:
        body["stop"] = as_list(stop) if profile.stop_as_list else stop
    if profile.send_sampling == "all":
        body.update(_NEUTRAL)
    for name, value in parameters.items():
        if name in _HANDLED or value is None or (name in SAMPLING and profile.send_sampling == "none"):
            continue
        body[name] = value
    if profile.omit_top_p_1 and body.get("top_p") == 1:
        del body["top_p"]
    body.update(mapping(parameters.get("extra_body")))
    return body


def _beside_the_cache(profile: Profile) -> dict[str, Any]:
    """What makes every request the first of its kind, where the system wants that."""
    wanted = profile.cache_off if profile.avoid_cache else {}
    return {name: uuid4().hex if value == UNIQUE else value for name, value in wanted.items()}


def _read_choice(choice: Json, t: float, payload: Any, events: list[Event]) -> None:
    delta = choice.get("delta") or choice.get("message") or {}
    if isinstance(delta, dict):
        reasoning = delta.get("reasoning") or delta.get("reasoning_content")
        content = delta.get("content")
        if isinstance(content, list):  # Mistral's thinking models answer in parts
            thoughts = [part.get("thinking") for part in content if isinstance(part, dict)]
            reasoning, content = reasoning or "".join(plain(t) for t in thoughts if t), plain(content)
        if isinstance(reasoning, str) and reasoning:
            events.append(Event("reasoning", t, payload, reasoning))
        if isinstance(content, str) and content:
            events.append(Event("text", t, payload, content))
        refusal = delta.get("refusal")
        if isinstance(refusal, str) and refusal:
            events += [Event("text", t, payload, refusal), Event("finish", t, payload, "refusal")]
    finish = choice.get("finish_reason")
    if isinstance(finish, str) and finish:
        events.append(Event("finish", t, payload, finish))


def _counts(usage: Json) -> dict[str, int]:
    prompt, completion = mapping(usage.get("prompt_tokens_details")), mapping(usage.get("completion_tokens_details"))
    cached = number(prompt.get("cached_tokens")) or number(usage.get("prompt_cache_hit_tokens"))
    written = number(prompt.get("cache_write_tokens"))
    return {
        "input": max(0, number(usage.get("prompt_tokens")) - written),
        "output": number(usage.get("completion_tokens")),
        "cached": cached,
        "cache_write": written,
        "reasoning": number(completion.get("reasoning_tokens")),
    }
