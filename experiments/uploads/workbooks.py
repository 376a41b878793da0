"""Excel workbooks (.xlsx): zip archives of XML, whose unpacked size is checked before they are read."""

import zipfile
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Any, BinaryIO

from experiments.uploads.delimited import Table, check_headers
from experiments.uploads.limits import MB, Limits
from experiments.uploads.problems import BadRow, UploadError
from experiments.uploads.sheets import Book

MOST_PARTS = 2_000
UNPACKED = 10  # times the limit of the file
ROW = 8  # times the limit of a line: the XML around a row's texts is longer than they are
BROKEN = "The workbook cannot be read ({reason}). Open it, save it again as .xlsx, or save as CSV UTF-8."
_DECLARES = (b"<!DOCTYPE", b"<!ENTITY")


def is_workbook(file: BinaryIO) -> bool:
    """Whether a zip archive is a workbook."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return True  # let `read` say what is wrong with it
    finally:
        file.seek(0)
    return "xl/workbook.xml" in names or any(name.startswith("xl/") for name in names)


def read(file: BinaryIO, limits: Limits, name: str) -> Table:
    """The first sheet that has cells. Raises UploadError; nothing is unpacked before its size is known."""
    _check_archive(file, limits, name)
    rows = _sheet_rows(file, limits, name)
    first = next(rows, None)
    if first is None:
        raise UploadError("The file is empty: no sheet has any cells.", file=name)
    line, cells = first
    while cells and not cells[-1]:
        cells.pop()
    headers = check_headers(cells, line, limits, name)
    return Table("", headers, _named(rows, headers))


def _check_archive(file: BinaryIO, limits: Limits, name: str) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > UNPACKED * limits.file:
                raise _too_large(limits, name)
            for part in parts:
                with archive.open(part) as content:
                    if any(mark in content.read(2_000) for mark in _DECLARES):
                        raise UploadError(BROKEN.format(reason="it declares entities"), file=name)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError, EOFError) as error:
        raise UploadError(BROKEN.format(reason=_reason(error)), file=name) from error
    finally:
        file.seek(0)


def _sheet_rows(file: BinaryIO, limits: Limits, name: str) -> Iterator[tuple[int, list[str]]]:
    # Whatever a broken workbook makes openpyxl raise (it promises no set of errors) is a fault of the file.
    unpacked = 0
    try:
        book = Book(file, most=ROW * limits.line)
        for sheet in book.sheets:
            found = False
            for number, cells in book.rows(sheet, columns=limits.columns + 1):
                texts = [_text(cell) for cell in cells]
                if any(texts):
                    found = True
                    unpacked += sum(map(len, texts))  # a text that is stored once may stand in every row
                    if unpacked > UNPACKED * limits.file:
                        raise _too_large(limits, name)
                    yield number, texts
            if found:
                return
    except UploadError:
        raise
    except Exception as error:
        raise UploadError(BROKEN.format(reason=_reason(error)), file=name) from error


def _named(
    rows: Iterator[tuple[int, list[str]]], headers: tuple[str, ...]
) -> Iterator[tuple[int, Mapping[str, Any]] | BadRow]:
    width = len(headers)
    for line, cells in rows:
        if any(cells[width:]):
            yield BadRow(line, "", f"a cell stands right of the last column of the header ({width} columns).")
            continue
        padded = (*cells[:width], *[""] * (width - len(cells)))
        yield line, dict(zip(headers, padded, strict=True))


def _text(cell: Any) -> str:
    """A cell as text; whole numbers without a point, times in ISO form."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell)


def _too_large(limits: Limits, name: str) -> UploadError:
    most = UNPACKED * limits.file // MB
    return UploadError(f"The workbook unpacks to more than {most} MB. Save as CSV UTF-8.", file=name, too_large=True)


def _reason(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:200]
