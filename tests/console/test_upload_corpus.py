"""Bad files through the page and through the command: the right sentence, the right line, nothing written, no 5xx."""

import html
import io
import json
import re
import zipfile
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Try, User
from console.command import Refusal
from experiments.models import Experiment, Input, Staged
from tests.experiments.test_uploads_faults import CSV, JSONL, LINE, NAMES, PIECES, TABLE, WORKBOOK, archive, workbook
from tests.factories import an_experiment

pytestmark = pytest.mark.django_db

BOMB = archive(**{"xl__workbook.xml": b"<x/>", "xl__worksheets__sheet1.xml": b" " * 200_100_000})
LAUGHS = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>'
TURN = '{"role": "user", "content": "a"}'
OTHERS: list[tuple[str, str, bytes, str]] = [
    ("a bomb", "inputs.xlsx", BOMB, "The workbook unpacks to more than 200 MB"),
    ("entities", "inputs.xlsx", archive(**{"xl__workbook.xml": LAUGHS}), "it declares entities"),
    ("half a workbook", "inputs.xlsx", WORKBOOK[: len(WORKBOOK) // 2], "The workbook cannot be read"),
    ("a workbook of a header", "inputs.xlsx", workbook([["id", "prompt"]]), "has a header but no rows"),
    ("a workbook without cells", "inputs.xlsx", workbook([[]]), "no sheet has any cells"),
    (
        "a cell too far right",
        "inputs.xlsx",
        workbook([["id", "prompt"], [1, "a", "b"]]),
        "line 2: a cell stands right",
    ),
    ("text as a workbook", "inputs.xlsx", b"id,prompt\n1,a\n", "not an Excel workbook"),
    ("text as Parquet", "inputs.parquet", b"id,prompt\n1,a\n", "not a Parquet file"),
    ("broken Parquet", "inputs.parquet", b"PAR1" + bytes(40) + b"PAR1", "The Parquet file cannot be read"),
    ("an archive in a workbook's place", "inputs.xlsx", archive(**{"a.txt": b"x"}), "This is a ZIP archive"),
    ("an empty array", "inputs.json", b"[]", "the array is empty"),
    ("a number", "inputs.json", b"3", "must hold a list of objects, found number"),
    ("a broken array", "inputs.json", b'[\n{"prompt": "a"},\n{"prompt": }\n]', "line 3: not valid JSON"),
    ("an array that never ends", "inputs.json", b'[{"prompt": "a"},', "not valid JSON"),
    ("scalars in an array", "inputs.json", b'[{"prompt": "a"},\n4]', "line 2: every element must be an object"),
    (
        "answers without questions",
        "inputs.jsonl",
        b'{"custom_id": "a", "response": {"body": {}}}',
        "the batch's request",
    ),
    ("an unknown speaker", "inputs.jsonl", b'{"conversations": [{"from": "ghost", "value": "a"}]}', "the role 'ghost'"),
    ("an answer as the last word", "inputs.jsonl", b'{"messages": [{"role": "assistant", "content": "a"}]}', "user"),
    ("too many tags", "inputs.jsonl", (LINE % f', "tags": {json.dumps(["t"] * 51)}').encode(), "51 tags; at most 50"),
    ("a long tag", "inputs.jsonl", (LINE % f', "tags": ["{"t" * 101}"]').encode(), "a tag has 101 characters"),
    (
        "too many messages",
        "inputs.jsonl",
        f'{{"messages": [{", ".join([TURN] * 1_001)}]}}'.encode(),
        "has 1001 messages; 1 to 1000",
    ),
    ("a short row of TABs", "inputs.tsv", b"id\tprompt\n1\ta\n2\n", "line 3: the row has 1 cell, header has 2"),
    ("half a mark", "inputs.csv", b"\xff\xfe" + TABLE.encode("utf-16-le")[:-1], "UTF-16"),
    ("XML", "inputs.csv", b'<?xml version="1.0"?><a/>', "This is XML"),
]
CORPUS = [
    *((name, "inputs.csv", content, sentence) for name, content, sentence in CSV),
    *((name, "inputs.jsonl", content, sentence) for name, content, sentence in JSONL),
    *OTHERS,
]


def owner_of(experiment: Experiment) -> User:
    owner = User.objects.create_user("owner@example.org")
    experiment.owners.add(owner)
    return owner


def shown(client: Client, experiment: Experiment, name: str, content: bytes) -> tuple[set[int], str]:
    """The states of the answers to an upload and its preview, and what the page says."""
    Try.objects.all().delete()  # so many files in so short a time are more than one account may send
    path = f"/experiments/{experiment.pk}/inputs/new/"
    sent = client.post(path, {"file": SimpleUploadedFile(name, content)})
    if sent.status_code != 302:
        return {sent.status_code}, html.unescape(sent.content.decode())
    looked = client.get(sent.headers["Location"])
    listed = client.get(sent.headers["Location"].replace("/preview/", "/problems/"))
    words = html.unescape(looked.content.decode()) + listed.content.decode()
    return {sent.status_code, looked.status_code, listed.status_code}, words


def parts(sentence: str) -> list[str]:
    """The line and the reason: the page sets them apart from each other and from the field."""
    found = re.fullmatch(r"(?:line (\d+)(?:, field \w+)?: )?(.*)", sentence, re.S)
    assert found is not None
    return [f"ine {found[1]}" if found[1] else "", found[2]]


def test_every_bad_file_is_refused_on_the_page_with_its_line_and_its_reason(client: Client) -> None:
    experiment = an_experiment(inputs=0)
    client.force_login(owner_of(experiment))
    wrong = []
    for case, name, content, sentence in CORPUS:
        states, words = shown(client, experiment, name, content)
        missing = [part for part in parts(sentence) if part not in words]
        if missing or not states <= {200, 302, 413}:
            wrong.append((case, states, missing))
        Staged.objects.all().delete()
    assert wrong == []
    assert len(CORPUS) >= 85
    assert not Input.objects.exists()


def test_every_bad_file_is_refused_by_the_command_with_its_line_and_its_reason(tmp_path: Path) -> None:
    wrong = []
    for case, name, content, sentence in CORPUS:
        (tmp_path / name).write_bytes(content)
        file = tmp_path / "experiment.toml"
        file.write_text(f'title = "T"\ninputs = "{name}"\n[systems.a]\n[systems.b]\n')
        said = "it was taken"
        try:
            call_command("add_experiment", str(file), stdout=io.StringIO(), stderr=io.StringIO())
        except Refusal as refusal:
            said = str(refusal)
        if not all(part in said for part in parts(sentence)):
            wrong.append((case, said[:200]))
    assert wrong == []
    assert not Experiment.objects.exists()


def test_a_log_with_a_record_that_lacks_a_column_keeps_its_good_rows_when_the_column_is_named(client: Client) -> None:
    experiment = an_experiment(inputs=0)
    client.force_login(owner_of(experiment))
    content = b'{"nr": "1", "said": "a"}\n{"nr": "2"}\n{"nr": "3", "said": "c"}\n'
    sent = client.post(f"/experiments/{experiment.pk}/inputs/new/", {"file": SimpleUploadedFile("x.jsonl", content)})
    page = client.get(f"{sent.headers['Location']}&column_input=said&column_id=nr").content.decode()
    assert "2 inputs found" in page
    assert "Line 2" in page


ENDS = st.sampled_from(["utf-8", "utf-16", "latin-1", "utf-32", "shift_jis", "cp1252"])
WHOLE = [WORKBOOK, TABLE.encode() * 3, (LINE % "").encode() * 3, b'[{"prompt": "\xc3\xa9"}, {"prompt": "b"}]']


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A good file cut somewhere, going on in another encoding; or anything at all."""
    whole = draw(st.sampled_from(WHOLE))
    cut = draw(st.integers(0, len(whole)))
    return whole[:cut] + "é,ü\n日本\n".encode(draw(ENDS), "replace") + draw(st.binary(max_size=20))


@pytest.mark.once
@given(content=broken() | PIECES | st.binary(max_size=300), name=NAMES)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_file_whatever_is_in_it_gives_a_server_error(client: Client, content: bytes, name: str) -> None:
    experiment = Experiment.objects.first() or an_experiment(inputs=0)
    client.force_login(User.objects.first() or owner_of(experiment))
    states, _ = shown(client, experiment, name, content)
    assert max(states) < 500


def test_a_bomb_is_small_on_its_way() -> None:
    assert len(BOMB) < 400_000
    assert sum(part.file_size for part in zipfile.ZipFile(io.BytesIO(BOMB)).infolist()) > 200_000_000
