"""Inputs read from any file people have them in: tables, JSON, and what other tools export."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from experiments.uploads import columns as named
from experiments.uploads.json_values import Unreadable, parse
from experiments.uploads.limits import INPUTS, Limits
from experiments.uploads.problems import BadRow, UploadError, error_of_rows
from experiments.uploads.records import Record, Records, open_records
from experiments.uploads.shapes import shaped, where_records_lie
from experiments.uploads.shelf import Shelf
from experiments.uploads.sources import Source, check_size, name_of, opened
from experiments.uploads.values import (
    BadValue,
    Messages,
    Tags,
    content_of,
    id_of,
    messages_of,
    tag_of,
    tags_of,
    text_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRow:
    """One input: `messages` are chat messages (role and content), `outputs` recorded answers by system.

    `others` are the columns that mean nothing here, by their header, as text.
    """

    line: int
    external_id: str
    messages: Messages
    tags: Tags = field(default_factory=list)
    reference: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What a file held; its rows lie on a shelf. `columns` says which column was taken for which field,
    `shape` which tool wrote the file.

    `numbered`: there was no id, so ids are the numbers of the rows. `repeated` are rows with the same text as an
    earlier one: (line, line of the first). `notes` are sentences on what was read into the file.
    """

    file: str
    format: str
    encoding: str
    delimiter: str
    shape: str
    columns: Mapping[str, str]
    other_columns: tuple[str, ...]
    rows: Sequence[InputRow]
    bad_rows: tuple[BadRow, ...]
    numbered: bool
    repeated: tuple[tuple[int, int], ...]
    notes: tuple[str, ...]

    def all_or_nothing(self) -> "Upload":
        """Itself, if every row is good; else raises UploadError that names the bad ones."""
        if self.bad_rows:
            raise error_of_rows(self.bad_rows, len(self.bad_rows), self.file)
        return self


def read(
    source: Source,
    *,
    name: str = "",
    format: str = "",  # noqa: A002  # the word for it
    encoding: str | None = None,
    delimiter: str = "",
    columns: Mapping[str, str] | None = None,
    output_columns: Sequence[str] = (),
    limits: Limits = INPUTS,
) -> Upload:
    """All inputs of a file, the good rows and the bad ones; `all_or_nothing()` refuses where there are bad ones.

    `source` is a path, an open binary file or bytes; `name` is what its messages call it, and its ending says the
    format unless `format` does (csv, tsv, jsonl, json, xlsx, parquet). `columns` maps fields (id, input, reference,
    tags, system_prompt, outputs) to headers; `output_columns` are columns with recorded answers, by system.
    Raises UploadError where the file as a whole cannot be used.
    """
    name = name_of(source, name)
    with ExitStack() as stack:
        file = stack.enter_context(opened(source))
        check_size(file, limits, name)
        how: dict[str, Any] = {"format": format, "encoding": encoding, "delimiter": delimiter}
        records = open_records(file, name, limits=limits, finder=where_records_lie, **how)
        shape, items = shaped(records.items)
        reader = _Reader(records, shape, dict(columns or {}), tuple(output_columns), limits, name)
        reader.take(items)
    return reader.upload()


@dataclass
class _Reader:
    records: Records
    shape: str
    said: Mapping[str, str]
    output_columns: tuple[str, ...]
    limits: Limits
    name: str
    rows: Shelf[InputRow] = field(default_factory=Shelf)
    bad: list[BadRow] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    others: dict[str, None] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    texts: dict[bytes, int] = field(default_factory=dict)
    repeated: list[tuple[int, int]] = field(default_factory=list)
    turned: int = 0
    seen: int = 0
    numbered: bool = False
    _matched: dict[tuple[str, ...], dict[str, str]] = field(default_factory=dict)

    def take(self, items: Iterator[Record | BadRow]) -> None:
        """Read every record; raises UploadError on the first that is one too many."""
        if self.records.headers and not self.shape:
            self._check_headers()
        for item in items:
            self.seen += 1
            if self.seen > self.limits.rows:
                line = item.line if isinstance(item, BadRow) else item[0]
                most = f"{self.limits.rows:,}"
                raise UploadError(
                    f"more than {most} rows; at most {most} are taken. Keep a sample.", file=self.name, line=line
                )
            if isinstance(item, BadRow):
                self.bad.append(item)
                continue
            try:
                self._add(*item)
            except BadValue as error:
                self.bad.append(BadRow(item[0], error.field, error.sentence))
        if not self.seen:
            raise UploadError("The file has a header but no rows.", file=self.name)

    def upload(self) -> Upload:
        """What was read."""
        notes = []
        if self.numbered and self.rows:
            notes.append("There is no id: the inputs are numbered by their rows.")
        if self.turned:
            notes.append(f"In {self.turned} rows the last message is an answer; it was taken as the reference.")
        if self.repeated:
            notes.append(f"{len(self.repeated)} rows repeat the text of an earlier one.")
        return Upload(
            file=self.name,
            format=self.records.format,
            encoding=self.records.encoding,
            delimiter=self.records.delimiter,
            shape=self.shape,
            columns=self.columns,
            other_columns=tuple(self.others),
            rows=self.rows,
            bad_rows=tuple(self.bad),
            numbered=self.numbered and bool(self.rows),
            repeated=tuple(self.repeated),
            notes=tuple(notes),
        )

    def _check_headers(self) -> None:
        matched = named.found(self.records.headers, named.INPUTS, self.said, self.name)
        if "input" not in matched:
            raise named.missing("input", self.records.headers, self.name, named.INPUTS["input"][2:7])
        for column in self.output_columns:
            if column not in self.records.headers:
                raise named.missing(column, self.records.headers, self.name)

    def _match(self, record: Mapping[str, Any]) -> dict[str, str]:
        keys = tuple(record)
        if keys not in self._matched:
            if len(self._matched) > 1_000:
                self._matched.clear()
            said = {} if self.shape else self.said
            if not self.records.headers:  # in JSON a record may lack what others have
                said = {field: column for field, column in said.items() if column in record or field == "input"}
            try:
                self._matched[keys] = named.found(keys, named.INPUTS, said, "")
            except UploadError as error:
                raise BadValue("", error.sentence.replace("Column", "Field", 1)) from None
            self.columns = self._matched[keys] | self.columns
        return self._matched[keys]

    def _add(self, line: int, record: Mapping[str, Any]) -> None:
        if len(record) > self.limits.columns:
            raise BadValue("", f"{len(record)} fields; at most {self.limits.columns} are read.")
        columns = self._match(record)
        if "input" not in columns:
            error = named.missing("input", tuple(record), "", named.INPUTS["input"][2:7])
            raise BadValue("", error.sentence.replace("Column", "Field", 1))
        external_id = self._id(record, columns)
        messages = self._messages(record, columns)
        reference = _optional_text(record, columns, "reference", self.limits)
        if len(messages) > 1 and messages[-1]["role"] == "assistant":
            reference = reference or messages.pop()["content"]
            self.turned += 1
            messages = messages if messages[-1]["role"] != "assistant" else messages[:-1]
        if messages[-1]["role"] != "user":
            raise BadValue(columns["input"], "the last message must be the user's.")
        tags, used = self._tags(record, columns)
        outputs = self._outputs(record, columns)
        if external_id in self.ids:
            raise BadValue("id", f"Lines {self.ids[external_id]} and {line} have the same id {external_id!r}.")
        others = self._others(record, {*columns.values(), *used, *self.output_columns})
        self.ids[external_id] = line
        self._note_repeated(line, messages)
        self.rows.append(
            InputRow(
                line=line,
                external_id=external_id,
                messages=messages,
                tags=tags,
                reference=reference,
                outputs=outputs,
                others=others,
            )
        )

    def _id(self, record: Mapping[str, Any], columns: Mapping[str, str]) -> str:
        if "id" not in columns:
            self.numbered = True
            return str(self.seen)
        return id_of(record[columns["id"]], columns["id"], self.limits)

    def _messages(self, record: Mapping[str, Any], columns: Mapping[str, str]) -> Messages:
        column = columns["input"]
        value = record[column]
        if isinstance(value, str) and column.strip().casefold() in {"messages", "conversation", "conversations"}:
            value = _json_cell(value, column, self.limits)
        if isinstance(value, list) and (not value or isinstance(value[0], Mapping)):
            messages = messages_of(value, column, self.limits)
        else:
            messages = [{"role": "user", "content": text_of(value, column, self.limits)}]
        system = _optional_text(record, columns, "system_prompt", self.limits)
        if system.strip() and messages[0]["role"] != "system":
            messages.insert(0, {"role": "system", "content": system})
        return messages

    def _tags(self, record: Mapping[str, Any], columns: Mapping[str, str]) -> tuple[Tags, set[str]]:
        if "tags" in columns:
            column = columns["tags"]
            value = record[column]
            if isinstance(value, str) and value.lstrip()[:1] in {"[", "{"}:
                value = _json_cell(value, column, self.limits)
            return tags_of(value, column, self.limits), {column}
        made: dict[str, str] = {}
        used = set()
        for key, value in record.items():
            if key.strip().casefold() in named.TAG_COLUMNS and key not in columns.values():
                used.add(key)
                if value not in (None, ""):
                    made[key.strip().casefold()] = tag_of(value, key, self.limits)
        return made or [], used

    def _outputs(self, record: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, str]:
        made: dict[str, str] = {}
        if "outputs" in columns and record[columns["outputs"]] not in (None, ""):
            column = columns["outputs"]
            value = record[column]
            value = _json_cell(value, column, self.limits) if isinstance(value, str) else value
            if not isinstance(value, Mapping):
                raise BadValue(column, f"'{column}' must be an object of system and text.")
            made |= {
                text_of(system, column, self.limits): text_of(one, column, self.limits, required=False)
                for system, one in value.items()
            }
        for key, value in record.items():
            system = self._system_of(key)
            # An empty cell says that nothing was recorded; an empty answer can be said in JSON.
            if system and value not in (None, ""):
                made[system] = text_of(value, key, self.limits, required=False)
        return made

    def _system_of(self, key: str) -> str:
        if key in self.output_columns:
            return key
        prefix = next((one for one in named.OUTPUT_PREFIXES if key.casefold().startswith(one)), "")
        return key[len(prefix) :].strip() if prefix else ""

    def _others(self, record: Mapping[str, Any], used: set[str]) -> dict[str, str]:
        made: dict[str, str] = {}
        for key, value in record.items():
            if key in used or self._system_of(key):
                continue
            self.others.setdefault(text_of(key, "column name", self.limits, required=False))
            shown = value if isinstance(value, str) else "" if value is None else json.dumps(value, default=str)
            made[key] = text_of(shown, key, self.limits, required=False)
        return made

    def _note_repeated(self, line: int, messages: Messages) -> None:
        text = sha256(json.dumps(messages).encode()).digest()  # the text itself is held once, in the row
        if text in self.texts:
            self.repeated.append((line, self.texts[text]))
        self.texts.setdefault(text, line)


def _optional_text(record: Mapping[str, Any], columns: Mapping[str, str], name: str, limits: Limits) -> str:
    value = named.value(record, columns, name)
    value = content_of(value) if isinstance(value, list) else value
    return "" if value is None else text_of(value, columns[name], limits, required=False)


def _json_cell(value: str, column: str, limits: Limits) -> Any:
    try:
        return parse(value, limits)
    except Unreadable as error:
        raise BadValue(column, f"'{column}' is not valid JSON at column {error.at + 1} ({error}).") from None
