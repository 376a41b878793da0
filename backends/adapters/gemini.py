"""Knows Gemini's generateContent dialect, streamed as server-sent events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from backends.adapters.contract import (
    SAMPLING,
    ChatRequest,
    Json,
    Message,
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

_NAMES = {
    "max_tokens": "maxOutputTokens",
    "max_completion_tokens": "maxOutputTokens",
    "stop": "stopSequences",
    "top_p": "topP",
    "top_k": "topK",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}
_HANDLED = SWITCHES | {"extra_body", "num_ctx", "anthropic_version"}


class Gemini:
    """generateContent; one object serves every thread, as it holds nothing."""

    def request(self, target: Target, chat: ChatRequest) -> WireRequest:
        profile = with_switches(target.profile, chat.parameters)
        body: dict[str, Any] = {"contents": [_content(message) for message in chat.turns()]}
        if system := chat.system_text():
            body["systemInstruction"] = {"parts": [{"text": system}]}
        if config := _config(chat.parameters, sampled=profile.send_sampling != "none"):
            body["generationConfig"] = config
        extra = mapping(chat.parameters.get("extra_body"))
        body |= {**extra, "generationConfig": {**config, **mapping(extra.get("generationConfig"))}} if extra else {}
        name = chat.model if "/" in chat.model else f"models/{chat.model}"
        verb = "streamGenerateContent?alt=sse" if chat.stream else "generateContent"
        # A name that climbs would take the key to other places of the server.
        place = "/".join(quote(part, safe="") for part in name.split("/") if part not in {"", ".", ".."})
        url = f"{join(target.base_url, profile.path_prefix, '')}/{place}:{verb}"
        return WireRequest(url=url, headers=key_headers(target), body=body)

    def read(self, payload: Any, t: float) -> list[Event]:
        if isinstance(payload, list):  # what streamGenerateContent says without alt=sse
            return [event for part in payload for event in self.read(part, t)]
        said = mapping(payload)
        if said.get("error"):
            return [Event("error", t, payload)]
        events: list[Event] = []
        for candidate in items(said.get("candidates"))[:1]:
            _read_candidate(mapping(candidate), t, payload, events)
        if mapping(said.get("promptFeedback")).get("blockReason"):
            events.append(Event("finish", t, payload, "content_filter"))
        if usage := mapping(said.get("usageMetadata")):
            events.append(Event("usage", t, payload, counts=_counts(usage)))
        return events

    def about(self, payloads: Sequence[Any]) -> About:
        flat = [part for payload in payloads for part in (payload if isinstance(payload, list) else [payload])]
        return About(model=last_text(flat, "modelVersion"), request_id=last_text(flat, "responseId"))


def _content(message: Message) -> dict[str, Any]:
    role = "model" if message.get("role") == "assistant" else "user"
    return {"role": role, "parts": [{"text": plain(message.get("content"))}]}


def _config(parameters: Json, *, sampled: bool) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for name, value in parameters.items():
        if name in _HANDLED or value is None or (name in SAMPLING and not sampled):
            continue
        config[_NAMES.get(name, name)] = as_list(value) if name == "stop" else value
    return config


def _read_candidate(candidate: Json, t: float, payload: Any, events: list[Event]) -> None:
    for part in items(mapping(candidate.get("content")).get("parts")):
        if text := plain(mapping(part).get("text")):
            events.append(Event("reasoning" if part.get("thought") is True else "text", t, payload, text))
    reason = candidate.get("finishReason")
    if isinstance(reason, str) and reason not in {"", "FINISH_REASON_UNSPECIFIED"}:
        events.append(Event("finish", t, payload, reason))


def _counts(usage: Json) -> dict[str, int]:
    """The last one counts. The thoughts come beside the candidates, and both are output."""
    thoughts = number(usage.get("thoughtsTokenCount"))
    return {
        "input": number(usage.get("promptTokenCount")),
        "cached": number(usage.get("cachedContentTokenCount")),
        "output": number(usage.get("candidatesTokenCount")) + thoughts,
        "reasoning": thoughts,
    }
