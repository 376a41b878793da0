"""The TOML file is read strictly: what it says arrives, what is wrong is named at once and by line."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from console.experiment_file import ExperimentSpec, read_toml
from console.toml_tables import BadFile
from reports.assumptions import GENERAL, OF_A_SYSTEM
from reports.benchmarks import Score

GOOD = """
title = "Support answers"
inputs = "inputs.jsonl"
baseline = "api"

[endpoints.local]
dialect = "openai"
preset = "vllm"
base_url = "http://127.0.0.1:8000/v1"
max_concurrency = 8

[systems.candidate]
endpoint = "local"
model = "qwen"
parameters = { temperature = 0, max_tokens = 512 }
samples = 4
concurrency = 4
cost = { gpu_hourly = 2.10, gpus = 1, hours_per_day = 24, utilisation = 0.6 }
facts = { licence = "apache-2.0", trained = 2026-01-05 }

[systems.api]
outputs = "api.jsonl"
cost = { input_per_million = 3.0, output_per_million = 15.0, price_date = 2026-11-01, price_source = "list" }
"""


def read(folder: Path, text: str) -> ExperimentSpec:
    path = folder / "experiment.toml"
    path.write_text(text)
    return read_toml(path)


def problems(folder: Path, text: str) -> str:
    with pytest.raises(BadFile) as error:
        read(folder, text)
    return str(error.value)


def test_what_the_file_says_arrives(tmp_path: Path) -> None:
    spec = read(tmp_path, GOOD)
    assert (spec.fields["title"], spec.fields["margin"], spec.fields["ratings_per_pair"]) == (
        "Support answers",
        0.10,
        3,
    )
    assert spec.inputs == tmp_path / "inputs.jsonl"
    candidate, api = spec.systems
    assert (candidate.name, candidate.endpoint, candidate.samples, candidate.concurrency) == (
        "candidate",
        "local",
        4,
        4,
    )
    assert candidate.parameters == {"temperature": 0, "max_tokens": 512}
    assert candidate.facts == {"licence": "apache-2.0", "trained": "2026-01-05"}
    assert api.outputs == tmp_path / "api.jsonl"
    assert api.cost["price_date"] == "2026-11-01"
    assert spec.endpoints[0].max_concurrency == 8
    assert spec.economics is None


def test_deadlines_are_read_by_name(tmp_path: Path) -> None:
    stated = "max_concurrency = 8\ndeadlines = { connect = 5, first_token = 60, total = 600 }"
    spec = read(tmp_path, GOOD.replace("max_concurrency = 8", stated))
    assert spec.endpoints[0].deadlines == {"connect": 5, "first_token": 60, "total": 600}
    assert read(tmp_path, GOOD).endpoints[0].deadlines == {}


def test_every_amount_that_a_report_can_reckon_with_can_be_stated(tmp_path: Path) -> None:
    own = ", ".join(f"{name} = 1" for name in OF_A_SYSTEM)
    general = "".join(f"{name} = 1\n" for name in GENERAL)
    text = GOOD.replace("gpu_hourly = 2.10, gpus = 1, hours_per_day = 24, utilisation = 0.6", own)
    spec = read(tmp_path, f"{text}[economics]\n{general}")
    assert spec.systems[0].cost == dict.fromkeys(OF_A_SYSTEM, 1.0)
    assert spec.economics == dict.fromkeys(GENERAL, 1.0)


@pytest.mark.parametrize(
    ("cost", "said"),
    [
        ("years = 0", "'years' of [systems.candidate.cost] must be a number from 0.001 to 100, not 0.0"),
        ("pue = 0.5", "must be a number from 1 to 10"),
        ("server_share = 1.5", "must be a number from 0.001 to 1"),
        ("cache_write_per_million = -1", "must be a number of at least 0"),
        ("purchase_price = 100, residual_value = 200", "'residual_value' of [systems.candidate.cost] must be at most"),
    ],
)
def test_a_cost_that_makes_no_sense_is_named_with_its_bounds(tmp_path: Path, cost: str, said: str) -> None:
    assert said in problems(
        tmp_path, GOOD.replace("gpu_hourly = 2.10, gpus = 1, hours_per_day = 24, utilisation = 0.6", cost)
    )


SCORE = {"name": '"MMLU-PRO"', "score": "41.2", "source": '"model card"', "date": "2026-10-01"}


def with_scores(*rows: dict[str, str]) -> str:
    said = ", ".join("{ " + ", ".join(f"{key} = {value}" for key, value in row.items()) + " }" for row in rows)
    return GOOD.replace("samples = 4", f"samples = 4\nbenchmarks = [{said}]")


def test_public_scores_are_read_with_source_and_date(tmp_path: Path) -> None:
    candidate, api = read(tmp_path, with_scores(SCORE, SCORE | {"name": '"IFEval"', "score": "75"})).systems
    first = Score(name="MMLU-PRO", score=41.2, source="model card", dated=date(2026, 10, 1))
    assert candidate.benchmarks == (first, replace(first, name="IFEval", score=75.0))
    assert api.benchmarks == ()


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("name", None, "'name' of [systems.candidate.benchmarks 1] is missing"),
        ("name", '" "', "'name' of [systems.candidate.benchmarks 1] is empty"),
        ("name", f'"{"x" * 121}"', "'name' of [systems.candidate.benchmarks 1] must be at most 120 characters"),
        ("score", None, "'score' of [systems.candidate.benchmarks 1] is missing"),
        ("score", '"high"', "'score' of [systems.candidate.benchmarks 1] must be a number, not text"),
        ("score", "nan", "'score' of [systems.candidate.benchmarks 1] must be a number"),
        ("score", "1e10", "'score' of [systems.candidate.benchmarks 1] must be a number"),
        ("source", None, "'source' of [systems.candidate.benchmarks 1] is missing"),
        ("source", "7", "'source' of [systems.candidate.benchmarks 1] must be text, not a whole number"),
        ("date", None, "'date' of [systems.candidate.benchmarks 1] is missing"),
        ("date", '"soon"', "'date' of [systems.candidate.benchmarks 1] must be a date such as 2026-11-01"),
        ("scor", "1", "'scor' of [systems.candidate.benchmarks 1] is not a known key. Did you mean 'score'?"),
    ],
)
def test_a_public_score_that_is_wrong_is_named_by_its_field(
    tmp_path: Path, key: str, value: str | None, wanted: str
) -> None:
    row = {name: said for name, said in (SCORE | {key: value}).items() if said is not None}
    said = problems(tmp_path, with_scores(row))
    assert wanted in said
    assert "\n" not in said


def test_scores_that_are_no_list_of_tables_are_named(tmp_path: Path) -> None:
    text = problems(tmp_path, GOOD.replace("samples = 4", 'samples = 4\nbenchmarks = "MMLU"'))
    assert "'benchmarks' of [systems.candidate] must be a list, not text" in text
    inside = problems(tmp_path, GOOD.replace("samples = 4", 'samples = 4\nbenchmarks = ["MMLU"]'))
    assert "[systems.candidate.benchmarks 1] must be a table, not text" in inside


def test_pairs_are_all_without_a_baseline(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD).fields["pairs"] == "baseline"
    assert read(tmp_path, GOOD.replace('baseline = "api"\n', "")).fields["pairs"] == "all"


def test_an_unknown_key_is_named_with_its_line_and_the_nearest(tmp_path: Path) -> None:
    said = problems(tmp_path, GOOD.replace('model = "qwen"', 'modle = "qwen"'))
    assert said == "experiment.toml, line 14: 'modle' of [systems.candidate] is not a known key. Did you mean 'model'?"


def test_an_unknown_key_at_the_top_is_named(tmp_path: Path) -> None:
    assert "line 2: 'titel' is not a known key. Did you mean 'title'?" in problems(tmp_path, "\ntitel = 'x'" + GOOD)


def test_a_key_in_clear_is_refused_with_the_way_to_do_it(tmp_path: Path) -> None:
    said = problems(tmp_path, GOOD.replace("max_concurrency = 8", 'secret = "sk-123"'))
    assert "secret_env" in said
    assert "sk-123" not in said


@pytest.mark.parametrize(
    ("was", "now", "wanted"),
    [
        ('title = "Support answers"', "", "'title' is missing"),
        ('title = "Support answers"', 'title = "  "', "'title' is empty"),
        ('title = "Support answers"', "title = 7", "'title' must be text, not a whole number"),
        ('baseline = "api"', 'baseline = "apy"', "baseline 'apy' is none of the systems: candidate, api"),
        ('baseline = "api"', "margin = 0.5", "'margin' must be above 0 and below 0.5, not 0.5"),
        ('baseline = "api"', "repeat_share = 1.0", "'repeat_share' must be at least 0 and below 1"),
        ('baseline = "api"', "control_share = -0.1", "'control_share' must be at least 0 and below 1"),
        ('baseline = "api"', "margin = nan", "'margin' must be above 0"),
        ('baseline = "api"', "ratings_per_pair = true", "'ratings_per_pair' must be a whole number, not true or false"),
        ('baseline = "api"', "ratings_per_pair = 0", "'ratings_per_pair' must be a whole number from 1"),
        ('baseline = "api"', 'pairs = "some"', "'pairs' must be one of baseline, all"),
        ('baseline = "api"', 'pairs = "baseline"', "needs a baseline"),
        ('baseline = "api"', "sample = 0", "'sample' must be a whole number from 1"),
        ('baseline = "api"', "seed = -1", "'seed' must be a whole number from 0"),
        ('baseline = "api"', "ask_guess = 1", "'ask_guess' must be true or false"),
        ('dialect = "openai"', 'dialect = "grpc"', "'dialect' of [endpoints.local] must be one of"),
        ('preset = "vllm"', 'preset = "vlm"', "'preset' of [endpoints.local] must be one of"),
        ("max_concurrency = 8", "max_concurrency = 2", "takes 2 at a time"),
        (
            "max_concurrency = 8",
            "max_concurrency = 8\ndeadlines = { total = 0 }",
            "'total' of [endpoints.local.deadlines] must be seconds, above 0",
        ),
        (
            "max_concurrency = 8",
            "max_concurrency = 8\ndeadlines = { totl = 60 }",
            "'totl' of [endpoints.local.deadlines] is not a known key. Did you mean 'total'?",
        ),
        (
            "max_concurrency = 8",
            "max_concurrency = 8\ndeadlines = { first_token = 400 }",
            "the first token may take 400 s, but the whole answer only 300 s",
        ),
        ("samples = 4", "samples = 0", "'samples' of [systems.candidate]"),
        ("utilisation = 0.6", "utilisation = 1.2", "'utilisation' of [systems.candidate.cost]"),
        ("gpu_hourly = 2.10", "gpu_hourly = -1", "'gpu_hourly' of [systems.candidate.cost]"),
        ("price_date = 2026-11-01", 'price_date = "soon"', "must be a date such as 2026-11-01"),
        ("parameters = {", "parameters = 3 #{", "'parameters' of [systems.candidate] must be a table"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, was: str, now: str, wanted: str) -> None:
    assert was in GOOD
    said = problems(tmp_path, GOOD.replace(was, now, 1))
    assert wanted in said
    assert "\n" not in said


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    said = problems(tmp_path, GOOD.replace("samples = 4", "samples = 0").replace('title = "Support answers"', ""))
    assert len(said.splitlines()) == 2


def test_one_system_is_not_enough(tmp_path: Path) -> None:
    said = problems(tmp_path, 'title = "x"\ninputs = "i"\n[systems.a]\n')
    assert "at least two systems" in said


def test_two_criteria_of_one_name_are_refused(tmp_path: Path) -> None:
    said = problems(tmp_path, GOOD + '[[criteria]]\nname = "accuracy"\n[[criteria]]\nname = "accuracy"\n')
    assert "two criteria are called 'accuracy'" in said


def test_broken_toml_names_its_line(tmp_path: Path) -> None:
    assert "not valid TOML" in problems(tmp_path, "title = \n")
    assert "line 1" in problems(tmp_path, "title = \n")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"nothing\.toml does not exist"):
        read_toml(tmp_path / "nothing.toml")


def test_a_file_in_another_encoding_is_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "experiment.toml"
    path.write_bytes('# one\ntitle = "Größe"'.encode("latin-1"))
    with pytest.raises(BadFile, match="line 2: not UTF-8"):
        read_toml(path)


def test_economics_are_read_where_stated(tmp_path: Path) -> None:
    spec = read(tmp_path, GOOD + "[economics]\nrequests_per_day = 4000\ncached_share = 0.5\n")
    assert spec.economics == {"requests_per_day": 4000.0, "cached_share": 0.5}
    assert "'cached_share' of [economics]" in problems(tmp_path, GOOD + "[economics]\ncached_share = 2\n")
