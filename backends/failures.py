"""Knows every way a call to a model server can fail, and whether trying again helps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Retry = Literal["no", "once", "backoff"]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a class of failure means for the row and for its system.

    `retry`: "no"; "once" (at once, on a fresh connection); "backoff" (waits between attempts).
    `stops_system`: every other row of the system would fail alike, so no more are sent until an owner looks.
    `trips_circuit`: the server as a whole seems away; rows may be tried again later without a click.
    """

    name: str
    title: str
    retry: Retry = "no"
    stops_system: bool = False
    trips_circuit: bool = False


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("bad_request", "Request refused"),
        Kind("too_long", "Input too long"),
        Kind("too_big", "Answer too big"),
        Kind("unusable", "Answer of a kind that cannot be rated"),
        Kind("auth", "Key refused", stops_system=True),
        Kind("no_such_model", "No such model", stops_system=True),
        Kind("no_such_path", "No such address on the server", stops_system=True),
        Kind("not_an_api", "Not a model server", stops_system=True),
        Kind("forbidden_address", "Address not allowed", stops_system=True),
        Kind("tls", "Certificate refused", stops_system=True),
        Kind("money", "Out of credit", stops_system=True),
        Kind("rate", "Rate limit", retry="backoff"),
        Kind("busy", "Server busy", retry="backoff", trips_circuit=True),
        Kind("unreachable", "Server not reached", retry="once", trips_circuit=True),
        Kind("too_slow", "No answer in time", retry="once", trips_circuit=True),
        Kind("cut_off", "Answer cut off", retry="backoff"),
        Kind("internal", "Fault of Blindpair's own", stops_system=True),
    )
}

_SENTENCE_CHARS = 1_000
_LONG_KEY = 8  # a shorter one, such as "x" or "none", is also part of common words
_KEY_LIKE = re.compile(
    r"(?i)\b(bearer\s+)[^\s\"',}]+|\b((?:sk|pk|rk|gsk|hf|xai)[-_])[A-Za-z0-9*._-]{8,}|\b(AIza)[A-Za-z0-9*._-]{12,}"
)


class BackendFailure(Exception):
    """A call that brought no answer; `str()` of it is the sentence shown to the owner and holds no key."""

    def __init__(
        self, kind: str, sentence: str, *, status: int | None = None, raw: str = "", retry_after: float | None = None
    ) -> None:
        sentence = scrub(sentence)[:_SENTENCE_CHARS]
        super().__init__(sentence)
        self.kind = KINDS[kind]
        self.sentence = sentence
        self.status = status
        self.raw = scrub(raw)
        self.retry_after = retry_after

    def without(self, secret: str) -> BackendFailure:
        """The same failure with the endpoint's key cut out of everything that the server said back."""
        return type(self)(
            self.kind.name,
            scrub(self.sentence, secret),
            status=self.status,
            raw=scrub(self.raw, secret),
            retry_after=self.retry_after,
        )


class TransientError(BackendFailure):
    """May go away: `retry_after` is the wait in seconds that the server asked for, or None."""


class BackendError(BackendFailure):
    """Will not go away by asking again."""


def failure(
    kind: str, sentence: str, *, status: int | None = None, raw: str = "", retry_after: float | None = None
) -> BackendFailure:
    """The exception that fits the kind: transient where a retry may help."""
    made = BackendError if KINDS[kind].retry == "no" else TransientError
    return made(kind, sentence, status=status, raw=raw, retry_after=retry_after)


def scrub(text: str, secret: str = "") -> str:
    """`text` as a database takes it, without the secret and without anything that looks like a key."""
    text = text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
    if secret:
        text = _places_of(secret).sub("[key]", text)
    return _KEY_LIKE.sub(lambda found: f"{next((g for g in found.groups() if g), '')}[key]", text)


def _places_of(secret: str) -> re.Pattern[str]:
    key = re.escape(secret)
    return re.compile(key if len(secret) >= _LONG_KEY else rf"(?<![A-Za-z0-9]){key}(?![A-Za-z0-9])")
