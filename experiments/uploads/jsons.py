"""The records of a JSON file: one object a line, an array of objects, or an object that holds one."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from experiments.uploads.delimited import Ahead
from experiments.uploads.json_text import JsonText
from experiments.uploads.json_values import NotJson, Unreadable, kind, parse
from experiments.uploads.limits import Limits
from experiments.uploads.problems import BadRow, UploadError
from experiments.uploads.sources import TextFile

PER_LINE = "One object per line."
Item = tuple[int, Mapping[str, Any]] | BadRow
# Where in an object its records lie: the keys that lead to the list, or None where the object is a record itself.
Finder = Callable[[Mapping[str, Any]], tuple[str, ...] | None]


@dataclass(frozen=True, slots=True)
class Values:
    """The records of a JSON file, and whether it was `json` or `jsonl`."""

    format: str
    records: Iterator[Item]


def read_lines(text: Iterable[str] | Ahead, limits: Limits, name: str) -> Iterator[Item]:
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


def read_any(file: TextFile, limits: Limits, name: str, finder: Finder) -> Values:
    """An array of objects, one object that holds such an array, or one object a line.

    Of an array only the element that is being read is held in memory; an object is looked through before.
    """
    text = JsonText(file.pieces(), limits, name, longest=limits.line)
    sign = text.sign()
    if not sign:
        raise UploadError("The file is empty.", file=name)
    if sign == "[":
        return Values("json", _elements(text, name))
    if sign == "{" and _is_one_of_lines(text, limits):
        return Values("jsonl", read_lines(file.lines(), limits, name))
    return Values("json", _of_object(file, limits, name, finder))


def _is_one_of_lines(text: JsonText, limits: Limits) -> bool:
    """Whether the first line is an object by itself, and others follow."""
    line = text.first_line()
    if isinstance(_line(line, 1, limits), BadRow):
        return False
    text.skip(len(line))
    return text.sign() != ""


def _is_whole_json(line: str) -> bool:
    """Whether a first line looks like the start of one array, or of an object over many lines."""
    return line[:1] == "[" or (line[:1] == "{" and line[-1:] in {"{", "[", ","})


def _line(line: str, number: int, limits: Limits) -> Item:
    try:
        value = parse(line, limits)
    except NotJson as error:
        return BadRow(number, "", f"{error.told(error.at + 1)} {PER_LINE}")
    except Unreadable as error:
        return BadRow(number, "", error.told(error.at + 1))
    if not isinstance(value, dict):
        return BadRow(number, "", f"the line must be an object {{…}}, found {kind(value)}. {PER_LINE}")
    return number, value


def _elements(text: JsonText, name: str) -> Iterator[Item]:
    """By their lines; where several stand in one line, each counts as one."""
    number = 0
    for line, value in text.elements():
        number = max(number + 1, line)
        if isinstance(value, dict):
            yield number, value
        else:
            yield BadRow(number, "", f"every element must be an object {{…}}, found {kind(value)}.")
    if not number:
        raise UploadError("The file has no rows: the array is empty.", file=name)
    text.end("the array")


def _of_object(file: TextFile, limits: Limits, name: str, finder: Finder) -> Iterator[Item]:
    """The records of the list that the object holds, numbered; or the object itself."""
    text = JsonText(file.pieces(), limits, name, longest=limits.file)
    if text.sign() != "{":
        value = text.value()
        text.end("the value")
        raise UploadError(f"The file must hold a list of objects, found {kind(value)}.", file=name)
    outline = _outline(text)
    text.end("the value")
    keys = finder(outline)
    text = JsonText(file.pieces(), limits, name, longest=limits.line if keys else limits.file)
    if keys is None:
        text.sign()
        yield 1, text.value()
        return
    text.enter(keys)
    for number, (_, value) in enumerate(text.elements(len(keys)), start=1):
        yield number, value


def _outline(text: JsonText, depth: int = 1) -> dict[str, Any]:
    """The object here, but of each list only its first element, and the first that is no object."""
    made: dict[str, Any] = {}
    for key in text.members():
        sign = text.sign()
        if sign == "{" and depth == 1:
            made[key] = _outline(text, depth + 1)
        elif sign == "[":
            kept: list[Any] = []
            for _, value in text.elements(depth):
                if not kept or (len(kept) == 1 and not isinstance(value, dict)):
                    kept.append(value)
            made[key] = kept
        else:
            made[key] = text.value(depth)
    return made
