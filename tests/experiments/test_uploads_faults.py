"""Every bad file has its sentence: the line, the field, what is wrong and what to do; and no file breaks the reader."""

import gzip
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from experiments.uploads import Limits, UploadError, read, read_judgments, read_outputs


def workbook(rows: list[list[Any]]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def archive(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name.replace("__", "/"), content)
    return file.getvalue()


WORKBOOK = workbook([["id", "prompt"], [1, "ä"]])
TABLE = "id,prompt\n1,café\n"
LINE = '{"id": "1", "prompt": "a"%s}\n'
CSV: list[tuple[str, bytes, str]] = [
    ("an empty file", b"", "The file is empty"),
    ("only a byte order mark", b"\xef\xbb\xbf", "The file is empty"),
    ("only white space", b"\n \n\n", "The file is empty"),
    ("only a header", b"id,prompt\n", "has a header but no rows"),
    ("a workbook", workbook([["id", "prompt"], [1, "a"]]), "This is an Excel workbook, not text. Save as CSV UTF-8"),
    ("a zip archive", archive(a=b"x"), "This is a ZIP archive, not text"),
    ("a gzip archive", gzip.compress(b"id,prompt\n1,a\n"), "This is a gzip archive, not text"),
    ("an image", b"\x89PNG\r\n\x1a\n", "This is a PNG image, not text"),
    ("Parquet", b"PAR1\x15\x04", "This is a Parquet file, not text"),
    ("a pickle", pickle.dumps([{"id": 1}]), "This is a Python pickle, not text"),
    ("a log-in page", b"\n<!DOCTYPE html><html><p>Sign in", "looks like a web page. Was the download protected"),
    ("Latin-1", TABLE.encode("latin-1"), "line 2: not UTF-8 (byte 0xE9 at column 6). Looks like Latin-1"),
    ("UTF-16 without a mark", TABLE.encode("utf-16-le"), "Looks like UTF-16"),
    ("UTF-16 of plain letters", "id,prompt\n1,a\n".encode("utf-16-be"), "Looks like UTF-16: save as CSV UTF-8"),
    ("zeros", bytes(500), "Not UTF-8. It begins with zeros only"),
    ("UTF-32", TABLE.encode("utf-32"), "Looks like UTF-32"),
    ("Shift JIS", "id,prompt\n1,日本語の長い文章です日本語\n".encode("shift_jis"), "Looks like Shift JIS"),
    ("EUC-KR", "id,prompt\n1,한국어 문장입니다 한국어\n".encode("euc_kr"), "Looks like EUC-KR"),
    ("GB18030", "id,prompt\n1,这是一个中文句子这是中文\n".encode("gb18030"), "Looks like GB18030"),
    ("cut UTF-8", TABLE.encode()[:-2], "line 2: not UTF-8 (byte 0xC3 at column 6). Looks cut off"),
    ("overlong UTF-8", b"id,prompt\n1,\xc0\x80\n", "Looks like overlong UTF-8"),
    ("CESU-8", b"id,prompt\n1,\xed\xa0\xbd\xed\xb8\x80\n", "Looks like CESU-8"),
    ("a NUL", b"id,prompt\n1,a\x00b\n", "line 2, field prompt: character U+0000 cannot be stored"),
    ("a NUL in the header", b"id,pro\x00mpt\n1,a\n", "line 1: the name of column 2 holds a character that cannot be"),
    ("semicolons and a short row", b"id;prompt\n1;a\n2\n", "line 3: the row has 1 cell, header has 2"),
    ("a missing column", b"id,txt\n1,a\n", "not found. Found: id, txt. Did you mean 'txt'?"),
    ("no header", b"1,hello\n2,bye\n", "Has the file a header line?"),
    ("a header twice", b"id,Prompt,prompt\n1,a,b\n", "line 1: two columns are called 'Prompt'"),
    ("a header without a name", b"id,,prompt\n1,a,b\n", "line 1: column 2 has no name"),
    ("a short row", b"id,prompt\n1,a\n2\n", "line 3: the row has 1 cell, header has 2"),
    ("a long row", b"id,prompt\n1,a,b\n", "line 2: the row has 3 cells, header has 2"),
    ("an open quote", b'id,prompt\n1,"a\n2,b\n', "Quote opened in line 2 is never closed"),
    ("text after a quote", b'id,prompt\n1,a\n2,"b"c\n', "line 3: text after a closing quote"),
    ("a large cell", b"id,prompt\n1," + b"x" * 200_001, "line 2, field prompt: the text has 200,001 bytes"),
    ("a long line", b"id,prompt\n1," + b"x" * 1_000_001, "line 2: the line is longer than 1.0 MB"),
    ("many columns", b",".join(b"c%d" % n for n in range(201)) + b"\n", "201 columns; at most 200"),
    ("a blank prompt", b"id,prompt\n1, \n", "line 2: 'prompt' is empty"),
    ("an empty id", b"id,prompt\n,a\n", "line 2: 'id' is empty"),
    ("an id twice", b"id,prompt\n1,a\n1,b\n", "Lines 2 and 3 have the same id '1'"),
    ("a long id", b"id,prompt\n" + b"x" * 201 + b",a\n", "the id has 201 characters"),
]
JSONL: list[tuple[str, bytes, str]] = [
    ("a cut line", (LINE % "" + '{"id": "2", "prom').encode(), "line 2: not valid JSON at column 13"),
    ("single quotes", b"{'id': '1'}", "line 1: not valid JSON at column 2"),
    ("pretty-printed", b'{\n "id": "1"\n}', "One object per line"),
    ("an array", b'[{"id": "1", "prompt": "a"}]', "One object per line. A file with one array goes by the name .json"),
    ("two objects a line", b'{"prompt": "a"} {"prompt": "b"}', "line 1: not valid JSON at column 16"),
    ("null", (LINE % "" + "null").encode(), "line 2: the line must be an object {…}, found null"),
    ("a number", (LINE % "" + "3").encode(), "line 2: the line must be an object {…}, found number"),
    ("no prompt", b'{"id": "1", "prmpt": "a"}', "Did you mean 'prmpt'?"),
    ("a null prompt", b'{"prompt": null}', "line 1: 'prompt' must be text, found null"),
    ("a number as prompt", b'{"prompt": 3}', "line 1: 'prompt' must be text, found number"),
    ("a list as prompt", b'{"prompt": ["a"]}', "line 1: 'prompt' must be text, found list"),
    ("a key twice", b'{"id": "1", "id": "2", "prompt": "a"}', "line 1: key 'id' stands there twice: keep one."),
    ("NaN", (LINE % ', "x": NaN').encode(), "line 1: NaN is not JSON: write null, or a text."),
    ("infinity", (LINE % ', "x": -Infinity').encode(), "line 1: -Infinity is not JSON"),
    ("a huge number", (LINE % ', "x": 1e999').encode(), "line 1: number too long or too large: write it as"),
    ("a long number", (LINE % f', "x": {"9" * 5000}').encode(), "line 1: number too long: write it as text"),
    ("deep nesting", (LINE % f', "x": {"[" * 20_000}{"]" * 20_000}').encode(), "line 1: nested deeper than 64."),
    ("nesting of 70", (LINE % f', "x": {"[" * 70}{"]" * 70}').encode(), "line 1: nested deeper than 64."),
    ("an unknown role", b'{"messages": [{"role": "robot", "content": "a"}]}', "the role 'robot'; known are system"),
    ("no messages", b'{"messages": []}', "'messages' has 0 messages; 1 to 1000 are taken"),
    ("no user", b'{"messages": [{"role": "system", "content": "a"}]}', "no message of the user"),
    (
        "an image part",
        b'{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}',
        "'content' must be text",
    ),
    ("an escaped NUL", b'{"prompt": "\\u0000"}', "line 1, field prompt: character U+0000 cannot be stored"),
    ("a lone surrogate", b'{"prompt": "\\ud800"}', "line 1, field prompt: character U+D800 cannot be stored"),
    ("tags of numbers in lists", b'{"prompt": "a", "tags": [[1]]}', "'tags' must be text, found list"),
    ("outputs that are no object", b'{"prompt": "a", "outputs": "b"}', "'outputs' is not valid JSON"),
]


def taken(content: bytes, name: str, reader: Callable[..., Any] = read) -> None:
    """Read all of it, and refuse where a row is bad."""
    made = reader(content, name=name)
    if reader is read_judgments:
        list(made)
    else:
        made.all_or_nothing()


def refused(content: bytes, name: str) -> UploadError:
    with pytest.raises(UploadError) as caught:
        taken(content, name)
    return caught.value


@pytest.mark.parametrize(("content", "sentence"), [case[1:] for case in CSV], ids=[case[0] for case in CSV])
def test_a_bad_table_has_its_sentence(content: bytes, sentence: str) -> None:
    error = refused(content, "inputs.csv")
    assert sentence in str(error)
    assert str(error).startswith("inputs.csv")


@pytest.mark.parametrize(("content", "sentence"), [case[1:] for case in JSONL], ids=[case[0] for case in JSONL])
def test_bad_json_has_its_sentence(content: bytes, sentence: str) -> None:
    assert sentence in str(refused(content, "inputs.jsonl"))


def test_a_broken_array_names_the_line_inside_it() -> None:
    assert "line 3: not valid JSON" in str(refused(b'[\n{"prompt": "a"},\n{"prompt": }\n]', "inputs.json"))
    assert "line 3: 'prompt' must be text" in str(refused(b'[\n{"prompt": "a"},\n{"prompt": 3}\n]', "inputs.json"))


def test_a_separator_that_was_said_wrongly_is_named() -> None:
    with pytest.raises(UploadError, match="Separator looks like ';', not ','"):
        read(b"id;prompt\n1;a\n", name="inputs.csv", delimiter=",")


def test_a_column_that_was_said_wrongly_is_named() -> None:
    with pytest.raises(UploadError, match=r"Column 'promt' not found. Found: id, prompt. Did you mean 'prompt'\?"):
        read(b"id,prompt\n1,a\n", columns={"input": "promt"})


def test_too_large_a_file_says_so_and_by_which_limit() -> None:
    with pytest.raises(UploadError, match=r"at most 20\.0 MB") as caught:
        read(b"x" * 20_000_001, name="inputs.csv")
    assert caught.value.too_large


def test_one_row_too_many_is_named_by_its_line() -> None:
    with pytest.raises(UploadError, match="line 4: more than 2 rows"):
        read(b"prompt\na\nb\nc\n", name="inputs.csv", limits=Limits(rows=2))


def test_the_first_hundred_bad_rows_are_in_words_and_the_rest_counted() -> None:
    error = refused(b"id,prompt\n" + b"1, \n" * 130, "inputs.csv")
    assert error.count == 130
    assert len(error.bad_rows) == 100
    assert str(error).endswith("… and 30 more.")


def test_a_workbook_that_unpacks_to_too_much_is_never_unpacked() -> None:
    bomb = archive(**{"xl__workbook.xml": b"<x/>", "xl__worksheets__sheet1.xml": b" " * 3_000_000})
    with pytest.raises(UploadError, match="unpacks to more than"):
        read(bomb, name="inputs.xlsx", limits=Limits(file=100_000))


def test_a_workbook_with_entities_is_refused() -> None:
    laughs = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    assert "declares entities" in str(refused(archive(**{"xl__workbook.xml": laughs}), "inputs.xlsx"))


def test_a_broken_workbook_is_a_fault_of_the_file() -> None:
    whole = workbook([["id", "prompt"], [1, "a"]])
    for content in (whole[: len(whole) // 2], archive(**{"xl__workbook.xml": b"<x/>"}), b"PK\x03\x04" + b"x" * 99):
        assert "cannot be read" in str(refused(content, "inputs.xlsx"))


def test_text_by_the_name_of_a_workbook_is_told_to_change_its_name() -> None:
    assert "not an Excel workbook" in str(refused(b"id,prompt\n1,a\n", "inputs.xlsx"))


def test_an_unknown_encoding_or_format_is_said() -> None:
    with pytest.raises(UploadError, match="'utf-9' is no encoding"):
        read(b"prompt\na\n", encoding="utf-9")
    with pytest.raises(UploadError, match="'hex' is no encoding"):
        read(b"prompt\na\n", encoding="hex")
    with pytest.raises(UploadError, match="'doc' is no format"):
        read(b"prompt\na\n", format="doc")


NAMES = st.sampled_from(["x.csv", "x.tsv", "x.jsonl", "x.json", "x.xlsx", "x.parquet", "x"])
KEYS = (
    "id prompt input messages role content outputs tags custom_id body response conversations from value contents "
    "parts output metadata latency results vars provider model conversation_id choices results data instructions"
)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=4),
    max_leaves=12,
)
PIECES = st.lists(
    st.sampled_from([b"id,prompt\n", b'"', b",", b"\n", b"\r", b"\xff\xfe", b"\xef\xbb\xbf", b"a", b"\xe9", b"{", b"}"])
    | st.sampled_from([b"[", b"]", b"PK\x03\x04", b"PAR1", b'{"id": "1", "prompt": "a"}', b"null", b"\x00", b"1;2\t3|"])
    | st.binary(max_size=12),
    max_size=20,
).map(b"".join)


def swallow(content: bytes, name: str) -> None:
    """Read it in every way; only the reader's own error may come out."""
    for reader in (read, read_outputs, read_judgments):
        with suppress(UploadError):
            taken(content, name, reader)


@given(st.binary(max_size=300) | PIECES, NAMES)
@example(b'""', "x.csv")
@example(b"PAR1" + b"\x00" * 40 + b"PAR1", "x.parquet")
@settings(max_examples=300, deadline=None)
def test_random_bytes_raise_nothing_but_the_readers_own_error(content: bytes, name: str) -> None:
    swallow(content, name)


@given(st.lists(JSONS, max_size=4))
@example([{"vars": None, "provider": None}, {"id": None}])
@settings(max_examples=300, deadline=None)
def test_any_json_raises_nothing_but_the_readers_own_error(values: list[Any]) -> None:
    swallow(json.dumps(values).encode(), "x.json")
    swallow("\n".join(json.dumps(value) for value in values).encode(), "x.jsonl")


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_cut_and_mixed_files_raise_nothing_but_the_readers_own_error(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([WORKBOOK, (TABLE * 3).encode()]))
    cut = data.draw(st.integers(0, len(whole)))
    more = data.draw(st.sampled_from(["utf-8", "utf-16", "latin-1", "utf-32"]))
    swallow(whole[:cut] + TABLE.encode(more), data.draw(NAMES))
