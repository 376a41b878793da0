"""A file read as records, one after the other: tables and JSON alike give a line number and named values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from experiments.uploads import delimited, jsons, parquets, workbooks
from experiments.uploads.limits import Limits
from experiments.uploads.problems import BadRow, UploadError
from experiments.uploads.sources import TextFile, check_is_text, encoding_of, head_of, kind_of

Record = tuple[int, Mapping[str, Any]]
FORMATS = ("csv", "tsv", "jsonl", "json", "xlsx", "parquet")
_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".parquet": "parquet",
}


@dataclass(frozen=True, slots=True)
class Records:
    """What the file is, and its records as they come; a record that cannot be read comes as a BadRow.

    `headers` are the columns of a table; JSON has none. `delimiter` is set for delimited text only.
    """

    format: str
    encoding: str
    delimiter: str
    headers: tuple[str, ...]
    items: Iterator[Record | BadRow]


def open_records(
    file: BinaryIO,
    name: str,
    *,
    limits: Limits,
    format: str = "",  # noqa: A002  # the word for it
    encoding: str | None = None,
    delimiter: str = "",
    finder: jsons.Finder = lambda record: None,
) -> Records:
    """The records of an open file. Raises UploadError where the file is not what its name or `format` says.

    `finder` says where in a JSON object its records lie.
    """
    head = head_of(file)
    declared = _declared(name, format)
    kind = kind_of(head)
    if kind == "xlsx" and declared in {"", "xlsx"} and workbooks.is_workbook(file):
        table = workbooks.read(file, limits, name)
        return Records("xlsx", "", "", table.headers, table.rows)
    if kind == "parquet" and declared in {"", "parquet"}:
        headers, rows = parquets.read(file, limits, name)
        return Records("parquet", "", "", headers, rows)
    check_is_text(head, name)
    if declared in {"xlsx", "parquet"}:
        what = "an Excel workbook (.xlsx)" if declared == "xlsx" else "a Parquet file"
        raise UploadError(f"This is not {what}. If it is text, name it .csv, .tsv, .jsonl or .json.", file=name)
    chosen = encoding_of(head, encoding, name)
    text = TextFile(file, chosen, limits, name)
    kind = declared or {"[": "json", "{": "json"}.get(_first_sign(head, chosen), "csv")
    if kind == "json":
        values = jsons.read_any(text, limits, name, finder)
        return Records(values.format, chosen.removesuffix("-sig"), "", (), values.records)
    return _records_of_lines(text, kind, delimiter)


def _declared(name: str, given: str) -> str:
    if given:
        if given not in FORMATS:
            raise UploadError(f"{given!r} is no format. Known: {', '.join(FORMATS)}.", file=name)
        return given
    return next((kind for suffix, kind in _SUFFIXES.items() if name.lower().endswith(suffix)), "")


def _first_sign(head: bytes, encoding: str) -> str:
    return head.decode(encoding, "ignore").lstrip("\ufeff \t\r\n")[:1]


def _records_of_lines(text: TextFile, kind: str, delimiter: str) -> Records:
    limits, name, shown = text.limits, text.name, text.encoding.removesuffix("-sig")
    ahead = _ahead(text.lines(), name)
    if kind == "jsonl":
        return Records("jsonl", shown, "", (), jsons.read_lines(ahead, limits, name))
    prefer = "\t" if kind == "tsv" else ","
    table = delimited.read(ahead, delimiter, limits, name=name, prefer=prefer)
    return Records("tsv" if table.delimiter == "\t" else "csv", shown, table.delimiter, table.headers, table.rows)


def _ahead(text: Iterator[str], name: str) -> delimited.Ahead:
    """The lines from the first that is not blank."""
    for number, line in enumerate(text, start=1):
        if line.strip("\ufeff \t\r\n"):
            return delimited.Ahead(text, line, number)
    raise UploadError("The file is empty.", file=name)
