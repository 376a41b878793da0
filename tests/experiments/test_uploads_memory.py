"""Files that unpack to much, and files of which little is held while they are read."""

import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable

import pyarrow
import pytest
from openpyxl import Workbook
from pyarrow.parquet import write_table

from experiments.uploads import Limits, UploadError, read
from experiments.uploads.shelf import Shelf

SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
TEXTS = [f"{number} " + f"words of the row {number} " * 120 for number in range(2_000)]
SHARED = '<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.{}"/>'


def workbook_of_excel(rows: Iterable[str], texts: Iterable[str]) -> bytes:
    """As Excel writes it: the texts lie in a part of their own, and the cells of `rows` (XML) give their numbers."""
    plain, made = io.BytesIO(), io.BytesIO()
    Workbook().save(plain)
    parts = {
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{SHEETS}"><sheetData>{"".join(rows)}</sheetData></worksheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{SHEETS}">{"".join(f"<si><t>{text}</t></si>" for text in texts)}</sst>',
    }
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name).decode()
            if name == "[Content_Types].xml" and "sharedStrings" not in content:
                kind = SHARED.format("spreadsheetml.sharedStrings+xml")
                content = content.replace("</Types>", f"{kind}</Types>")
            if name not in parts:
                new.writestr(name, content)
        for name, content in parts.items():
            new.writestr(name, content)
    return made.getvalue()


def shared(line: int, text: int) -> str:
    return f'<row r="{line}"><c r="A{line}" t="s"><v>{text}</v></c></row>'


def promptfoo() -> bytes:
    results = [
        {"testIdx": number, "provider": {"id": "one"}, "prompt": {"raw": text}, "vars": {}, "response": {"output": "a"}}
        for number, text in enumerate(TEXTS)
    ]
    return json.dumps({"results": {"results": results}}).encode()


FILES: dict[str, Callable[[], bytes]] = {
    "x.csv": lambda: "\n".join(["prompt", *TEXTS]).encode(),
    "emoji.csv": lambda: "\n".join(["prompt", *(f"{text}🙂" for text in TEXTS)]).encode(),
    "x.jsonl": lambda: "\n".join(json.dumps({"prompt": text}) for text in TEXTS).encode(),
    "x.json": lambda: json.dumps([{"prompt": text} for text in TEXTS]).encode(),
    "promptfoo.json": promptfoo,
    "x.xlsx": lambda: workbook_of_excel(
        (shared(line, line - 1) for line in range(1, len(TEXTS) + 2)), ["prompt", *TEXTS]
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_the_texts_of_a_file_are_not_held_while_it_is_read(name: str) -> None:
    file = io.BytesIO(FILES[name]())
    tracemalloc.start()
    try:
        upload = read(file, name=name).all_or_nothing()
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < sum(map(len, TEXTS)) * 0.7
    assert [row.messages[0]["content"].removesuffix("🙂") for row in upload.rows] == TEXTS


def test_a_row_of_a_workbook_is_named_by_its_number_however_far_down_it_stands() -> None:
    rows = [shared(1, 0), shared(4, 1), shared(10**12, 1)]
    upload = read(workbook_of_excel(rows, ["prompt", "a"]), name="x.xlsx").all_or_nothing()
    assert [(row.line, row.messages[0]["content"]) for row in upload.rows] == [(4, "a"), (10**12, "a")]


def test_a_text_that_a_workbook_holds_once_cannot_stand_in_endless_rows() -> None:
    file = workbook_of_excel([shared(1, 0), *(shared(line, 1) for line in range(2, 500))], ["prompt", "a" * 9_000])
    assert len(read(file, name="x.xlsx").rows) == 498
    with pytest.raises(UploadError, match="unpacks to more than") as caught:
        read(file, name="x.xlsx", limits=Limits(file=400_000))
    assert caught.value.too_large


def test_a_row_of_a_workbook_with_endless_cells_is_not_built() -> None:
    file = workbook_of_excel([shared(1, 0), f'<row r="2">{"<c/>" * 200_000}</row>'], ["prompt"])
    with pytest.raises(UploadError, match="has more than 100,000 parts"):
        read(file, name="x.xlsx")


def test_a_row_of_a_workbook_of_endless_text_is_not_built() -> None:
    long = f'<row r="2"><c r="A2" t="inlineStr"><is><t>{"a" * 10_000_000}</t></is></c></row>'
    with pytest.raises(UploadError, match="is longer than 8,000,000 bytes"):
        read(workbook_of_excel([shared(1, 0), long], ["prompt"]), name="x.xlsx")


def test_a_text_that_parquet_holds_once_cannot_stand_in_endless_rows() -> None:
    file = io.BytesIO()
    write_table(pyarrow.table({"prompt": ["a" * 9_000] * 500}), file)
    assert len(read(file.getvalue(), name="x.parquet").rows) == 500
    with pytest.raises(UploadError, match="unpacks to more than") as caught:
        read(file.getvalue(), name="x.parquet", limits=Limits(file=400_000))
    assert caught.value.too_large


def test_a_shelf_gives_back_what_was_put_down_in_its_order() -> None:
    shelf = Shelf([{"text": "é🙂" * 400_000}, "b"])
    assert shelf.append(("c", 3)) == 2
    assert (len(shelf), shelf[1], shelf[-1]) == (3, "b", ("c", 3))
    assert list(shelf) == [{"text": "é🙂" * 400_000}, "b", ("c", 3)]
    assert list(shelf[1:]) == ["b", ("c", 3)]
    with pytest.raises(IndexError):
        shelf[3]
