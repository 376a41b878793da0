"""Recorded answers are read with what was measured; an empty answer is an answer."""

import pytest

from experiments.uploads import UploadError, read_outputs
from tests.needs import shared

LINES = b'{"id": "1", "output": "a", "latency_ms": 12.5, "ttft_ms": 3, "input_tokens": 4, "output_tokens": 5}\n'


def test_an_answer_with_its_measurements() -> None:
    row = read_outputs(LINES, name="api.jsonl").all_or_nothing().rows[0]
    assert (row.external_id, row.output, row.latency_ms, row.ttft_ms) == ("1", "a", 12.5, 3.0)
    assert (row.input_tokens, row.output_tokens) == (4, 5)


def test_a_table_of_answers_may_call_the_id_input_id_and_leave_measurements_out() -> None:
    rows = read_outputs(b"input_id,output,latency_ms\n1,a,\n2,,7\n", name="api.csv").all_or_nothing().rows
    assert [(row.external_id, row.output, row.latency_ms) for row in rows] == [("1", "a", None), ("2", "", 7.0)]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'{"id": "1"}', "line 1: 'output' is missing. Found: id."),
        (b'{"id": "1", "output": null}', "line 1: 'output' must be text, found null"),
        (b'{"id": "1", "output": "a", "latency_ms": -1}', "'latency_ms' must be a number of at least 0, found -1"),
        (b'{"id": "1", "output": "a", "output_tokens": 1.5}', "'output_tokens' must be a whole number"),
        (b'{"id": "1", "output": "a", "ttft_ms": "soon"}', "'ttft_ms' must be a number, found 'soon'"),
        (LINES + LINES, "Lines 1 and 2 have the same id '1'"),
    ],
)
def test_a_bad_answer_has_its_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(UploadError) as caught:
        read_outputs(content, name="api.jsonl").all_or_nothing()
    assert sentence in str(caught.value)


def test_of_many_systems_in_a_file_one_is_taken_by_name() -> None:
    content = b"id,model,output\n1,api,a\n1,own,b\n"
    assert read_outputs(content, name="x.csv").systems == ("api", "own")
    assert [row.output for row in read_outputs(content, name="x.csv", system="own").rows] == ["b"]
    with pytest.raises(UploadError, match=r"No answers of 'onw' in it. Found: api, own. Did you mean 'own'\?"):
        read_outputs(content, name="x.csv", system="onw")


def test_a_file_of_one_system_may_call_it_otherwise() -> None:
    assert len(read_outputs(b"id,model,output\n1,gpt-4o,a\n", name="x.csv", system="api").rows) == 1


def test_the_reference_answers_are_read_with_their_empty_ones() -> None:
    upload = read_outputs(shared("data", "llmfao_votes", "outputs.jsonl")).all_or_nothing()
    assert (len(upload.rows), sum(not row.output for row in upload.rows)) == (750, 52)
