"""Delimited text (CSV, TSV) read strictly: every quote closed, every row as wide as the header."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from experiments.uploads.limits import Limits
from experiments.uploads.problems import BadRow, UploadError
from experiments.uploads.sources import megabytes
from experiments.uploads.values import is_storable

DELIMITERS = (",", "\t", ";", "|")
NAMES = {"\t": "TAB", ",": "','", ";": "';'", "|": "'|'"}
# The csv module has one limit for the whole process; ours, by column, is far below it.
csv.field_size_limit(2_000_000)


class Ahead:
    """Lines of which the first was read already; knows the number of the line it gave last."""

    def __init__(self, text: Iterator[str], first: str, number: int) -> None:
        self._text, self.first = text, first
        self._waiting = True
        self.number = number - 1

    def __iter__(self) -> "Ahead":
        return self

    def __next__(self) -> str:
        line = self.first if self._waiting else next(self._text)
        self._waiting = False
        self.number += 1
        return line


@dataclass(frozen=True, slots=True)
class Table:
    """A header and the rows below it, as they come; `delimiter` is empty for workbooks."""

    delimiter: str
    headers: tuple[str, ...]
    rows: Iterator[tuple[int, Mapping[str, Any]] | BadRow]


def read(text: Ahead, delimiter: str, limits: Limits, *, name: str, prefer: str = ",") -> Table:
    """The table; `delimiter` overrules what the header looks like. Raises UploadError on a bad header."""
    if delimiter and len(delimiter) != 1:
        raise UploadError(f"{delimiter!r} is no separator: give one character.", file=name)
    looks = delimiter_of(text.first, prefer)
    if delimiter and delimiter not in text.first and looks in text.first:
        raise UploadError(f"Separator looks like {NAMES[looks]}, not {NAMES.get(delimiter, delimiter)}.", file=name)
    chosen = delimiter or looks
    rows = _cells(text, chosen, limits, name)
    line, cells = next(rows, (text.number, [""]))
    headers = check_headers(cells, line, limits, name)
    return Table(chosen, headers, _named(rows, headers, limits))


def delimiter_of(header: str, prefer: str = ",") -> str:
    """The separator that a header line uses most, outside of quotes; `prefer` where it uses none."""
    outside = "".join(header.split('"')[::2])
    counts = {mark: outside.count(mark) for mark in (prefer, *DELIMITERS)}
    best = max(counts, key=lambda mark: counts[mark])
    return best if counts[best] else prefer


def check_headers(cells: list[str], line: int, limits: Limits, name: str) -> tuple[str, ...]:
    """The names of the columns, each once and none empty."""
    headers = tuple(cell.strip() for cell in cells)
    if len(headers) > limits.columns:
        raise UploadError(f"{len(headers)} columns; at most {limits.columns} are read.", file=name, line=line)
    for number, header in enumerate(headers, start=1):
        if not header:
            raise UploadError(f"column {number} has no name in the header. Give it one.", file=name, line=line)
        if not is_storable(header):
            raise UploadError(
                f"the name of column {number} holds a character that cannot be stored: {header!r}. Remove it.",
                file=name,
                line=line,
            )
    folded = [header.casefold() for header in headers]
    twice = next((header for header in headers if folded.count(header.casefold()) > 1), None)
    if twice is not None:
        raise UploadError(f"two columns are called {twice!r}: rename one.", file=name, line=line)
    return headers


def _cells(text: Ahead, delimiter: str, limits: Limits, name: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    while True:
        start = text.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UploadError(_why(str(error), start, limits), file=name, line=start) from None
        if any(cells):
            yield start, cells


def _why(message: str, start: int, limits: Limits) -> str:
    if "unexpected end of data" in message:
        return f"Quote opened in line {start} is never closed."
    if "expected after" in message:
        return "text after a closing quote. Write quotes inside a cell twice, and quote the whole cell."
    if "field larger" in message:
        return f"a cell is larger than {megabytes(limits.field)}, or a quote opened in line {start} is never closed."
    if "new-line character" in message:
        return "a carriage return stands inside an unquoted cell. Quote the cell, or save with one kind of line end."
    return f"it cannot be read as a table ({message})."


def _named(
    rows: Iterator[tuple[int, list[str]]], headers: tuple[str, ...], limits: Limits
) -> Iterator[tuple[int, Mapping[str, Any]] | BadRow]:
    width = len(headers)
    for line, cells in rows:
        if len(cells) != width:
            cell = "cell" if len(cells) == 1 else "cells"
            yield BadRow(line, "", f"the row has {len(cells)} {cell}, header has {width}. Quote cells with separators.")
            continue
        yield line, dict(zip(headers, cells, strict=True))
