"""Knows what an adapter is: something that writes a request in one dialect and reads that dialect's events."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from backends.presets import Profile
from backends.streams import About, Event

Message = Mapping[str, Any]  # {"role": …, "content": text or a list of parts}
Json = Mapping[str, Any]

SAMPLING = ("temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty", "repetition_penalty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server as an adapter needs to know it. The secret and the headers stay out of every repr."""

    profile: Profile
    base_url: str
    secret: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """One question to one model. `parameters` as the owner wrote them; a missing one is not sent."""

    model: str
    messages: Sequence[Message]
    system_prompt: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = True

    def system_text(self) -> str:
        """The system's own prompt, then what the input brings, as one text."""
        own = [self.system_prompt, *(plain(m.get("content")) for m in self.messages if m.get("role") == "system")]
        return "\n\n".join(text for text in own if text)

    def turns(self) -> list[Message]:
        """The messages without the system's."""
        return [message for message in self.messages if message.get("role") != "system"]

    def characters(self) -> int:
        return len(self.system_text()) + sum(len(plain(message.get("content"))) for message in self.turns())


@dataclass(frozen=True, slots=True, kw_only=True)
class WireRequest:
    """An HTTP request ready to be sent; the headers hold the key and stay out of the repr."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: Json | None = None
    method: str = "POST"
    lines: bool = False  # newline-delimited JSON instead of server-sent events

    def sent(self) -> dict[str, Any]:
        """The body without its messages: the record of what was, and was not, sent."""
        private = {"messages", "contents", "system", "systemInstruction"}
        return {name: value for name, value in (self.body or {}).items() if name not in private}


class Adapter(Protocol):
    """One dialect. Knows no client, no environment and no retries."""

    def request(self, target: Target, chat: ChatRequest) -> WireRequest: ...

    def read(self, payload: Any, t: float) -> list[Event]:
        """The events in one decoded payload: a chunk of a stream, or a whole body."""
        ...

    def about(self, payloads: Sequence[Any]) -> About: ...


def plain(content: object) -> str:
    """The text of a message's content, be it a text or a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping))
    return ""


def join(base_url: str, prefix: str, path: str) -> str:
    """The full address: the preset's prefix is added where the base has no path, a path given twice is not doubled."""
    base = base_url.rstrip("/").removesuffix(path)
    if urlsplit(base).path in {"", "/"}:
        base += prefix
    return base + path


def key_headers(target: Target) -> dict[str, str]:
    """The key as this server wants it, then the endpoint's own headers, which win."""
    headers: dict[str, str] = {}
    if target.secret:
        name = target.profile.auth
        if name == "bearer":
            headers["Authorization"] = f"Bearer {target.secret}"
        elif name != "none":
            headers[name] = target.secret
    return {**headers, **target.headers}


def number(value: object) -> int:
    """A token count as a server gives it: absent, null and nonsense are 0."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return int(value)
    return 0


def mapping(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def items(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def last_text(payloads: Sequence[Any], name: str) -> str:
    """The last non-empty text under `name`: fingerprints often come only at the end."""
    for payload in reversed(payloads):
        value = mapping(payload).get(name)
        if isinstance(value, str) and value:
            return value
    return ""
