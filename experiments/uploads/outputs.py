"""Recorded answers: one line an answer, joined later on the input's id."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from experiments.uploads import columns as named
from experiments.uploads.limits import OUTPUTS, Limits
from experiments.uploads.problems import BadRow, UploadError, error_of_rows
from experiments.uploads.records import Record, open_records
from experiments.uploads.shapes import shaped_outputs, where_records_lie
from experiments.uploads.sources import Source, check_size, name_of, opened
from experiments.uploads.values import BadValue, id_of, near, number_of, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputRow:
    """An answer: `output` may be empty (the model said nothing); times in ms; None where not recorded.

    `system` is who answered, where the file says so.
    """

    line: int
    external_id: str
    output: str
    latency_ms: float | None = None
    ttft_ms: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    system: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputUpload:
    """What a file of recorded answers held; `systems` are the names in it, in the order of their first answer."""

    file: str
    format: str
    encoding: str
    delimiter: str
    shape: str
    rows: tuple[OutputRow, ...]
    bad_rows: tuple[BadRow, ...]
    systems: tuple[str, ...]

    def all_or_nothing(self) -> "OutputUpload":
        """Itself, if every row is good; else raises UploadError that names the bad ones."""
        if self.bad_rows:
            raise error_of_rows(self.bad_rows, len(self.bad_rows), self.file)
        return self


def read_outputs(
    source: Source,
    *,
    name: str = "",
    format: str = "",  # noqa: A002  # the word for it
    encoding: str | None = None,
    delimiter: str = "",
    columns: Mapping[str, str] | None = None,
    system: str = "",
    limits: Limits = OUTPUTS,
) -> OutputUpload:
    """All recorded answers of a file: columns or keys id (or input_id) and output, and optional measurements.

    Where several systems stand in the file, `system` keeps the answers of one of them; two answers of one system to
    one input are bad. Raises UploadError where the file as a whole cannot be used.
    """
    name = name_of(source, name)
    bad: list[BadRow] = []
    with opened(source) as file:
        check_size(file, limits, name)
        how: dict[str, Any] = {"format": format, "encoding": encoding, "delimiter": delimiter}
        records = open_records(file, name, limits=limits, finder=where_records_lie, **how)
        shape, items = shaped_outputs(records.items)
        if records.headers and not shape:
            _check_headers(records.headers, dict(columns or {}), name)
        rows = list(_rows(items, bad, {} if shape else dict(columns or {}), limits, name))
    systems = tuple(dict.fromkeys(row.system for row in rows if row.system))
    if not rows and not bad:
        raise UploadError("The file has a header but no rows.", file=name)
    if system and len(systems) > 1:
        if system not in systems:
            shown = ", ".join(systems[:12])
            raise UploadError(f"No answers of {system!r} in it. Found: {shown}.{_near(system, systems)}", file=name)
        rows = [row for row in rows if row.system == system]
    return OutputUpload(
        file=name,
        format=records.format,
        encoding=records.encoding,
        delimiter=records.delimiter,
        shape=shape,
        rows=tuple(_once(rows, bad)),
        bad_rows=tuple(sorted(bad, key=lambda row: row.line)),
        systems=systems,
    )


def _check_headers(headers: tuple[str, ...], said: Mapping[str, str], name: str) -> None:
    matched = named.found(headers, named.OUTPUTS, said, name)
    for wanted in ("id", "output"):
        if wanted not in matched:
            raise named.missing(wanted, headers, name, named.OUTPUTS[wanted][1:4])


def _rows(
    items: Iterator[Record | BadRow], bad: list[BadRow], said: Mapping[str, str], limits: Limits, name: str
) -> Iterator[OutputRow]:
    for number, item in enumerate(items, start=1):
        if number > limits.rows:
            line = item.line if isinstance(item, BadRow) else item[0]
            raise UploadError(f"more than {limits.rows:,} rows.", file=name, line=line)
        if isinstance(item, BadRow):
            bad.append(item)
            continue
        try:
            yield _row(*item, said, limits)
        except BadValue as error:
            bad.append(BadRow(item[0], error.field, error.sentence))


def _row(line: int, record: Mapping[str, Any], said: Mapping[str, str], limits: Limits) -> OutputRow:
    columns = named.found(tuple(record), named.OUTPUTS, said, "")
    for wanted in ("id", "output"):
        if wanted not in columns:
            raise BadValue(wanted, f"'{wanted}' is missing. Found: {', '.join(list(record)[:12]) or 'nothing'}.")
    numbers = {
        key: number_of(named.value(record, columns, key), columns.get(key, key), whole=key.endswith("tokens"))
        for key in ("latency_ms", "ttft_ms", "input_tokens", "output_tokens")
    }
    system = named.value(record, columns, "system")
    return OutputRow(
        line=line,
        external_id=id_of(record[columns["id"]], columns["id"], limits),
        output=text_of(record[columns["output"]], columns["output"], limits, required=False),
        latency_ms=numbers["latency_ms"],
        ttft_ms=numbers["ttft_ms"],
        input_tokens=_whole(numbers["input_tokens"]),
        output_tokens=_whole(numbers["output_tokens"]),
        system=text_of(system, columns["system"], limits, required=False).strip() if system else "",
    )


def _once(rows: list[OutputRow], bad: list[BadRow]) -> Iterator[OutputRow]:
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row.system, row.external_id)
        if key in seen:
            sentence = f"Lines {seen[key]} and {row.line} have the same id {row.external_id!r}."
            bad.append(BadRow(row.line, "id", sentence))
            continue
        seen[key] = row.line
        yield row


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _near(system: str, systems: tuple[str, ...]) -> str:
    return near(system, systems)
