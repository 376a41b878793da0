"""A row of the Open LLM Leaderboard as scores: its table as CSV or JSON, or what its programming interface answers."""

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

LARGEST = 5_000_000
# As the leaderboard heads its columns, first and second edition, without signs and case.
COLUMNS = {
    "average": "Average",
    "averagescore": "Average",
    "ifeval": "IFEval",
    "bbh": "BBH",
    "mathlvl5": "MATH Lvl 5",
    "math": "MATH Lvl 5",
    "gpqa": "GPQA",
    "musr": "MUSR",
    "mmlupro": "MMLU-PRO",
    "arc": "ARC",
    "hellaswag": "HellaSwag",
    "mmlu": "MMLU",
    "truthfulqa": "TruthfulQA",
    "winogrande": "Winogrande",
    "gsm8k": "GSM8K",
}
NAMES = ("fullname", "name", "id", "model", "evalname")
DATES = ("submissiondate", "uploadtohubdate", "uploaddate", "date")
Row = Mapping[str, Any]


class NoSuchRow(ValueError):
    """A file that is no such row, in a sentence with the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Scores by benchmark, from 0 to 100, and when the row was made, where it says so."""

    scores: Mapping[str, float]
    dated: date | None


def read(content: bytes, *, model: str) -> Scores:
    """The scores of the file's only row, or of the row that is called like the model. Raises NoSuchRow."""
    row = _chosen(_rows(_text(content)), model)
    scores = {
        COLUMNS[key]: _number(key, value) for key, value in row.items() if key in COLUMNS and value not in ("", None)
    }
    if not scores:
        raise NoSuchRow(f"No column of the leaderboard is in it, such as {', '.join(list(COLUMNS.values())[2:6])}.")
    return Scores(scores=scores, dated=_date(row))


def _text(content: bytes) -> str:
    if len(content) > LARGEST:
        raise NoSuchRow(f"The file has more than {LARGEST // 1_000_000} MB: keep the one row of this model.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NoSuchRow("The file is not UTF-8: save it as UTF-8.") from error


def _rows(text: str) -> list[Row]:
    found = _of_json(text) if text.lstrip()[:1] in {"{", "["} else _of_table(text)
    if not found:
        raise NoSuchRow("There is no row in it: the first line names the columns, the second has the scores.")
    return found


def _of_json(text: str) -> list[Row]:
    try:
        whole = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise NoSuchRow(f"It is not valid JSON: {str(error)[:100]}.") from error
    if isinstance(whole, dict) and isinstance(whole.get("rows"), list):
        whole = [one.get("row", one) if isinstance(one, dict) else one for one in whole["rows"]]
    rows = whole if isinstance(whole, list) else [whole]
    if not all(isinstance(row, dict) for row in rows):
        raise NoSuchRow("Each row must be an object with the names of the columns.")
    return [_flat(row) for row in rows]


def _flat(row: Row) -> Row:
    """Keys without signs and case; the interface's nested objects brought to the columns' names."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if key in {"model", "metadata"} and isinstance(value, dict):
            flat |= {_plain(inner): one for inner, one in value.items() if not isinstance(one, dict)}
        elif key == "evaluations" and isinstance(value, dict):
            flat |= {
                _plain(str(one.get("name", inner))): one.get("normalized_score", one.get("value"))
                for inner, one in value.items()
                if isinstance(one, dict)
            }
        elif not isinstance(value, dict | list):
            flat[_plain(key)] = value
    return flat


def _of_table(text: str) -> list[Row]:
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise NoSuchRow(f"It cannot be read as a table: {error}.") from error
    return [{_plain(key): value for key, value in row.items() if key is not None} for row in rows]


def _chosen(rows: Sequence[Row], model: str) -> Row:
    if len(rows) == 1:
        return rows[0]
    wanted = {model.lower(), model.lower().rpartition("/")[2]} - {""}
    found = [row for row in rows if _called(row) & wanted]
    if len(found) != 1:
        told = "none" if not found else f"{len(found)}"
        raise NoSuchRow(f"Of its {len(rows):,} rows {told} are called {model!r}: keep the one row of this model.")
    return found[0]


def _called(row: Row) -> set[str]:
    names = {str(row[key]).lower() for key in NAMES if row.get(key)}
    return names | {name.rpartition("/")[2] for name in names}


def _number(key: str, value: Any) -> float:
    try:
        number = float(str(value).strip().removesuffix("%"))
    except ValueError:
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number) or not 0 <= number <= 100:
        raise NoSuchRow(f"{COLUMNS[key]} is {str(value)[:40]!r}, and must be a number from 0 to 100.")
    return number


def _date(row: Row) -> date | None:
    return next((found for found in _dates(row.get(key) for key in DATES)), None)


def _dates(values: Iterable[Any]) -> Iterable[date]:
    for value in values:
        try:
            yield date.fromisoformat(str(value or "")[:10])
        except ValueError:
            continue


def _plain(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.lower())
