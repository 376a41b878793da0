"""Judgments made elsewhere, read row by row in bounded memory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from experiments.uploads import columns as named
from experiments.uploads.limits import JUDGMENTS, Limits
from experiments.uploads.problems import SHOWN, BadRow, UploadError, error_of_rows
from experiments.uploads.records import open_records
from experiments.uploads.sources import Source, check_size, name_of, opened
from experiments.uploads.values import BadValue, check_storable, is_storable, number_of

REQUIRED = ("input", "rater", "left", "right", "verdict")
TEXTS = (*REQUIRED, "criterion", "comment")
_YES = {"yes": True, "true": True, "1": True, "y": True, "no": False, "false": False, "0": False, "n": False}


@dataclass(slots=True, kw_only=True)
class JudgmentRow:
    """A judgment as the file has it: names as text, seconds, a time with its zone; not frozen, for a million of them.

    `verdict` is in small letters, and not checked here; `judged_at` without a zone is taken as UTC.
    """

    line: int
    input: str
    rater: str
    left: str
    right: str
    verdict: str
    criterion: str
    left_acceptable: bool | None
    right_acceptable: bool | None
    seconds: float | None
    comment: str
    judged_at: datetime | None


def read_judgments(
    source: Source,
    *,
    name: str = "",
    encoding: str | None = None,
    delimiter: str = "",
    columns: Mapping[str, str] | None = None,
    limits: Limits = JUDGMENTS,
) -> Iterator[JudgmentRow]:
    """The rows of a judgments table, as they come; good rows first meet the caller, bad ones are counted.

    Raises UploadError at once where the file as a whole cannot be used, and at its end where rows were bad (the
    first hundred by line), so that nobody may take the good rows for all rows.
    """
    name = name_of(source, name)
    bad: list[BadRow] = []
    count = seen = 0
    with opened(source) as file:
        check_size(file, limits, name)
        records = open_records(file, name, limits=limits, encoding=encoding, delimiter=delimiter)
        matched: dict[str, str] = {}
        if records.headers:
            matched = _columns(records.headers, columns or {}, name)
        for item in records.items:
            seen += 1
            line = item.line if isinstance(item, BadRow) else item[0]
            if seen > limits.rows:
                raise UploadError(f"more than {limits.rows:,} rows; split the file.", file=name, line=line)
            try:
                if isinstance(item, BadRow):
                    raise BadValue(item.field, item.sentence)
                yield _row(line, item[1], matched or _columns(tuple(item[1]), columns or {}, name), limits)
            except BadValue as error:
                count += 1
                if len(bad) < SHOWN:
                    bad.append(BadRow(line, error.field, error.sentence))
    if not seen:
        raise UploadError("The file has a header but no rows.", file=name)
    if bad:
        raise error_of_rows(bad, count, name)


def _columns(headers: tuple[str, ...], said: Mapping[str, str], name: str) -> dict[str, str]:
    matched = named.found(headers, named.JUDGMENTS, said, name)
    for wanted in REQUIRED:
        if wanted not in matched:
            raise named.missing(wanted, headers, name)
    return matched


def _row(line: int, record: Mapping[str, Any], columns: Mapping[str, str], limits: Limits) -> JudgmentRow:
    # Written for speed: a million rows come this way.
    source, rater, left, right, verdict, criterion, comment = _texts(record, columns, limits)
    if not (source and rater and left and right and verdict):
        first = next(field for field in REQUIRED if not str(record.get(columns[field]) or "").strip())
        raise BadValue(columns[first], f"'{columns[first]}' is empty.")
    return JudgmentRow(
        line=line,
        input=source,
        rater=rater,
        left=left,
        right=right,
        verdict=verdict.lower(),
        criterion=criterion,
        left_acceptable=_flag(record, columns, "left_acceptable"),
        right_acceptable=_flag(record, columns, "right_acceptable"),
        seconds=number_of(record.get(columns["seconds"]), "seconds") if "seconds" in columns else None,
        comment=comment,
        judged_at=_time(record, columns),
    )


def _texts(record: Mapping[str, Any], columns: Mapping[str, str], limits: Limits) -> list[str]:
    found = [record.get(columns[field], "") if field in columns else "" for field in TEXTS]
    texts = ["" if one is None else one if isinstance(one, str) else str(one) for one in found]
    whole = "\n".join(texts)
    if len(whole) * 4 > limits.field or not is_storable(whole):
        for field, text in zip(TEXTS, texts, strict=True):
            check_storable(text, columns.get(field, field), limits)
    return [text.strip() for text in texts]


def _flag(record: Mapping[str, Any], columns: Mapping[str, str], field: str) -> bool | None:
    value = record.get(columns[field]) if field in columns else None
    if value is None or value == "":
        return None
    flag = _YES.get(str(value).strip().lower())
    if flag is None and str(value).strip():
        raise BadValue(field, f"'{field}' must be yes or no, found {str(value)[:40]!r}.")
    return flag


def _time(record: Mapping[str, Any], columns: Mapping[str, str]) -> datetime | None:
    value = record.get(columns["judged_at"]) if "judged_at" in columns else None
    if value is None or not str(value).strip():
        return None
    made: datetime | None
    try:
        made = datetime.fromisoformat(str(value).strip())
    except ValueError:
        made = None
    if made is None or not 1970 < made.year < 2200:
        raise BadValue("judged_at", f"'judged_at' must be a time like 2026-11-02T09:30:00Z, found {str(value)[:40]!r}.")
    return made if made.tzinfo else made.replace(tzinfo=UTC)
