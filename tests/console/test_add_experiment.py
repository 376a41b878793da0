"""`add_experiment`: everything is checked before anything is written; every problem is named by file and line."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.models import Invitation, User
from backends import price_list
from backends.listing import systems
from backends.queries import arms_by_name, progress
from console.command import Refusal
from experiments.models import Experiment, Input, Output
from reports.models import Assumptions
from tests.factories import a_rated_experiment, a_user

pytestmark = pytest.mark.django_db

TOML = """
title = "Support answers"
inputs = "inputs.jsonl"
baseline = "api"
seed = 7
[systems.candidate]
[systems.api]
outputs = "api.jsonl"
"""
ASKED = """
[endpoints.local]
dialect = "openai"
preset = "vllm"
base_url = "http://127.0.0.1:8000/v1"
[systems.candidate]
endpoint = "local"
model = "qwen"
"""
INPUTS = [
    {"id": "t-1", "input": "How long?", "tags": ["time"], "outputs": {"candidate": "Two days."}},
    {"id": "t-2", "input": "How much?", "tags": ["money"], "outputs": {"candidate": "**Ten** euros."}},
]
API = [
    {"id": "t-2", "output": "Eleven.", "latency_ms": 800, "ttft_ms": 90, "input_tokens": 12, "output_tokens": 3},
    {"id": "t-1", "output": "Three days."},
]


def write(folder: Path, toml: str = TOML, inputs: Any = INPUTS, api: Any = API) -> Path:
    for name, rows in (("inputs.jsonl", inputs), ("api.jsonl", api)):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = folder / "experiment.toml"
    path.write_text(toml)
    return path


def add(path: Path, **options: Any) -> Any:
    out = StringIO()
    call_command("add_experiment", str(path), json=True, stdout=out, stderr=StringIO(), **options)
    return json.loads(out.getvalue())


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(Refusal) as error:
        add(path, **options)
    assert not Experiment.objects.exists()
    assert not Input.objects.exists()
    return str(error.value)


def test_the_file_becomes_a_draft_with_its_answers(tmp_path: Path) -> None:
    added = add(write(tmp_path), owner="ann@example.org")
    experiment = Experiment.objects.get(pk=added["id"])
    assert (added["slug"], experiment.slug, experiment.status) == ("support-answers", "support-answers", "draft")
    assert list(experiment.inputs.values_list("external_id", "tags")) == [("t-1", ["time"]), ("t-2", ["money"])]
    assert experiment.baseline == arms_by_name(experiment)["api"]
    assert (progress(experiment).done, progress(experiment).unfinished) == (4, 0)
    texts = dict(Output.objects.filter(arm=experiment.baseline).values_list("input__external_id", "text"))
    assert texts == {"t-1": "Three days.", "t-2": "Eleven."}
    assert experiment.owners.get().email == "ann@example.org"


def test_what_comes_next_is_collecting_only_where_something_is_asked(tmp_path: Path, settings: Any) -> None:
    settings.ENDPOINT_HOSTS = ["127.0.0.1"]
    said = StringIO()
    call_command("add_experiment", str(write(tmp_path)), stdout=said, stderr=StringIO())
    assert "Next: ./blindpair open_rating support-answers" in said.getvalue()
    unanswered = [{"id": one["id"], "input": one["input"]} for one in INPUTS]
    path = write(tmp_path, TOML.replace("[systems.candidate]", ASKED), inputs=unanswered)
    call_command("add_experiment", str(path), stdout=said, stderr=StringIO())
    assert "Next: ./blindpair collect support-answers-2 --wait" in said.getvalue()


def test_an_owner_without_a_password_gets_a_link(tmp_path: Path) -> None:
    add(write(tmp_path), owner="ann@example.org")
    assert Invitation.objects.get().email == "ann@example.org"
    assert not User.objects.get().is_staff


def test_an_owner_is_an_address(tmp_path: Path) -> None:
    assert "'ann'" in refusal(write(tmp_path), owner="ann")
    assert not User.objects.exists()


def test_a_refused_file_leaves_no_account_and_no_link(tmp_path: Path) -> None:
    toml = TOML.replace("[systems.candidate]", '[systems.candidate]\nendpoint = "nowhere"\nmodel = "m"')
    refusal(write(tmp_path, toml, [{"id": f"t-{n}", "input": "How long?"} for n in (1, 2)]), owner="ann@example.org")
    assert not User.objects.exists()
    assert not Invitation.objects.exists()


def test_without_an_owner_it_belongs_to_the_first_of_the_staff(tmp_path: Path) -> None:
    boss = a_user("boss@example.org", is_staff=True)
    a_user("other@example.org")
    assert Experiment.objects.get(pk=add(write(tmp_path))["id"]).owners.get() == boss


def test_the_same_title_twice_gets_another_slug(tmp_path: Path) -> None:
    path = write(tmp_path)
    assert [add(path)["slug"] for _ in range(2)] == ["support-answers", "support-answers-2"]


def test_replacing_keeps_the_slug_and_leaves_one(tmp_path: Path) -> None:
    path = write(tmp_path)
    first, second = add(path), add(path, replace=True)
    assert (second["slug"], second["id"] != first["id"]) == ("support-answers", True)
    assert Experiment.objects.count() == 1


def test_an_experiment_that_is_rated_is_not_replaced(tmp_path: Path) -> None:
    a_rated_experiment(title="Support answers")
    with pytest.raises(CommandError, match="only an experiment before rating"):
        add(write(tmp_path), replace=True)
    assert Experiment.objects.count() == 1


def test_economics_are_kept_as_stated(tmp_path: Path) -> None:
    added = add(write(tmp_path, TOML + "[economics]\nrequests_per_day = 4000\n"))
    assert Assumptions.objects.get(experiment=added["id"]).values == {"requests_per_day": 4000.0}


def test_a_sample_is_drawn_by_the_seed_and_answers_to_the_rest_are_left_out(tmp_path: Path) -> None:
    many = [{"id": f"t-{n}", "input": f"Question {n}?", "outputs": {"candidate": "Yes."}} for n in range(30)]
    api = [{"id": f"t-{n}", "output": "No."} for n in range(30)]
    path = write(tmp_path, TOML.replace("seed = 7", "seed = 7\nsample = 10"), many, api)
    chosen = [set(Input.objects.filter(experiment=add(path)["id"]).values_list("external_id", flat=True)) for _ in "ab"]
    assert len(chosen[0]) == 10
    assert chosen[0] == chosen[1]
    assert Output.objects.count() == 40


def test_a_system_without_some_answers_is_warned_about(tmp_path: Path) -> None:
    stderr = StringIO()
    call_command("add_experiment", str(write(tmp_path, api=API[:1])), json=True, stdout=StringIO(), stderr=stderr)
    assert "api: no recorded answer to 1 of 2 inputs" in stderr.getvalue()


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"inputs": [INPUTS[0], INPUTS[0]]}, ["inputs.jsonl", "t-1", "2"]),
        ({"inputs": [INPUTS[0], {"id": "t-9", "input": "  "}]}, ["inputs.jsonl", "line 2", "empty"]),
        ({"inputs": []}, ["inputs.jsonl", "empty"]),
        ({"api": [*API, {"id": "t-7", "output": "x"}]}, ["api.jsonl", "line 3", "t-7"]),
        ({"api": [*API, {"id": "t-1", "output": "x"}]}, ["api.jsonl", "3", "t-1"]),
        ({"inputs": [INPUTS[0] | {"outputs": {"candidat": "x"}}]}, ["inputs.jsonl", "line 1", "candidat", "candidate"]),
        ({"inputs": [INPUTS[0] | {"outputs": {"api": "x"}}]}, ["api", "twice"]),
        ({"toml": TOML.replace("api.jsonl", "nothing.jsonl")}, ["nothing.jsonl", "does not exist"]),
        ({"toml": TOML.replace("inputs.jsonl", "nothing.jsonl")}, ["nothing.jsonl", "does not exist"]),
        ({"inputs": [{"id": "t-1", "input": "How long?"}], "api": [API[1]]}, ["candidate", "endpoint"]),
        ({"toml": TOML + '[endpoints.x]\ndialect = "openai"\nbase_url = "ftp://x"\n'}, ["x", "http"]),
        (
            {"toml": TOML.replace("[systems.candidate]", '[systems.candidate]\nendpoint = "nowhere"\nmodel = "m"')},
            ["nowhere"],
        ),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_written(
    tmp_path: Path, change: dict[str, Any], wanted: list[str]
) -> None:
    said = refusal(write(tmp_path, **change))
    assert [word for word in wanted if word not in said] == [], said


def test_every_bad_row_is_named(tmp_path: Path) -> None:
    rows = [{"id": f"t-{n}", "input": ""} for n in range(3)]
    said = refusal(write(tmp_path, inputs=rows))
    assert [number for number in (1, 2, 3) if f"line {number}" not in said] == []


def test_a_bad_input_is_one_sentence_though_answers_to_it_are_recorded(tmp_path: Path) -> None:
    said = refusal(write(tmp_path, inputs=[INPUTS[0], INPUTS[1] | {"input": ""}]))
    assert said == "inputs.jsonl, line 2: 'input' is empty."


ASKING = """
title = "Asked"
inputs = "inputs.jsonl"
baseline = "api"
[endpoints.claude]
dialect = "anthropic"
secret_env = "KEY"
[systems.candidate]
[systems.api]
endpoint = "claude"
model = "claude-sonnet-4-5"
"""


def added_with(path: Path) -> tuple[dict[str, Any], str]:
    """The cost of the API's system, and what was said on stderr."""
    err = StringIO()
    call_command("add_experiment", str(path), json=True, stdout=StringIO(), stderr=err)
    return next(one.cost for one in systems(Experiment.objects.get()) if one.name == "api"), err.getvalue()


def test_an_api_without_a_stated_cost_gets_the_list_price_marked_and_said(tmp_path: Path) -> None:
    cost, said = added_with(write(tmp_path, ASKING))
    assert (cost["input_per_million"], cost["output_per_million"]) == (3.0, 15.0)
    assert cost["price_source"].startswith("genai-prices ")
    assert cost["price_date"]
    assert "no cost of 'api' is stated, so the list price is filled in. Claude Sonnet 4.5: 3 in and 15 out" in said


def test_a_stated_cost_is_left_alone(tmp_path: Path) -> None:
    cost, said = added_with(write(tmp_path, ASKING + "cost = { input_per_million = 1, output_per_million = 2 }\n"))
    assert cost == {"input_per_million": 1.0, "output_per_million": 2.0}
    assert "list price" not in said


def test_without_the_list_one_sentence_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_list, "genai_prices", None)
    cost, said = added_with(write(tmp_path, ASKING))
    assert cost == {}
    assert said.count("uv sync --extra prices") == 1
