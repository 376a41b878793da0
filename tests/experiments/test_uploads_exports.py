"""Files exactly as other tools write them become inputs and recorded answers."""

from pathlib import Path

import pytest

from experiments.uploads import UploadError, read, read_outputs

FILES = Path(__file__).resolve().parent.parent / "fixtures" / "uploads"


def test_openai_batch_requests_in_its_three_dialects() -> None:
    upload = read(FILES / "openai_batch_requests.jsonl").all_or_nothing()
    assert upload.shape == "OpenAI batch requests"
    assert [(row.external_id, row.messages) for row in upload.rows] == [
        (
            "request-1",
            [{"role": "system", "content": "You are helpful."}, {"role": "user", "content": "Where is my parcel?"}],
        ),
        (
            "request-2",
            [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "May I return shoes?"}],
        ),
        ("request-3", [{"role": "user", "content": "Say hello"}]),
    ]


def test_openai_batch_results_with_their_tokens_and_their_failures() -> None:
    upload = read_outputs(FILES / "openai_batch_results.jsonl")
    assert [(row.external_id, row.output, row.input_tokens, row.output_tokens) for row in upload.rows] == [
        ("request-1", "On its way.", 22, 4),
        ("request-2", "Yes, within 30 days.", 9, 6),
    ]
    assert str(upload.bad_rows[0]) == "line 3, field response: the request failed (Rate limit reached)."
    with pytest.raises(UploadError, match="answers without their inputs"):
        read(FILES / "openai_batch_results.jsonl")


def test_answers_in_fine_tuning_files_become_references_and_it_is_said() -> None:
    upload = read(FILES / "fine_tuning.jsonl").all_or_nothing()
    assert [(row.external_id, row.messages[-1]["content"], row.reference) for row in upload.rows] == [
        ("1", "What is 2 + 2?", "4"),
        ("2", "And 3 + 3?", "6"),
    ]
    assert upload.numbered
    assert "taken as the reference" in " ".join(upload.notes)


def test_sharegpt_conversations() -> None:
    upload = read(FILES / "sharegpt.json").all_or_nothing()
    assert [(row.line, row.external_id, row.reference) for row in upload.rows] == [(2, "c1", "Hello."), (3, "c2", "")]
    assert upload.rows[1].messages[0] == {"role": "system", "content": "Be brief."}


def test_langfuse_traces_with_tags_and_the_logged_answer() -> None:
    upload = read(FILES / "langfuse_traces.json").all_or_nothing()
    assert upload.shape == "Langfuse"
    assert [(row.external_id, row.messages[0]["content"], row.tags) for row in upload.rows] == [
        ("trace-1", "Why was I charged twice?", ["billing"]),
        ("trace-2", "Where is my invoice?", []),
    ]
    assert upload.rows[0].outputs == {"logged": "It was an error, we refund it."}
    answers = read_outputs(FILES / "langfuse_traces.json").all_or_nothing()
    assert [(row.output, row.latency_ms) for row in answers.rows] == [
        ("It was an error, we refund it.", 1250.0),
        ("Under Account, Invoices.", 500.0),
    ]


def test_langfuse_observations_as_csv_hold_json_in_their_cells() -> None:
    upload = read(FILES / "langfuse_observations.csv").all_or_nothing()
    assert upload.rows[0].messages == [{"role": "user", "content": "Hi, there"}]
    assert upload.rows[0].outputs == {"gpt-4o": "Hello"}
    answer = read_outputs(FILES / "langfuse_observations.csv").all_or_nothing().rows[0]
    assert (answer.latency_ms, answer.ttft_ms, answer.input_tokens, answer.system) == (2000.0, 250.0, 5, "gpt-4o")


def test_promptfoo_results_are_one_input_for_all_its_providers() -> None:
    upload = read(FILES / "promptfoo.json").all_or_nothing()
    assert [(row.external_id, row.messages[0]["content"], row.outputs) for row in upload.rows] == [
        ("0", "Greet Ada.", {"api": "Hello, Ada.", "ollama:qwen": "Hi Ada"}),
        ("1", "Greet Bo.", {"api": '{"text": "Hello"}'}),
        ("1-2", "Say hi to Bo.", {"api": "Hi"}),
    ]
    assert upload.rows[0].tags == {"topic": "names"}
    answers = read_outputs(FILES / "promptfoo.json", system="api").all_or_nothing()
    assert [(row.external_id, row.latency_ms) for row in answers.rows] == [("0", 210.0), ("1", 200.0), ("1-2", 200.0)]


def test_llm_logs() -> None:
    upload = read(FILES / "llm_logs.json").all_or_nothing()
    assert upload.rows[0].messages == [
        {"role": "system", "content": "Be funny."},
        {"role": "user", "content": "Three names for a pet lion"},
    ]
    assert upload.rows[1].outputs == {"gpt-4o-mini": "Mane, Paws"}
    answers = read_outputs(FILES / "llm_logs.json").all_or_nothing()
    assert [(row.latency_ms, row.output_tokens) for row in answers.rows] == [(1200.0, 8), (900.0, 5)]


def test_a_file_of_inputs_is_no_file_of_answers() -> None:
    with pytest.raises(UploadError, match="it holds inputs, no answers"):
        read_outputs(FILES / "openai_batch_requests.jsonl")
