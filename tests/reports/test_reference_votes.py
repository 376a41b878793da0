"""Real votes, imported as judgments made elsewhere, give the numbers that are published for them."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from backends.models import Completion, System
from console.actions import close, import_judgments
from experiments.models import Arm, Experiment, Input, Output
from reports.report import build
from tests.needs import shared

pytestmark = pytest.mark.django_db
VERDICTS = {"left": "left", "right": "right", "tie": "both_good"}


@dataclass(frozen=True)
class Row:
    """One line of votes.csv."""

    line: int
    input: str
    rater: str
    left: str
    right: str
    verdict: str
    criterion: str = ""
    left_acceptable: bool | None = None
    right_acceptable: bool | None = None
    seconds: float | None = None
    comment: str = ""
    judged_at: datetime | None = None


@pytest.fixture
def expected() -> Any:
    """What an independent tool computed of the same votes."""
    return json.loads(shared("data", "llmfao_votes", "expected_dev.json").read_text())


def test_crowd_votes_give_the_published_ranking_agreement_and_intervals(expected: Any) -> None:
    folder = shared("data", "llmfao_votes")
    experiment = imported(folder)
    report = build(experiment)
    assert report["counts"]["judgments"] == expected["votes"]
    assert report["counts"]["raters"] == expected["raters"]
    assert report["counts"]["comparisons"] == expected["pairs"]
    for key, name in (("alpha_nominal", "nominal"), ("alpha_interval", "interval")):
        assert report["agreement"][key]["value"] == pytest.approx(expected["agreement"][name], abs=1e-9)
    left = expected["left_side"]
    assert (report["sides"]["left"], report["sides"]["decisive"]) == (left["left"], left["decisive"])
    assert report["sides"]["p"] == pytest.approx(left["binom_p"])
    strengths = {one["name"]: one["theta"] for one in report["ranking"]}
    assert strengths == pytest.approx(expected["bt_ties_half"]["theta_centered"], abs=2e-6)
    assert [one["name"] for one in report["ranking"]][:10] == expected["bt_ties_half"]["order_top10"]
    one_pair(report, expected["claude_v2_vs_weaver_12k"])


def one_pair(report: dict[str, Any], wanted: dict[str, Any]) -> None:
    """The pair with the most raters that both tools looked at."""
    pair = next(p for p in report["pairs"] if (p["candidate"], p["baseline"]) == ("Claude v2", "Weaver 12k"))
    assert (pair["votes"], pair["inputs"], pair["raters"]) == (wanted["votes"], wanted["inputs"], wanted["raters"])
    ties = pair["both_good"] + pair["both_bad"]
    assert (pair["wins"], ties, pair["losses"]) == (wanted["wins"], wanted["ties"], wanted["losses"])
    panel, population = pair["score"]["panel"], pair["score"]["population"]
    assert panel["value"] == pytest.approx(wanted["score"])
    assert [panel["low"], panel["high"]] == pytest.approx(wanted["input_cluster_ci95"])
    assert [population["low"], population["high"]] == pytest.approx(wanted["two_way_ci95"])


def imported(folder: Path) -> Experiment:
    """Every output as recorded, every vote as imported, closed."""
    experiment = Experiment.objects.create(
        slug="crowd", title="Crowd", question="Better?", status="collecting", pairs="all"
    )
    items = {}
    for position, row in enumerate(lines(folder / "inputs.jsonl"), start=1):
        items[row["input_id"]] = Input.objects.create(
            experiment=experiment,
            position=position,
            external_id=row["input_id"],
            messages=[{"role": "user", "content": row["prompt"]}],
            tags=[row["segment"]],
        )
    answers = list(lines(folder / "outputs.jsonl"))
    for name in sorted({row["model"] for row in answers}):
        system = System.objects.create(arm=Arm.objects.create(experiment=experiment), name=name)
        for row in (row for row in answers if row["model"] == name):
            recorded(system, items[row["input_id"]], row)
    import_judgments(experiment=experiment, rows=votes(folder / "votes.csv"), file="votes.csv", by=None)
    close(experiment=experiment, by=None)
    experiment.refresh_from_db()
    return experiment


def recorded(system: System, item: Input, row: dict[str, Any]) -> None:
    """An answer that was there already; some are empty."""
    text = row["output"].strip()
    state = "ready" if text else "empty"
    output = Output.objects.create(input=item, arm=system.arm, text=text, html=text and "<p>.</p>", state=state)
    Completion.objects.create(
        system=system,
        input=item,
        output=output,
        state="done",
        outcome="complete" if text else "empty",
        latency_ms=row["latency_ms"],
    )


def votes(path: Path) -> Iterator[Row]:
    """As the import takes them."""
    with path.open(newline="") as stream:
        for line, row in enumerate(csv.DictReader(stream), start=2):
            sides = (row["model_left"], row["model_right"])
            yield Row(line, row["input_id"], row["rater_id"], *sides, VERDICTS[row["choice"]])


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """JSON lines."""
    with path.open() as stream:
        for line in stream:
            yield json.loads(line)
