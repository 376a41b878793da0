"""Knows what an adapter is: something that writes a request in one dialect and reads that dialect's events."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

from backends.hosts import BadAddress, check_base_url
from backends.presets import Profile, profile_for
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

    @classmethod
    def of(
        cls,
        *,
        dialect: str,
        preset: str = "",
        base_url: str = "",
        secret: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """From an endpoint's fields; raises `UnknownPreset`, or `BadAddress` for an address missing or malformed."""
        profile = profile_for(dialect=dialect, preset=preset, base_url=base_url)
        address = base_url or profile.base_url
        if not address and dialect != "recorded":
            raise BadAddress(f"{profile.title} runs at an address of its own: give the endpoint a base_url.")
        address = check_base_url(address) if address else ""
        return cls(profile=profile, base_url=address, secret=secret, headers=dict(headers or {}))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """One question to one model. `parameters` as the owner wrote them; a missing one is not sent.

    `context`: how many tokens the server holds at a time, where it is known.
    """

    model: str
    messages: Sequence[Message]
    system_prompt: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = True
    context: int | None = None

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


def root_of(target: Target) -> str:
    """The server's address without the dialect's prefix, where its own endpoints live."""
    return target.base_url.rstrip("/").removesuffix(target.profile.path_prefix)


def key_headers(target: Target) -> dict[str, str]:
    """The key as this server wants it, then the endpoint's own headers, which win; names in lower case."""
    headers: dict[str, str] = {}
    if target.secret:
        name = target.profile.auth
        if name == "bearer":
            headers["authorization"] = f"Bearer {target.secret}"
        elif name != "none":
            headers[name] = target.secret
    return {**headers, **{name.lower(): str(value) for name, value in target.headers.items()}}


def number(value: object) -> int:
    """A token count as a server gives it: absent, null and nonsense are 0."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return int(value)
    return 0


def mapping(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def as_list(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) else list(value)


def items(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def last_text(payloads: Sequence[Any], name: str) -> str:
    """The last non-empty text under `name`: fingerprints often come only at the end."""
    for payload in reversed(payloads):
        value = mapping(payload).get(name)
        if isinstance(value, str) and value:
            return value
    return ""
