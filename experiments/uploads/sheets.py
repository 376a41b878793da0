"""The sheets of a workbook row by row: openpyxl reads the cells, but neither a sheet nor the texts are held."""

import warnings
from collections.abc import Iterator
from typing import IO, Any, BinaryIO
from xml.etree.ElementTree import Element

from openpyxl.cell.text import Text
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from experiments.uploads.shelf import Shelf

MOST_ELEMENTS = 100_000  # in a row or in a shared text
_TEXT, _ROW = f"{{{SHEET_MAIN_NS}}}si", f"{{{SHEET_MAIN_NS}}}row"
_BELOW = {_TEXT: 1, _ROW: 2}  # so many elements stand around each


class Book:
    """An open workbook. `most` bytes of XML may be a row or a shared text; what is broken raises any exception."""

    def __init__(self, file: BinaryIO, *, most: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader = ExcelReader(file, read_only=True, data_only=True, keep_links=False)
            reader.read_manifest()
            reader.read_workbook()
            apply_stylesheet(reader.archive, reader.wb)  # says which numbers are dates
            found = [(rel.target, rel.Type) for _sheet, rel in reader.parser.find_sheets()]
        self._archive, self._book, self._most = reader.archive, reader.wb, most
        self.sheets = [place for place, kind in found if place in reader.valid_files and "chartsheet" not in kind]
        self._texts: Shelf[str] = Shelf()
        strings = reader.package.find(SHARED_STRINGS)
        if strings is not None:
            with self._archive.open(strings.PartName[1:]) as xml:
                for element in self._elements(xml, _TEXT):
                    self._texts.append(Text.from_tree(element).content.replace("x005F_", ""))

    def rows(self, sheet: str, *, columns: int) -> Iterator[tuple[int, list[Any]]]:
        """The rows that have cells with their numbers, each with the values of so many columns at most."""
        with self._archive.open(sheet) as xml:
            parser = WorkSheetParser(
                xml,
                self._texts,
                data_only=True,
                epoch=self._book.epoch,
                date_formats=self._book._date_formats,
                timedelta_formats=self._book._timedelta_formats,
            )
            for element in self._elements(xml, _ROW):
                number, cells = parser.parse_row(element)
                parser.row_dimensions.clear()
                values = {cell["column"]: cell["value"] for cell in cells if cell["column"] <= columns}
                if values:
                    yield number, [values.get(column) for column in range(1, max(values) + 1)]

    def _elements(self, xml: IO[bytes], tag: str) -> Iterator[Element]:
        """The elements of a name, each forgotten before the next is read."""
        source = _Counted(xml, self._most)
        around: list[Element] = []
        inside = 0
        for event, element in iterparse(source, events=("start", "end")):
            if event == "start":
                around.append(element)
                inside += 1
                if inside > MOST_ELEMENTS:
                    raise ValueError(f"a row or a text has more than {MOST_ELEMENTS:,} parts")
                continue
            around.pop()
            if len(around) <= _BELOW[tag]:
                if element.tag == tag:
                    yield element
                for one in (element, *around[-1:]):
                    one.clear()
                source.count = inside = 0


class _Counted:
    """A file that is read on no further once so many bytes came since `count` was 0."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file, self._most, self.count = file, most, 0

    def read(self, size: int) -> bytes:
        if self.count > self._most:
            raise ValueError(f"a row or a text is longer than {self._most:,} bytes")
        read = self._file.read(size)
        self.count += len(read)
        return read
