"""Knows what a server's error answer means, whatever its shape: the kind of failure, the wait, what to do."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from backends.failures import BackendFailure, failure

_QUOTE_CHARS, _RAW_CHARS = 300, 4_000
_OVERFLOW = re.compile(
    r"context[ _]?(length|window|size)|context_length_exceeded|exceed_context|prompt is too long|input is too long"
    r"|maximum (number of )?(input )?tokens|too many (input )?tokens|inputs?` tokens|token count.*exceeds",
    re.IGNORECASE,
)
_MODEL = re.compile(
    r"model_not_found|deploymentnotfound|deployment.*does not exist|invalid model|unknown model|server is pinned to"
    r"|models?\b.*(not found|does ?n.t exist|does not exist|not exist|not available|is not supported for generate)"
    r"|no such model|\bmodel: ",
    re.IGNORECASE | re.DOTALL,
)
_MONEY = re.compile(
    r"insufficient_quota|exceeded your current quota|billing|spend[_ ]limit|insufficient[_ ](balance|credits?|funds)"
    r"|credit balance|payment required|out of credits?",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"api[_ ]?key (is )?(not valid|invalid|missing)|api_key_invalid|invalid api[_ ]?key|incorrect api[_ ]?key"
    r"|no connected db|authentication error|invalid proxy server token",
    re.IGNORECASE,
)
_STATUS_OF_TYPE = {
    "overloaded_error": 529,
    "rate_limit_error": 429,
    "authentication_error": 401,
    "permission_error": 403,
    "billing_error": 402,
    "not_found_error": 404,
    "invalid_request_error": 400,
    "badrequesterror": 400,
    "api_error": 500,
    "timeout_error": 504,
    "resource_exhausted": 429,
    "unavailable": 503,
    "deadline_exceeded": 504,
    "invalid_argument": 400,
    "permission_denied": 403,
    "unauthenticated": 401,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "context_length_exceeded": 400,
}


@dataclass(frozen=True, slots=True)
class Said:
    """An error in the server's own words: one message, and every code and type it gave, as one text."""

    message: str
    codes: str
    status: int | None  # the status that the error itself names, if any
    details: Any = None

    def all(self) -> str:
        return f"{self.codes} {self.message}"


def read_error(body: str) -> Said:
    """Whatever shape an error body has: object, text, flat, `detail`, list of errors, plain text, HTML, nothing."""
    try:
        return said(json.loads(body))
    except (ValueError, RecursionError):
        pass
    if looks_like_html(body):
        title = re.search(r"<title[^>]*>(.*?)</title>", body, re.IGNORECASE | re.DOTALL)
        return Said(f"a web page{': ' + _one_line(title[1]) if title else ''}", "", None)
    return Said(_one_line(body), "", None)


def said(decoded: Any) -> Said:
    """The same for an error that is decoded already, such as an event in a stream."""
    if isinstance(decoded, list):
        decoded = decoded[0] if decoded else ""
    if not isinstance(decoded, Mapping):
        return Said(_one_line(str(decoded)), "", None)
    inner = decoded.get("error") or decoded.get("detail") or decoded
    if isinstance(inner, list):  # FastAPI's 422 lists what is wrong
        inner = "; ".join(_detail(entry) for entry in inner[:3])
    if not isinstance(inner, Mapping):
        return Said(_one_line(str(inner)), _one_line(str(decoded.get("error_type") or "")), None)
    message = inner.get("message") or inner.get("detail") or inner.get("error") or json.dumps(inner)
    names = [str(inner.get(name) or "") for name in ("type", "code", "status", "error_type", "param")]
    return Said(_one_line(str(message)), " ".join(filter(None, names)), _own_status(inner), inner.get("details"))


def _detail(entry: Any) -> str:
    if not isinstance(entry, Mapping):
        return str(entry)
    where = entry.get("loc")
    place = ".".join(str(part) for part in where) if isinstance(where, list) else ""
    return f"{place}: {entry.get('msg')}" if place else str(entry.get("msg"))


def _own_status(error: Mapping[str, Any]) -> int | None:
    for name in ("http_status_code", "code", "status_code"):
        value = str(error.get(name) or "")
        if re.fullmatch(r"[45][0-9]{2}", value):
            return int(value)
    for name in ("type", "code", "status"):
        if (status := _STATUS_OF_TYPE.get(str(error.get(name) or "").lower())) is not None:
            return status
    return None


def looks_like_html(body: str) -> bool:
    return body[:200].lstrip("\ufeff \r\n\t").lower().startswith(("<!doctype html", "<html", "<head", "<body"))


def from_status(
    *,
    status: int,
    headers: Mapping[str, str],
    body: str,
    host: str,
    dialect: str = "openai",
    model: str = "",
    now: datetime,
) -> BackendFailure:
    """The failure that an answer with an error status stands for; `headers` with lower-case names, `now` aware."""
    error = read_error(body)
    wait = retry_after(headers, error.details, now)
    kind = classify(status, error, dialect=dialect, wait=wait)
    sentence = _sentence(kind, status, error, host=host, model=model, wait=wait)
    return failure(kind, sentence, status=status, raw=body[:_RAW_CHARS], retry_after=wait)


def from_event(
    payload: Any, *, host: str, began: bool, raw: str, model: str = "", dialect: str = "openai"
) -> BackendFailure:
    """The failure that an error event under HTTP 200 stands for; `began`: text or reasoning had arrived."""
    error = said(payload)
    wait = retry_after({}, error.details, datetime.now(UTC))
    status = error.status or (400 if _OVERFLOW.search(error.all()) else None)
    if status is not None and not began:
        # Inside a stream there is no header to miss: only the words tell Anthropic's spending limit.
        kind = classify(status, error, dialect="openai" if dialect == "anthropic" else dialect, wait=wait)
        sentence = _sentence(kind, status, error, host=host, model=model, wait=wait)
        return failure(kind, sentence, status=status, raw=raw, retry_after=wait)
    when = "in the middle of the answer" if began else "before the answer began"
    sentence = f"{host} reported an error {when}. If this repeats, look at the server's log."
    return failure("cut_off", sentence + _quote(error), status=status, raw=raw, retry_after=wait)


def classify(status: int, error: Said, *, dialect: str, wait: float | None) -> str:
    """The kind of failure behind a status and the server's words; the first row that fits counts."""
    words = error.all()
    about_request = status in {400, 413, 422}
    spent = status == 429 and dialect == "anthropic" and wait is None  # a mere rate limit names its wait
    table = (
        ("not_an_api", 300 <= status < 400),
        ("money", status == 402 or spent or (status in {400, 403, 429} and _MONEY.search(words))),
        ("auth", status in {401, 403, 407} or (status in {400, 500} and _KEY.search(words))),
        ("rate", status == 429),
        ("busy", status in {408, 409, 425} or status >= 500),
        ("too_long", about_request and _OVERFLOW.search(words)),
        ("no_such_model", (about_request or status == 404) and _MODEL.search(words)),
        ("no_such_path", status in {404, 405}),
    )
    return next((kind for kind, fits in table if fits), "bad_request")


_AGAIN = re.compile(r"It is asked again later(, after \d+ s)?; (if this repeats, )?")
_DO: dict[str, str] = {
    "money": (
        "{host} says that the account is out of credit or over its spending limit ({status}). Top it up, then resume."
    ),
    "auth": "{host} refused the key ({status}). Check the endpoint's secret and what it may use, then resume.",
    "no_such_model": (
        "{host} has no model {model!r} ({status}). Check the system's model name against the server's list."
    ),
    "no_such_path": (
        "{host} has nothing at this address ({status}). Check the endpoint's base address; most end in /v1."
    ),
    "too_long": (
        "The input is longer than the model's context ({status}). Shorten it or serve the model with a longer context."
    ),
    "rate": (
        "{host} limits the rate of requests ({status}). "
        "It is asked again later{wait}; lower the concurrency if this repeats."
    ),
    "busy": (
        "{host} was too busy or not ready ({status}). "
        "It is asked again later{wait}; if this repeats, look at the server's log."
    ),
    "bad_request": (
        "{host} refused the request ({status}). Check the system's parameters against what this server takes."
    ),
    "not_an_api": (
        "{host} answered with a redirect ({status}), which is never followed. "
        "Give the final address as the base address."
    ),
}


def _sentence(kind: str, status: int, error: Said, *, host: str, model: str, wait: float | None) -> str:
    waiting = f", after {wait:.0f} s" if wait else ""
    return _DO[kind].format(host=host, status=status, model=model, wait=waiting) + _quote(error)


def for_good(sentence: str, calls: int) -> str:
    """The sentence of a failure that promised another call, now that there is none."""
    return _AGAIN.sub(f"It was asked {calls} times in vain; ", sentence)


def _quote(error: Said) -> str:
    return f' It said: "{error.message[:_QUOTE_CHARS]}"' if error.message else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())


def retry_after(headers: Mapping[str, str], details: Any, now: datetime) -> float | None:
    """Seconds to wait, in every spelling: `retry-after-ms`, `retry-after` (seconds or date), Gemini's retryDelay,
    and the reset of a rate limit that is used up ("6m0s", seconds). None where the server names none."""
    if (ms := _seconds(headers.get("retry-after-ms", ""))) is not None:
        return ms / 1000
    if "retry-after" in headers:
        text = headers["retry-after"].strip()
        found = _seconds(text)
        return _until(text, now) if found is None else found
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, Mapping) and (found := _seconds(str(detail.get("retryDelay") or ""))) is not None:
            return found
    waits = [
        _seconds(headers.get(f"x-ratelimit-reset-{what}", ""))
        for what in ("requests", "tokens")
        if headers.get(f"x-ratelimit-remaining-{what}", "").strip() == "0"
    ]
    return max((wait for wait in waits if wait is not None), default=None)


def _seconds(text: str) -> float | None:
    """ "34", "1.5", "34s", "6m0s", "120ms", "1h2m3s"; None for anything else, negative and not finite included."""
    text = text.strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
        return float(text)
    parts = re.findall(r"(\d{1,9}(?:\.\d{1,9})?)(ms|h|m|s)", text)
    if not parts or "".join(a + b for a, b in parts) != text:
        return None
    factor = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
    total = sum(float(value) * factor[unit] for value, unit in parts)
    return total if math.isfinite(total) else None


def _until(text: str, now: datetime) -> float | None:
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - now).total_seconds())
