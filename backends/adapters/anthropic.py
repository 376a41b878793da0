"""Knows the messages dialect: Anthropic's own, and vLLM's and llama.cpp's imitation of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
from backends.presets import SWITCHES, with_switches
from backends.streams import About, Event

VERSION = "2023-06-01"
NO_SAMPLING_FROM = "2026-10-21"  # from this version on temperature, top_p and top_k are refused
DEFAULT_LIMIT = 4096  # the dialect requires a limit; the owner may set another
_HANDLED = SWITCHES | {"max_tokens", "max_completion_tokens", "stop", "extra_body", "num_ctx", "anthropic_version"}


class Anthropic:
    """Messages; one object serves every thread, as it holds nothing."""

    def request(self, target: Target, chat: ChatRequest) -> WireRequest:
        profile = with_switches(target.profile, chat.parameters)
        version = str(chat.parameters.get("anthropic_version") or VERSION)
        headers = {"anthropic-version": version, **key_headers(target)}
        if target.secret and profile.auth == "bearer":
            headers.setdefault("x-api-key", target.secret)  # imitations look for the key in either place
        sampled = profile.send_sampling != "none" and headers["anthropic-version"] < NO_SAMPLING_FROM
        body: dict[str, Any] = {"model": chat.model, "messages": list(chat.turns())}
        if system := chat.system_text():
            body["system"] = system
        body |= _settings(chat.parameters, sampled=sampled)
        if chat.stream:
            body["stream"] = True
        return WireRequest(url=join(target.base_url, profile.path_prefix, "/messages"), headers=headers, body=body)

    def read(self, payload: Any, t: float) -> list[Event]:
        said = mapping(payload)
        kind = plain(said.get("type"))
        if kind == "error" or said.get("error"):
            return [Event("error", t, payload)]
        if kind in {"content_block_delta", "content_block_start"}:
            return _piece(mapping(said.get("delta") or said.get("content_block")), t, payload)
        if kind == "message_start":
            return _counts(mapping(mapping(said.get("message")).get("usage")), t, payload)
        pieces = [event for block in items(said.get("content")) for event in _piece(mapping(block), t, payload)]
        stop = mapping(said.get("delta") or said).get("stop_reason")  # of a message_delta, or of a whole message
        return [*pieces, *_counts(mapping(said.get("usage")), t, payload), *_finish(stop, t, payload)]

    def about(self, payloads: Sequence[Any]) -> About:
        opening = [mapping(payload).get("message") or payload for payload in payloads]
        return About(model=last_text(opening, "model"), request_id=last_text(opening, "id"))


def _settings(parameters: Json, *, sampled: bool) -> dict[str, Any]:
    limit = parameters.get("max_tokens", parameters.get("max_completion_tokens"))
    body: dict[str, Any] = {"max_tokens": DEFAULT_LIMIT if limit is None else limit}
    if (stop := parameters.get("stop")) is not None:
        body["stop_sequences"] = as_list(stop)
    for name, value in parameters.items():
        if name in _HANDLED or value is None or (name in SAMPLING and not sampled):
            continue
        body[name] = value
    return {**body, **mapping(parameters.get("extra_body"))}


def _piece(block: Json, t: float, payload: Any) -> list[Event]:
    """Text and thinking, whether as a block or as a delta; tools and signatures are neither."""
    kind = str(block.get("type") or "")
    if kind.startswith("text") and (text := plain(block.get("text"))):
        return [Event("text", t, payload, text)]
    if kind.startswith("thinking") and (thought := plain(block.get("thinking"))):
        return [Event("reasoning", t, payload, thought)]
    return []


def _finish(reason: object, t: float, payload: Any) -> list[Event]:
    return [Event("finish", t, payload, reason)] if isinstance(reason, str) and reason else []


def _counts(usage: Json, t: float, payload: Any) -> list[Event]:
    """Cumulative, and in part: what a later event leaves out still holds. Input excludes cache reads and writes."""
    names = {
        "input_tokens": "uncached",
        "cache_read_input_tokens": "cached",
        "cache_creation_input_tokens": "cache_write",
        "output_tokens": "output",
    }
    found = {ours: number(usage[theirs]) for theirs, ours in names.items() if usage.get(theirs) is not None}
    thinking = mapping(usage.get("output_tokens_details")).get("thinking_tokens")
    if thinking is not None:
        found["reasoning"] = number(thinking)
    return [Event("usage", t, payload, counts=found)] if found else []
