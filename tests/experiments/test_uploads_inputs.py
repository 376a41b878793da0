"""Inputs from the files people have: which column means what is found, said and never guessed in silence."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from experiments.uploads import Limits, read
from tests.needs import shared

FILES = Path(__file__).resolve().parent.parent / "fixtures" / "uploads"


def asked(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_a_plain_table_of_ids_and_prompts() -> None:
    upload = read(b'ID,Prompt,Reference\r\nt-1,Hello,Hi\r\nt-2,"a, b\nc",\r\nt-3,x,y\r\n', name="inputs.csv")
    assert [(row.line, row.external_id, row.messages, row.reference) for row in upload.rows] == [
        (2, "t-1", asked("Hello"), "Hi"),
        (3, "t-2", asked("a, b\nc"), ""),
        (5, "t-3", asked("x"), "y"),
    ]
    assert (upload.format, upload.encoding, upload.delimiter) == ("csv", "utf-8", ",")
    assert upload.columns == {"id": "ID", "input": "Prompt", "reference": "Reference"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_separator_is_recognised_and_reported(delimiter: str) -> None:
    upload = read(f"id{delimiter}prompt\n1{delimiter}a\n".encode(), name="inputs.csv")
    assert (upload.delimiter, upload.rows[0].messages) == (delimiter, asked("a"))


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_read(ending: str) -> None:
    upload = read(ending.join(["id,prompt", "1,a", "2,b", ""]).encode(), name="inputs.csv").all_or_nothing()
    assert [(row.line, row.external_id) for row in upload.rows] == [(2, "1"), (3, "2")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_that_say_what_they_are_are_read(encoding: str) -> None:
    assert read("id,prompt\n1,café\n".encode(encoding)).rows[0].messages == asked("café")


def test_another_encoding_is_read_when_it_is_said() -> None:
    assert read("id,prompt\n1,café\n".encode("cp1252"), encoding="cp1252").rows[0].messages == asked("café")


def test_without_ids_the_rows_are_numbered_and_it_is_said() -> None:
    upload = read(b"question\na\n\nb\n", name="inputs.csv")
    assert [(row.line, row.external_id) for row in upload.rows] == [(2, "1"), (4, "2")]
    assert upload.numbered
    assert "numbered" in upload.notes[0]


def test_json_lines_with_prompts_messages_tags_and_outputs() -> None:
    lines: list[dict[str, Any]] = [
        {"id": "a", "input": "Hello", "tags": ["x", "y"], "reference": "Hi", "outputs": {"api": "", "own": "Yes"}},
        {"id": 7, "messages": [{"role": "developer", "content": "Be brief."}, *asked("Why?")], "tags": {"topic": "q"}},
        {"id": "c", "input": "line\u2028separator"},
    ]
    upload = read("\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode(), name="inputs.jsonl")
    first, second, third = upload.all_or_nothing().rows
    assert (first.tags, first.reference, first.outputs) == (["x", "y"], "Hi", {"api": "", "own": "Yes"})
    assert (second.external_id, second.tags) == ("7", {"topic": "q"})
    assert second.messages == [{"role": "system", "content": "Be brief."}, *asked("Why?")]
    assert third.messages == asked("line\u2028separator")


def test_a_json_array_has_the_lines_of_its_elements() -> None:
    upload = read(b'[\n  {"prompt": "a"},\n  {"prompt":\n "b"}, {"prompt": "c"}]\n', name="inputs.json")
    assert [row.line for row in upload.rows] == [2, 3, 4]


def test_a_json_object_may_hold_the_list() -> None:
    assert len(read(b'{"data": [{"prompt": "a"}, {"prompt": "b"}], "count": 2}', name="inputs.json").rows) == 2


def test_lines_by_the_name_of_json_are_read_as_lines() -> None:
    upload = read(b'\n{"prompt": "a"}\n{"prompt": "b"}\n', name="inputs.json")
    assert [(upload.format, row.line) for row in upload.rows] == [("jsonl", 2), ("jsonl", 3)]


def test_segment_and_topic_become_tags_where_no_column_is_called_so() -> None:
    upload = read(b"prompt,Segment,topic\na,code,\n", name="inputs.csv")
    assert upload.rows[0].tags == {"segment": "code"}
    assert read(b'prompt,tags,topic\na,"x; y",z\n').rows[0].tags == ["x", "y"]


def test_columns_can_be_said() -> None:
    upload = read(b"nr,was,text\n1,a,b\n", name="inputs.csv", columns={"id": "nr", "input": "was"})
    assert upload.rows[0].messages == asked("a")
    assert upload.rows[0].others == {"text": "b"}


def test_unknown_columns_are_kept_aside_and_answers_taken_where_said() -> None:
    content = b"id,prompt,gpt-4o,own,output:third\n1,a,yes,,no\n"
    upload = read(content, name="inputs.csv")
    assert (upload.other_columns, upload.rows[0].others) == (("gpt-4o", "own"), {"gpt-4o": "yes", "own": ""})
    assert upload.rows[0].outputs == {"third": "no"}
    upload = read(content, name="inputs.csv", output_columns=("gpt-4o", "own"))
    assert upload.rows[0].outputs == {"gpt-4o": "yes", "third": "no"}


def test_good_rows_are_there_beside_bad_ones() -> None:
    upload = read(b"id,prompt\n1,a\n2,\n3,c\n1,d\n", name="inputs.csv")
    assert [row.external_id for row in upload.rows] == ["1", "3"]
    assert [row.line for row in upload.bad_rows] == [3, 5]


def test_texts_that_come_again_are_counted() -> None:
    upload = read(b"prompt\na\nb\na\n", name="inputs.csv")
    assert upload.repeated == ((4, 2),)


def test_a_workbook_is_read_by_its_first_sheet_with_cells() -> None:
    book = Workbook()
    book.create_sheet("data")
    for row in (["id", "prompt", "tags"], [1, "Hello", "x, y"], [None, None, None], [2.0, True, None]):
        book["data"].append(row)
    file = io.BytesIO()
    book.save(file)
    upload = read(file, name="inputs.xlsx").all_or_nothing()
    assert [(row.line, row.external_id, row.messages) for row in upload.rows] == [
        (2, "1", asked("Hello")),
        (4, "2", asked("true")),
    ]


def test_parquet_is_read_with_its_nested_messages() -> None:
    pytest.importorskip("pyarrow")
    upload = read(FILES / "messages.parquet").all_or_nothing()
    assert [row.messages for row in upload.rows] == [asked("x"), asked("y")]


def test_limits_can_be_changed() -> None:
    assert len(read(b"prompt\n" + b"a\n" * 30, limits=Limits(rows=30)).rows) == 30


def test_a_path_is_called_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "inputs.csv"
    path.write_text("prompt\na\n")
    assert read(path).file == "inputs.csv"


def test_the_reference_inputs_are_read_whole() -> None:
    upload = read(shared("data", "arena_hard_50", "inputs.jsonl")).all_or_nothing()
    assert (len(upload.rows), upload.other_columns) == (50, ("source_question_id",))
    wide = read(shared("data", "arena_hard_50", "import_wide.csv"), output_columns=("gpt-4o-mini-2024-07-18",))
    assert all(row.outputs for row in wide.all_or_nothing().rows)
