"""Knows how a stream of events becomes one answer: its text, its outcome, its tokens and when each part arrived."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from backends.failures import BackendError, TransientError

EventKind = Literal["headers", "reasoning", "text", "usage", "finish", "error"]
Outcome = Literal["complete", "truncated", "refused", "empty"]
ANSWER_CAP = 2_000_000  # characters of text and reasoning together
_TAIL_EVENTS, _TAIL_CHARS = 6, 4_000

FINISHES: dict[str, str] = {
    **dict.fromkeys(("stop", "end_turn", "stop_sequence", "eos", "eos_token"), "complete"),
    **dict.fromkeys(
        ("length", "max_tokens", "model_context_window_exceeded", "model_length", "repetition"), "truncated"
    ),
    **dict.fromkeys(
        (
            "content_filter",
            "refusal",
            "safety",
            "recitation",
            "blocklist",
            "prohibited_content",
            "spii",
            "language",
            "image_safety",
        ),
        "refused",
    ),
    **dict.fromkeys(
        (
            "tool_calls",
            "tool_use",
            "function_call",
            "malformed_function_call",
            "unexpected_tool_call",
            "too_many_tool_calls",
            "pause_turn",
        ),
        "unusable",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call, normalised over the dialects.

    `input` counts what was read at the full or the cached price (cached included, cache writes apart); `output`
    includes `reasoning`. `estimated` says that the server counted nothing and the figures are characters / 4.
    """

    input: int
    output: int
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0
    estimated: bool = False


class Event(NamedTuple):
    """One thing that a server said: `t` in ms since the request was sent, `raw` as it was sent."""

    kind: EventKind
    t: float
    raw: Any
    text: str = ""  # of text and reasoning; the server's own word for a finish
    counts: Mapping[str, int] = {}  # of a usage: what it names replaces what came before


@dataclass(frozen=True, slots=True, kw_only=True)
class Offsets:
    """When things happened, in ms since this attempt's request was sent (`sent`: since the first attempt began)."""

    sent: float = 0.0
    connected: float | None = None  # None on a kept-alive connection
    headers: float | None = None
    first_reasoning: float | None = None
    first_token: float | None = None
    first_visible: float | None = None
    last_token: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One valid answer. Times in ms since the request was sent; None where a body came in one piece."""

    text: str
    reasoning: str
    outcome: Outcome
    sentence: str  # empty for a complete answer; else what the owner should know
    finish_reason: str
    usage: Usage
    ttft_ms: float | None
    first_visible_ms: float | None
    latency_ms: float
    headers_ms: float
    offsets: Offsets
    model: str  # as the server names it, "" if it does not
    fingerprint: str
    request_id: str
    raw_tail: str


@dataclass(slots=True)
class Collector:
    """Takes the events of one attempt in order; `answer` makes the record, or says why there is none."""

    streamed: bool = True
    answer_cap: int = ANSWER_CAP
    pieces: list[str] = field(default_factory=list)
    stamps: list[float] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=_TAIL_EVENTS))
    counts: dict[str, int] = field(default_factory=dict)
    finish_reason: str = ""
    headers_ms: float | None = None
    first_reasoning: float | None = None
    last_token: float | None = None
    size: int = 0

    def take(self, event: Event) -> None:
        kind = event.kind
        if kind in {"text", "reasoning"}:
            self._take_text(event)
        elif kind == "usage":
            self.counts.update(event.counts)
        elif kind == "finish":
            # A refusal said once is not undone by the "stop" that closes it.
            if FINISHES.get(self.finish_reason.lower()) != "refused":
                self.finish_reason = event.text
        elif kind == "headers":
            self.headers_ms = event.t

    def _take_text(self, event: Event) -> None:
        if not event.text:
            return  # role-only, null and empty chunks are no tokens
        self.size += len(event.text)
        if self.size > self.answer_cap:
            raise BackendError(
                "too_big",
                f"The answer grew beyond {self.answer_cap:,} characters and was dropped. Lower max_tokens.",
                raw=self.raw_tail(),
            )
        self.last_token = event.t
        if event.kind == "text":
            self.pieces.append(event.text)
            self.stamps.append(event.t)
        else:
            self.thoughts.append(event.text)
            if self.first_reasoning is None:
                self.first_reasoning = event.t

    def keep(self, data: str) -> None:
        """Remembers what the server said last, for the envelope."""
        self.tail.append(data[:_TAIL_CHARS])

    def raw_tail(self) -> str:
        return storable("\n".join(self.tail)[-_TAIL_CHARS:])

    def began(self) -> bool:
        return bool(self.pieces or self.thoughts)

    def first_token(self) -> float | None:
        stamps = [t for t in (self.first_reasoning, self.stamps[0] if self.stamps else None) if t is not None]
        return min(stamps) if stamps and self.streamed else None

    def first_visible(self) -> float | None:
        """When the reader would have seen the first letter: white space and an inline thinking block are none."""
        if not self.streamed:
            return None
        hidden = len(text := "".join(self.pieces)) - len(visible_part(text).lstrip())
        for piece, stamp in zip(self.pieces, self.stamps, strict=True):
            hidden -= len(piece)
            if hidden < 0:
                return stamp
        return None

    def offsets(self, *, sent: float, connected: float | None, end: float) -> Offsets:
        return Offsets(
            sent=sent,
            connected=connected,
            headers=self.headers_ms,
            first_reasoning=self.first_reasoning if self.streamed else None,
            first_token=self.first_token(),
            first_visible=self.first_visible(),
            last_token=self.last_token if self.streamed else None,
            end=end,
        )

    def answer(self, *, offsets: Offsets, about: About, prompt_chars: int) -> Fetched:
        """The record; raises where the server never said that the answer was finished."""
        text, reasoning = storable("".join(self.pieces)), storable("".join(self.thoughts))
        usage = self._usage(prompt_chars, len(text) + len(reasoning), len(reasoning))
        outcome = self._outcome(text)
        return Fetched(
            text=text,
            reasoning=reasoning,
            outcome=outcome,
            sentence=_remark(outcome, self.finish_reason, usage, reasoning or visible_part(text) != text),
            finish_reason=storable(self.finish_reason),
            usage=usage,
            ttft_ms=offsets.first_token,
            first_visible_ms=offsets.first_visible,
            latency_ms=offsets.end or 0.0,
            headers_ms=offsets.headers or 0.0,
            offsets=offsets,
            model=storable(about.model),
            fingerprint=storable(about.fingerprint),
            request_id=storable(about.request_id),
            raw_tail=self.raw_tail(),
        )

    def _usage(self, prompt_chars: int, output_chars: int, reasoning_chars: int) -> Usage:
        """What the server counted; four characters a token where it counted nothing, marked as estimated."""
        counts = self.counts
        cached, output = counts.get("cached", 0), counts.get("output", 0)
        read = counts.get("input", counts.get("uncached", 0) + cached)
        if counts and (output or not output_chars):
            return Usage(
                input=read,
                output=output,
                cached=cached,
                cache_write=counts.get("cache_write", 0),
                reasoning=counts.get("reasoning", 0),
            )
        return Usage(
            input=read or -(-prompt_chars // 4),
            output=-(-output_chars // 4),
            cached=cached,
            cache_write=counts.get("cache_write", 0),
            reasoning=-(-reasoning_chars // 4),
            estimated=True,
        )

    def _outcome(self, text: str) -> Outcome:
        if not self.finish_reason:
            raise TransientError(
                "cut_off",
                "The answer ended without a finish reason, so it was cut off. "
                "If this repeats, look at the server's log.",
                raw=self.raw_tail(),
            )
        meaning = FINISHES.get(self.finish_reason.lower(), "")
        if meaning == "unusable":
            raise BackendError(
                "unusable",
                f"The model asked for a tool ({self.finish_reason}) instead of answering. "
                "Remove tools from its parameters.",
                raw=self.raw_tail(),
            )
        if meaning == "refused":
            return "refused"
        if meaning not in {"complete", "truncated"}:
            raise TransientError(
                "cut_off",
                f"The server ended the answer with {self.finish_reason[:60]!r}, which is no finished answer. "
                "If this repeats, look at the server's log.",
                raw=self.raw_tail(),
            )
        if not visible_part(text).strip():
            return "empty"
        return "complete" if meaning == "complete" else "truncated"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Who answered, in the server's own words; empty where it does not say."""

    model: str = ""
    fingerprint: str = ""
    request_id: str = ""


def visible_part(text: str) -> str:
    """`text` without a thinking block at its start, closed or not; some servers leave it in the answer."""
    head, closed, rest = text.partition("</think>")
    opened = head.lstrip().startswith("<think>")
    if closed and (opened or "<think>" not in head):
        return rest
    return "" if opened else text


def storable(text: str) -> str:
    """`text` as every database takes it: split surrogate pairs are joined, lone ones and NUL become U+FFFD."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _remark(outcome: Outcome, finish_reason: str, usage: Usage, thought: str | bool) -> str:
    if outcome == "truncated":
        return f"The answer stopped at the output limit ({usage.output} tokens). Raise max_tokens and fetch it again."
    if outcome == "refused":
        return f"The model or its filter refused to answer ({finish_reason})."
    if outcome == "empty" and thought:
        count = usage.reasoning or usage.output
        return f"No visible answer ({count} reasoning tokens). Raise max_tokens or switch thinking off."
    if outcome == "empty":
        return "The answer was empty. Check the chat template, the stop sequences and max_tokens."
    return ""
