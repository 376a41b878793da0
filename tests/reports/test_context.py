"""What stands beside the result and is no part of it: public scores, and the series of experiments."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from experiments.models import Experiment
from reports import assumptions
from reports.models import Benchmark
from reports.report import current
from tests.factories import a_user
from tests.reports import studies
from tests.reports.test_leaderboards import HEAD, QWEN, WANTED

pytestmark = pytest.mark.django_db
Study = Callable[..., Experiment]


@pytest.fixture
def study(client: Client) -> Study:
    """A study of the owner who is signed in."""
    owner = a_user()
    client.force_login(owner)

    def made(**fields: Any) -> Experiment:
        experiment = studies.a_study(**({"inputs": 4, "raters": 4} | fields))
        experiment.owners.add(owner)
        return experiment

    return made


def typed(experiment: Experiment, **changed: str) -> dict[str, str]:
    arm = studies.systems(experiment)[1].arm.code
    return {"arm": arm, "name": "MMLU-PRO", "score": "41.2", "source": "model card", "dated": "2026-10-01"} | changed


def add(client: Client, experiment: Experiment, kind: str, data: dict[str, Any]) -> Any:
    return client.post(reverse(f"report-scores-{kind}", args=[experiment.pk]), data)


def page(client: Client, experiment: Experiment) -> str:
    return client.get(reverse("report", args=[experiment.pk])).content.decode()


def test_a_typed_score_stands_beside_the_numbers_marked_as_context(client: Client, study: Study) -> None:
    experiment = study()
    before = current(experiment)
    assert add(client, experiment, "typed", typed(experiment)).status_code == 302
    after = current(experiment)
    assert after["context"]["benchmarks"] == [
        {"system": "candidate", "name": "MMLU-PRO", "score": 41.2, "source": "model card", "dated": "2026-10-01"}
    ]
    assert {name: after[name] for name in ("pairs", "verdict")} == {name: before[name] for name in ("pairs", "verdict")}
    text = page(client, experiment)
    beside = text[text.index('class="public"') : text.index('id="quality"')]
    assert '<span class="pill">context</span>' in beside
    assert "MMLU-PRO" in beside
    assert "41.2" in beside
    assert "no part of the result" in beside


def test_the_same_score_again_replaces_the_first_and_any_can_be_taken_back(client: Client, study: Study) -> None:
    experiment = study()
    for score in ("41.2", "42"):
        add(client, experiment, "typed", typed(experiment, score=score))
    kept = Benchmark.objects.get()
    assert kept.score == 42
    client.post(reverse("report-score-removal", args=[experiment.pk, kept.pk]))
    assert current(experiment)["context"]["benchmarks"] == []
    assert client.post(reverse("report-score-removal", args=[experiment.pk, kept.pk])).status_code == 302


def test_a_row_of_the_leaderboard_gives_a_score_for_each_benchmark(client: Client, study: Study) -> None:
    experiment = study()
    row = SimpleUploadedFile("row.csv", f"{HEAD}\n{QWEN}\n".encode())
    answer = add(client, experiment, "row", {"arm": studies.systems(experiment)[0].arm.code, "file": row})
    assert answer.status_code == 302
    found = current(experiment)["context"]["benchmarks"]
    assert {one["name"]: one["score"] for one in found} == WANTED
    assert {(one["system"], one["source"], one["dated"]) for one in found} == {
        ("api", "Open LLM Leaderboard", "2024-09-16")
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"score": "much"},
        {"score": "nan"},
        {"score": "1e400"},
        {"source": ""},
        {"name": "x" * 121},
        {"dated": "yesterday"},
        {"dated": (timezone.now() + timedelta(days=2)).date().isoformat()},
        {"arm": "nobody"},
    ],
)
def test_a_score_that_makes_no_sense_is_explained_and_nothing_is_kept(
    client: Client, study: Study, wrong: dict[str, str]
) -> None:
    experiment = study()
    answer = add(client, experiment, "typed", typed(experiment, **wrong))
    assert answer.status_code == 422
    assert b"Nothing was added" in answer.content
    assert not Benchmark.objects.exists()


@pytest.mark.parametrize(
    ("content", "told"), [(b"a,b\n1,2\n", "No column of the leaderboard"), (b"IFEval\n61\n", "The row has no date")]
)
def test_a_file_that_is_no_such_row_is_explained_and_nothing_is_kept(
    client: Client, study: Study, content: bytes, told: str
) -> None:
    experiment = study()
    given = {"arm": studies.systems(experiment)[0].arm.code, "file": SimpleUploadedFile("row.csv", content)}
    answer = add(client, experiment, "row", given)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not Benchmark.objects.exists()


def test_scores_of_others_cannot_be_added_or_taken_back(client: Client, study: Study) -> None:
    other = studies.a_study(inputs=1, raters=1)
    arm = studies.systems(other)[0].arm
    theirs = Benchmark.objects.create(arm=arm, name="MMLU", score=1, source="card", dated=timezone.now().date())
    mine = study(inputs=1, raters=1)
    assert add(client, other, "typed", typed(other)).status_code == 404
    assert add(client, mine, "typed", typed(mine, arm=arm.code)).status_code == 422
    client.post(reverse("report-score-removal", args=[mine.pk, theirs.pk]))
    assert Benchmark.objects.get() == theirs


def test_the_series_shows_what_each_experiment_found_the_oldest_first(client: Client, study: Study) -> None:
    first = study(votes="WWT", title="First version", inputs=8)
    second = study(votes="WWL", title="Second version", inputs=8, follows=first)
    third = study(votes="L", title="Third version", inputs=8, follows=second)
    steps = current(third)["context"]["series"]
    assert [one["title"] for one in steps] == ["First version", "Second version", "Third version"]
    assert [one["score"]["value"] for one in steps] == [
        current(one)["pairs"][0]["score"]["population"]["value"] for one in (first, second, third)
    ]
    assert steps[2]["answer"] == current(third)["verdict"]["answer"] == "stay"
    text = page(client, third)
    assert f'<a href="/experiments/{first.pk}/report/">First version</a>' in text
    assert text.index("First version") < text.index("Second version")
    assert "Followed by" not in text
    assert f'Followed by <a href="/experiments/{second.pk}/">Second version</a>' in " ".join(
        page(client, first).split()
    )
    assert current(first)["context"]["series"] == []


def test_a_change_in_an_earlier_report_reaches_the_series(study: Study) -> None:
    first = study(inputs=8)
    second = study(inputs=8, follows=first)
    before = current(second)["context"]["series"][0]["cost"]
    assumptions.state(experiment=first, values={"requests_per_day": 10})
    current(first)
    assert current(second)["context"]["series"][0]["cost"] != before


def test_an_earlier_experiment_that_is_still_blind_stays_out_of_the_series(study: Study) -> None:
    open_one = study(inputs=2, raters=1, closed=False)
    assert current(study(inputs=2, raters=1, follows=open_one))["context"]["series"] == []
