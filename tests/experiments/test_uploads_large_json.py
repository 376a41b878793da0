"""Large JSON files: read piece by piece, in one line or many, with the same words for what is wrong."""

import io
import json
import tracemalloc

import pytest

from experiments.uploads import INPUTS, Limits, UploadError, headers_of, read
from experiments.uploads.jsons import Finder
from experiments.uploads.records import open_records
from experiments.uploads.shapes import where_records_lie

WORDS = "Where is my parcel? " * 50
ROWS = [{"id": f"in{number}", "input": f"{number}: {WORDS}"} for number in range(3_000)]
SHAPES = {
    "one line": json.dumps(ROWS),
    "many lines": json.dumps(ROWS, indent=1),
    "in an object": json.dumps({"count": 3, "data": ROWS, "note": {"more": [1]}}),
    "in an object of an object": json.dumps({"results": {"version": 3, "results": ROWS}}, indent=1),
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_every_element_of_three_megabytes_is_read(text: str) -> None:
    upload = read(text.encode(), name="inputs.json").all_or_nothing()
    assert [(row.external_id, row.messages[0]["content"]) for row in upload.rows] == [
        (row["id"], row["input"]) for row in ROWS
    ]


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_only_what_is_being_read_is_held(text: str) -> None:
    file = io.BytesIO(text.encode())
    tracemalloc.start()
    count = sum(1 for _ in open_records(file, "inputs.json", limits=INPUTS, finder=where_records_lie).items)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == len(ROWS)
    # Recognising lines needs one line of at most a megabyte, as text and as it is parsed.
    assert peak < 2_600_000 < len(text)


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_the_headers_are_those_of_the_first_record(text: str) -> None:
    assert headers_of(text.encode(), name="inputs.json") == ("id", "input")


def test_elements_of_one_line_are_told_by_their_numbers() -> None:
    upload = read(b'[{"input": "a"}, {"input": 3}, {"input": ""}]', name="inputs.json")
    assert [row.line for row in (*upload.rows, *upload.bad_rows)] == [1, 2, 3]


def refused(text: str, limits: Limits = INPUTS, finder: Finder = where_records_lie) -> str:
    with pytest.raises(UploadError) as caught:
        list(open_records(io.BytesIO(text.encode()), "x.json", limits=limits, finder=finder).items)
    return str(caught.value)


def test_a_fault_far_into_the_file_has_its_line_and_column() -> None:
    for text in (SHAPES["many lines"], SHAPES["in an object of an object"]):
        lines = text.splitlines()
        at = next(number for number, line in enumerate(lines) if '"in2500"' in line)
        lines[at] = lines[at].replace('"in2500"', "NaM")
        column = lines[at].index("NaM") + 1
        assert (
            refused("\n".join(lines)) == f"x.json, line {at + 1}: not valid JSON at column {column} (expecting value)."
        )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[{"a": 1}', "a comma or ] is missing"),
        ('[{"a": 1},]', "expecting value"),
        ('[{"a": 1}] x', "something follows the array"),
        ('{"data": [{"a": 1}]} x', "something follows the value"),
        ('{"data": [{"a": 1}], "data": 2}', "key 'data' stands there twice"),
        ('{"data" [{"a": 1}]}', "expecting ':' delimiter"),
        ('{"data": [{"a": 1}], 3: 2}', "expecting property name"),
        ('{"data": [{"a": 1}', "a comma or ] is missing"),
        ('{"data": [{"a": 1}]', "a comma or } is missing"),
        ("[" + "[" * 70 + "]" * 70 + "]", "nested deeper than 64"),
        ("[" * 20_000 + "]" * 20_000, "nested deeper than 64"),
        ('{"data": [' + "[" * 64 + "]" * 64 + "]}", "nested deeper than 64"),
        ('[{"a": NaN}]', "NaN is not JSON"),
        ("3", "must hold a list of objects, found number"),
        ("[]", "the array is empty"),
        (" \n", "The file is empty"),
    ],
)
def test_each_fault_has_its_words(text: str, sentence: str) -> None:
    assert sentence in refused(text)


def test_an_element_that_is_too_long_is_named_by_its_line() -> None:
    text = '[\n{"a": 1},\n{"a": "' + "x" * 1_000_001 + '"}]'
    assert refused(text) == "x.json, line 3: an element is longer than 1.0 MB."
    assert refused(text.removesuffix('"}]') + "x" * 500_000) == "x.json, line 3: an element is longer than 1.0 MB."


def test_a_number_that_a_piece_cuts_in_two_is_one_number() -> None:
    text = "[" + " " * 65_530 + "[1234567890123]]"
    assert "found list" in str(next(open_records(io.BytesIO(text.encode()), "x.json", limits=INPUTS).items))
    text = '{"count": ' + " " * 65_520 + '1234567890123, "data": [{"input": "a"}]}'
    assert len(read(text.encode(), name="x.json").rows) == 1
