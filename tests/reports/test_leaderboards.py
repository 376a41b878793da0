"""A row of the Open LLM Leaderboard, in the shapes it is found in; anything else is explained."""

import json
from datetime import date

import pytest

from reports import leaderboards
from reports.leaderboards import NoSuchRow

HEAD = (
    "eval_name,Precision,Model,fullname,Average ⬆️,IFEval Raw,IFEval,BBH,MATH Lvl 5,GPQA,MUSR,MMLU-PRO,Submission Date"
)
QWEN = "Qwen,bfloat16,<a>Qwen</a>,Qwen/Qwen2.5-7B-Instruct,35.2,0.75,75.85,34.89,50.0,5.48,8.45,36.52,2024-09-16"
LLAMA = "meta,bfloat16,<a>L</a>,meta-llama/Llama-3.1-8B-Instruct,28.2,0.78,78.56,29.89,19.34,2.35,8.41,30.68,2024-08-15"
WANTED = {
    "Average": 35.2, "IFEval": 75.85, "BBH": 34.89, "MATH Lvl 5": 50.0, "GPQA": 5.48, "MUSR": 8.45, "MMLU-PRO": 36.52,
}  # fmt: skip
ANSWER = {
    "id": "x",
    "model": {"name": "Qwen/Qwen2.5-7B-Instruct", "average_score": 35.2},
    "evaluations": {
        "ifeval": {"name": "IFEval", "value": 0.7585, "normalized_score": 75.85},
        "mmlu_pro": {"name": "MMLU-PRO", "value": 0.42, "normalized_score": 36.52},
    },
    "metadata": {"submission_date": "2024-09-16T10:00:00Z"},
}


def read(text: str, model: str = "Qwen/Qwen2.5-7B-Instruct") -> leaderboards.Scores:
    return leaderboards.read(text.encode(), model=model)


def test_the_only_row_of_a_table_gives_its_scores_and_its_date() -> None:
    found = read(f"{HEAD}\n{QWEN}\n")
    assert found.scores == WANTED
    assert found.dated == date(2024, 9, 16)


@pytest.mark.parametrize("model", ["Qwen/Qwen2.5-7B-Instruct", "qwen2.5-7b-instruct"])
def test_of_several_rows_the_one_that_is_called_like_the_model_is_taken(model: str) -> None:
    assert read(f"\ufeff{HEAD}\r\n{LLAMA}\r\n{QWEN}\r\n", model).scores == WANTED


def test_tabs_and_semicolons_separate_too() -> None:
    for separator in ("\t", ";"):
        assert read(f"{HEAD}\n{QWEN}".replace(",", separator)).scores == WANTED


def test_rows_as_json_and_as_the_interface_answers_are_read() -> None:
    row = dict(zip(HEAD.split(","), QWEN.split(","), strict=True))
    for whole in (row, [row], {"rows": [{"row_idx": 4, "row": row}]}):
        assert read(json.dumps(whole)).scores == WANTED
    found = read(json.dumps([ANSWER]))
    assert found.scores == {"Average": 35.2, "IFEval": 75.85, "MMLU-PRO": 36.52}
    assert found.dated == date(2024, 9, 16)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no row"),
        (HEAD, "no row"),
        (f"{HEAD}\n{LLAMA}\n{LLAMA}", "2 rows none are called"),
        (f"{HEAD}\n{QWEN}\n{QWEN}", "2 rows 2 are called"),
        ("name,score\nx,4", "No column of the leaderboard"),
        (f"{HEAD}\n{QWEN}".replace("75.85", "much"), "IFEval is 'much'"),
        (f"{HEAD}\n{QWEN}".replace("75.85", "nan"), "from 0 to 100"),
        (f"{HEAD}\n{QWEN}".replace("75.85", "175"), "from 0 to 100"),
        ('{"IFEval": ', "not valid JSON"),
        ("[1]", "must be an object"),
        ("[" * 100_000, "not valid JSON"),
        ('{"IFEval": true}', "IFEval is 'True'"),
        ('a,b\n"x', "cannot be read as a table"),
    ],
)
def test_anything_else_is_explained_in_a_sentence(text: str, told: str) -> None:
    with pytest.raises(NoSuchRow, match=told):
        read(text)


def test_bytes_that_are_no_text_and_files_that_are_too_large_are_refused() -> None:
    with pytest.raises(NoSuchRow, match="UTF-8"):
        leaderboards.read(b"\xff\xfe\x00", model="x")
    with pytest.raises(NoSuchRow, match="keep the one row"):
        leaderboards.read(b"x" * (leaderboards.LARGEST + 1), model="x")
