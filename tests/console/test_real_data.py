"""Real files through the commands: 8,931 crowd votes on 59 systems, and fifty inputs answered by two."""

import csv
import json
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from backends.queries import arms_by_name, progress
from experiments.models import Experiment, Output
from ratings.models import Comparison, Judgment, Rater
from tests import needs

pytestmark = pytest.mark.django_db


def run(*words: str) -> Any:
    out = StringIO()
    call_command(*words, "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


def rows(*parts: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in needs.shared("data", *parts).read_text().splitlines()]


@pytest.fixture
def crowd(tmp_path: Path) -> Experiment:
    """The votes' inputs and systems as an experiment; 52 of the outputs are empty, as in the source."""
    outputs = needs.shared("data", "llmfao_votes", "outputs.jsonl")
    names = list(dict.fromkeys(row["model"] for row in rows("llmfao_votes", "outputs.jsonl")))
    tables = "".join(f"[systems.{json.dumps(name)}]\noutputs = {json.dumps(str(outputs))}\n" for name in names)
    inputs = needs.shared("data", "llmfao_votes", "inputs.jsonl")
    path = tmp_path / "crowd.toml"
    path.write_text(f"title = 'Crowd'\ninputs = {json.dumps(str(inputs))}\n{tables}")
    return Experiment.objects.get(pk=run("add_experiment", str(path))["id"])


def test_crowd_votes_arrive_in_the_numbers_of_their_source(crowd: Experiment) -> None:
    expected = json.loads(needs.shared("data", "llmfao_votes", "expected_dev.json").read_text())
    votes = needs.shared("data", "llmfao_votes", "votes.csv")
    imported = run("import_judgments", crowd.slug, str(votes))
    assert imported["judgments"] == expected["votes"]
    assert imported["raters"] == expected["raters"] == Rater.objects.count()
    assert imported["ties"] == expected["choices"]["tie"]
    judged = Comparison.objects.filter(assignments__isnull=False).distinct()
    assert judged.count() == expected["pairs"]
    assert len(set(judged.values_list("input", flat=True))) == expected["inputs"]
    assert Output.objects.filter(state="empty").count() == 52


def test_every_vote_stands_for_the_system_that_won_it(crowd: Experiment) -> None:
    votes = needs.shared("data", "llmfao_votes", "votes.csv")
    run("import_judgments", crowd.slug, str(votes))
    last: dict[tuple[str, ...], str] = {}
    for row in csv.DictReader(votes.open()):
        pair = sorted((row["model_left"], row["model_right"]))
        winner = {"left": row["model_left"], "right": row["model_right"]}.get(row["choice"], "tie")
        last[row["rater_id"], row["input_id"], *pair] = winner
    names = {arm.pk: name for name, arm in arms_by_name(crowd).items()}
    found: Counter[str] = Counter()
    current = Judgment.objects.current().select_related("assignment__left", "assignment__right")
    for one in current:
        side = {"left": one.assignment.left, "right": one.assignment.right}.get(one.verdict)
        found[names[side.arm_id] if side else "tie"] += 1
    assert found == Counter(last.values())


def test_fifty_real_inputs_with_two_systems_open_for_rating(tmp_path: Path) -> None:
    inputs = needs.shared("data", "arena_hard_50", "inputs.jsonl")
    outputs = needs.shared("data", "arena_hard_50", "outputs.jsonl")
    path = tmp_path / "arena.toml"
    systems = ("llama-3.1-8b-instruct", "gpt-4o-mini-2024-07-18")
    tables = "".join(f'[systems."{name}"]\noutputs = {json.dumps(str(outputs))}\n' for name in systems)
    path.write_text(f"title = 'Arena'\ninputs = {json.dumps(str(inputs))}\nbaseline = '{systems[1]}'\n{tables}")
    experiment = Experiment.objects.get(pk=run("add_experiment", str(path))["id"])
    assert progress(experiment).done == 100
    tags = Counter(tag for row in experiment.inputs.all() for tag in [row.tags["segment"]])
    assert tags == {"business": 14, "quantitative": 10, "knowledge": 12, "code": 14}
    assert run("open_rating", experiment.slug, "--release-flagged")["comparisons"] == 50


def test_a_wide_table_has_a_column_a_system(tmp_path: Path) -> None:
    wide = needs.shared("data", "arena_hard_50", "import_wide.csv")
    path = tmp_path / "wide.toml"
    systems = ("llama-3.1-8b-instruct", "claude-3-haiku-20240307")
    tables = "".join(f'[systems."{name}"]\n' for name in systems)
    path.write_text(f"title = 'Wide'\ninputs = {json.dumps(str(wide))}\n{tables}")
    experiment = Experiment.objects.get(pk=run("add_experiment", str(path))["id"])
    assert (experiment.inputs.count(), progress(experiment).done) == (50, 100)
