"""Knows Ollama's own chat API, the only one of its that takes a context length and refuses what does not fit in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backends.adapters.contract import (
    ChatRequest,
    Json,
    Target,
    WireRequest,
    as_list,
    key_headers,
    last_text,
    mapping,
    number,
    plain,
    root_of,
)
from backends.presets import SWITCHES
from backends.streams import About, Event

_NAMES = {"max_tokens": "num_predict", "max_completion_tokens": "num_predict", "repetition_penalty": "repeat_penalty"}
_HANDLED = SWITCHES | {"extra_body", "anthropic_version"}
_TOP_LEVEL = {"think", "keep_alive", "format", "truncate", "shift"}
_WHOLE = {"truncate": False, "shift": False}  # an error instead of messages dropped, also while it answers


class Ollama:
    """/api/chat, a line of JSON for each piece; one object serves every thread, as it holds nothing."""

    def request(self, target: Target, chat: ChatRequest) -> WireRequest:
        system = chat.system_text()
        messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
        messages += [{"role": m.get("role"), "content": plain(m.get("content"))} for m in chat.turns()]
        body = {"model": chat.model, "messages": messages, "stream": chat.stream, **_settings(chat.parameters)}
        return WireRequest(url=f"{root_of(target)}/api/chat", headers=key_headers(target), body=body, lines=chat.stream)

    def read(self, payload: Any, t: float) -> list[Event]:
        said = mapping(payload)
        if said.get("error"):
            return [Event("error", t, payload)]
        events: list[Event] = []
        message = mapping(said.get("message"))
        if thought := plain(message.get("thinking")):
            events.append(Event("reasoning", t, payload, thought))
        if text := plain(message.get("content")):
            events.append(Event("text", t, payload, text))
        if said.get("done") is True:
            counts = {"input": number(said.get("prompt_eval_count")), "output": number(said.get("eval_count"))}
            events.append(Event("usage", t, payload, counts=counts))
            events.append(Event("finish", t, payload, str(said.get("done_reason") or "stop")))
        return events

    def about(self, payloads: Sequence[Any]) -> About:
        return About(model=last_text(payloads, "model"))


def _settings(parameters: Json) -> dict[str, Any]:
    options: dict[str, Any] = {}
    top: dict[str, Any] = {}
    for name, value in parameters.items():
        if name in _HANDLED or value is None:
            continue
        if name in _TOP_LEVEL:
            top[name] = value
        elif name == "reasoning_effort":  # as the other API calls it
            top.setdefault("think", False if value == "none" else value)
        else:
            options[_NAMES.get(name, name)] = as_list(value) if name == "stop" else value
    return {**_WHOLE, **top, "options": options, **mapping(parameters.get("extra_body"))}
