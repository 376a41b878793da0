"""One table of the current judgments: CSV, an Excel workbook, Parquet."""

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.worksheet.worksheet import Worksheet

from experiments.models import Experiment
from reports.exports.cells import harmless, written
from reports.exports.rows import JudgmentRow, judgments

FIXED = (
    "input",
    "rater",
    "left",
    "right",
    "verdict",
    "winner",
    "kind",
    "counted",
    "unblinded",
    "imported",
    "strength",
    "left_acceptable",
    "right_acceptable",
    "comment",
    "seconds",
    "layout",
    "differences_used",
    "judged_at",
    "left_out",
)
BATCH = 10_000
# Characters that a workbook's XML cannot hold.
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
CELL_CHARACTERS = 32_767
SHEET_ROWS = 1_048_576


class TooLong(ValueError):
    """More judgments than a sheet has rows."""


class PyarrowMissing(Exception):
    """Parquet needs pyarrow, which is not installed."""


try:
    import pyarrow
    import pyarrow.parquet
except ImportError:  # an optional extra
    pyarrow = None


def to_csv(experiment: Experiment, stream: BinaryIO) -> None:
    """UTF-8 with a BOM, so that spreadsheets read it as such; formula cells are neutralised."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    writer = csv.writer(text)
    criteria = _criteria(experiment)
    writer.writerow([written(name) for name in _header(criteria)])
    writer.writerows([written(value) for value in _cells(row, criteria)] for row in judgments(experiment))
    text.flush()
    text.detach()


def to_xlsx(experiment: Experiment, stream: BinaryIO) -> None:
    """A workbook of one sheet; texts are text cells, never formulas. Raises TooLong."""
    criteria = _criteria(experiment)
    rows = judgments(experiment)
    book = Workbook(write_only=True)
    sheet = book.create_sheet("judgments")
    sheet.append(_header(criteria))
    for number, row in enumerate(rows, start=2):
        if number > SHEET_ROWS:
            raise TooLong(f"A sheet of a workbook holds {SHEET_ROWS:,} rows; export csv or parquet instead.")
        sheet.append([_cell(sheet, value) for value in _cells(row, criteria)])
    book.save(stream)


def to_parquet(experiment: Experiment, stream: BinaryIO) -> None:
    """Typed columns, exact texts; streamed by row groups. Raises PyarrowMissing."""
    if pyarrow is None:
        raise PyarrowMissing("Parquet needs pyarrow, which is not installed: uv sync --extra parquet.")
    criteria = _criteria(experiment)
    schema = _schema(criteria)
    rows = judgments(experiment)
    with pyarrow.parquet.ParquetWriter(stream, schema) as writer:
        while batch := list(islice(rows, BATCH)):
            writer.write_table(pyarrow.Table.from_pylist([_record(row, criteria) for row in batch], schema=schema))


def columns(experiment: Experiment) -> list[str]:
    """The heads of the table, those of criteria last."""
    return _header(_criteria(experiment))


def _criteria(experiment: Experiment) -> list[str]:
    return list(experiment.criteria.values_list("name", flat=True))


def _header(criteria: list[str]) -> list[str]:
    return [*FIXED, *(str(harmless(f"criterion: {name}")) for name in criteria)]


def _cells(row: JudgmentRow, criteria: list[str]) -> Iterator[Any]:
    yield from (getattr(row, name) for name in FIXED)
    yield from (row.criteria.get(name, "") for name in criteria)


def _record(row: JudgmentRow, criteria: list[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in FIXED} | {
        f"criterion: {name}": row.criteria.get(name) for name in criteria
    }


def _cell(sheet: Worksheet, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, _UNWRITABLE.sub("�", str(harmless(value)))[:CELL_CHARACTERS])
    cell.data_type = "s"
    return cell


def _schema(criteria: list[str]) -> Any:
    truth = {"counted", "unblinded", "left_out", "imported", "left_acceptable", "right_acceptable", "differences_used"}
    fixed = [
        (name, pyarrow.bool_() if name in truth else pyarrow.float64() if name == "seconds" else pyarrow.string())
        for name in FIXED
    ]
    return pyarrow.schema([*fixed, *((f"criterion: {name}", pyarrow.string()) for name in criteria)])
