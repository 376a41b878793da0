"""A JSON value read strictly: no duplicate keys, no NaN, no endless numbers or nesting."""

import json
import math
import re
from typing import Any

from experiments.uploads.limits import Limits

LONGEST_NUMBER = 100
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")


class Unreadable(Exception):
    """A value that is not taken; the message is a sentence, `at` the place in the text."""

    def __init__(self, sentence: str, at: int = 0) -> None:
        super().__init__(sentence)
        self.at = at

    def told(self, column: int) -> str:
        """In words; what lies somewhere inside the value has no column."""
        return f"{self}."


class NotJson(Unreadable):
    """What no reader of JSON would take."""

    def told(self, column: int) -> str:
        """In words, with its column."""
        return f"not valid JSON at column {column} ({self})."


class CutOff(NotJson):
    """No JSON as it stands; with more of the text it might be."""


def parse(text: str, limits: Limits) -> Any:
    """The value of a JSON text; raises Unreadable."""
    value, end = decode(text, _SPACE.match(text).end(), limits)  # type: ignore[union-attr]  # it matches anything
    if text[end:].strip("\ufeff \t\r\n"):
        raise NotJson("something follows the value", end)
    return value


def kind(value: Any) -> str:
    """What a JSON value is, in a word."""
    if value is None:
        return "null"
    names = {bool: "true or false", int: "number", float: "number", str: "text", list: "list", dict: "object"}
    return names.get(type(value), type(value).__name__)


def decode(text: str, at: int, limits: Limits, depth: int = 0) -> tuple[Any, int]:
    """The value at a place, which lies so deep in others, and where it ends; raises Unreadable."""
    try:
        value, end = _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        sentence = error.msg[:1].lower() + error.msg[1:].removesuffix(" starting at")
        raise CutOff(sentence, error.pos) from None
    except RecursionError:
        raise Unreadable(f"nested deeper than {limits.depth}", at) from None
    except Unreadable as error:
        raise Unreadable(str(error), at) from None
    if _is_deeper(value, limits.depth - depth):
        raise Unreadable(f"nested deeper than {limits.depth}", at)
    return value, end


def _is_deeper(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth + 1):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise Unreadable(f"key {twice!r} stands there twice: keep one")
    return made


def _constant(word: str) -> Any:
    raise Unreadable(f"{word} is not JSON: write null, or a text")


def _float(digits: str) -> float:
    value = float(digits) if len(digits) <= LONGEST_NUMBER else math.inf
    if math.isinf(value):
        raise Unreadable("number too long or too large: write it as text, in quotes")
    return value


def _int(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise Unreadable("number too long: write it as text, in quotes")
    return int(digits)


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_float, parse_int=_int)
