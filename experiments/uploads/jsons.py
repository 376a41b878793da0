"""JSON read strictly: one object a line, or one array; no duplicate keys, no NaN, no endless numbers or nesting."""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from experiments.uploads.delimited import Ahead
from experiments.uploads.limits import Limits
from experiments.uploads.problems import BadRow, UploadError

LONGEST_NUMBER = 100
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_NEXT = re.compile(r"[ \t\r\n]*([,\]])[ \t\r\n]*")
PER_LINE = "One object per line."


class Unreadable(Exception):
    """A value that is no acceptable JSON; the message is a sentence, `at` the place in the text."""

    def __init__(self, sentence: str, at: int = 0) -> None:
        super().__init__(sentence)
        self.at = at


@dataclass(frozen=True, slots=True)
class Values:
    """The records of a JSON file, and whether it was `json` or `jsonl`."""

    format: str
    records: Iterator[tuple[int, Mapping[str, Any]] | BadRow]


def read_lines(
    text: Iterable[str] | Ahead, limits: Limits, name: str
) -> Iterator[tuple[int, Mapping[str, Any]] | BadRow]:
    """One object a line; a line that is none comes as a BadRow. An array or pretty-printed JSON is refused at once."""
    number = text.number if isinstance(text, Ahead) else 0
    is_first = True
    for line in text:
        number += 1
        if not line.strip("\ufeff \t\r\n"):
            continue
        row = _line(line, number, limits)
        if is_first and isinstance(row, BadRow) and _is_whole_json(line.strip("\ufeff \t\r\n")):
            raise UploadError(f"{row.sentence} A file with one array goes by the name .json.", file=name, line=number)
        is_first = False
        yield row


def read_any(text: Ahead, limits: Limits, name: str) -> Values:
    """An array of objects, one object that holds such an array, or one object a line."""
    if text.first.lstrip("\ufeff \t")[:1] == "{" and not isinstance(_line(text.first, 1, limits), BadRow):
        rest = list(text)
        if any(line.strip() for line in rest[1:]):
            return Values(
                "jsonl", read_lines(Ahead(iter(rest[1:]), rest[0], text.number - len(rest) + 1), limits, name)
            )
        return Values("json", _of_object("".join(rest), limits, name))
    start = text.number
    whole = "\n" * start + "".join(text)
    first = whole.lstrip("\ufeff \t\r\n")[:1]
    if first == "[":
        return Values("json", _elements(whole, whole.index("["), limits, name))
    return Values("json", _of_object(whole, limits, name))


def parse(text: str, limits: Limits) -> Any:
    """The value of a JSON text; raises Unreadable."""
    value, end = _decode(text, _SPACE.match(text).end(), limits)  # type: ignore[union-attr]  # it matches anything
    if text[end:].strip("\ufeff \t\r\n"):
        raise Unreadable("something follows the value", end)
    return value


def kind(value: Any) -> str:
    """What a JSON value is, in a word."""
    if value is None:
        return "null"
    names = {bool: "true or false", int: "number", float: "number", str: "text", list: "list", dict: "object"}
    return names.get(type(value), type(value).__name__)


def _is_whole_json(line: str) -> bool:
    """Whether a first line looks like the start of one array, or of an object over many lines."""
    return line[:1] == "[" or (line[:1] == "{" and line[-1:] in {"{", "[", ","})


def _line(line: str, number: int, limits: Limits) -> tuple[int, Mapping[str, Any]] | BadRow:
    try:
        value = parse(line, limits)
    except Unreadable as error:
        return BadRow(number, "", f"not valid JSON at column {error.at + 1} ({error}). {PER_LINE}")
    if not isinstance(value, dict):
        return BadRow(number, "", f"the line must be an object {{…}}, found {kind(value)}. {PER_LINE}")
    return number, value


def _elements(whole: str, at: int, limits: Limits, name: str) -> Iterator[tuple[int, Mapping[str, Any]] | BadRow]:
    """The elements of an array, one decoded at a time; only the text is held in memory."""
    line, counted = 1, 0
    at = _SPACE.match(whole, at + 1).end()  # type: ignore[union-attr]  # it matches anything
    if whole[at : at + 1] == "]":
        raise UploadError("The file has no rows: the array is empty.", file=name)
    while True:
        line, counted = line + whole.count("\n", counted, at), at
        try:
            value, end = _decode(whole, at, limits)
        except Unreadable as error:
            raise _broken(whole, error, name) from None
        if isinstance(value, dict):
            yield line, value
        else:
            yield BadRow(line, "", f"every element must be an object {{…}}, found {kind(value)}.")
        mark = _NEXT.match(whole, end)
        if mark is None:
            raise _broken(whole, Unreadable("a comma or ] is missing", end), name)
        if mark[1] == "]":
            if whole[mark.end() :].strip():
                raise _broken(whole, Unreadable("something follows the array", mark.end()), name)
            return
        at = mark.end()


def _of_object(whole: str, limits: Limits, name: str) -> Iterator[tuple[int, Mapping[str, Any]] | BadRow]:
    try:
        value = parse(whole, limits)
    except Unreadable as error:
        raise _broken(whole, error, name) from None
    if not isinstance(value, dict):
        raise UploadError(f"The file must hold a list of objects, found {kind(value)}.", file=name)
    yield 1, value


def _broken(whole: str, error: Unreadable, name: str) -> UploadError:
    line = whole.count("\n", 0, error.at) + 1
    column = error.at - (whole.rfind("\n", 0, error.at) + 1) + 1
    return UploadError(f"not valid JSON at column {column} ({error}).", file=name, line=line)


def _decode(text: str, at: int, limits: Limits) -> tuple[Any, int]:
    try:
        value, end = _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise Unreadable(error.msg[:1].lower() + error.msg[1:], error.pos) from None
    except RecursionError:
        raise Unreadable(f"nested deeper than {limits.depth}", at) from None
    except Unreadable as error:
        raise Unreadable(str(error), at) from None
    if _is_deeper(value, limits.depth):
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
        raise Unreadable(f"key {twice!r} stands there twice")
    return made


def _constant(word: str) -> Any:
    raise Unreadable(f"{word} is not JSON")


def _float(digits: str) -> float:
    value = float(digits) if len(digits) <= LONGEST_NUMBER else math.inf
    if math.isinf(value):
        raise Unreadable("number too long or too large")
    return value


def _int(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise Unreadable("number too long")
    return int(digits)


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_float, parse_int=_int)
