"""One thing is changed, and all that rests on it follows: counts, stored result, every format; or the seal says so."""

import io
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from backends.models import System
from console.actions import close, open_for_rating
from experiments.models import Experiment, Input, Output
from ratings.models import Judgment
from reports import exports, formats
from reports.models import Result
from reports.report import current
from tests.factories import a_collected_experiment, a_rater
from tests.reports import studies

pytestmark = pytest.mark.django_db
TEXTS = ("json", "md", "html")


@pytest.fixture
def closed() -> Experiment:
    """Really sealed, rated by four and closed."""
    made = a_collected_experiment(inputs=10)
    open_for_rating(experiment=made, by=None)
    candidate = System.objects.exclude(arm=made.baseline).get(arm__experiment=made).arm
    for number in range(4):
        rater = a_rater(made, f"Rater {number}")
        for turn, comparison in enumerate(studies.real_pairs(made)):
            studies.vote(comparison, rater, candidate, "WTL"[(turn + number) % 3], on_left=turn % 2 == 0)
    close(experiment=made, by=None)
    made.refresh_from_db()
    return made


def everything(experiment: Experiment) -> dict[str, bytes | str]:
    """Every file that can be taken away."""
    files: dict[str, bytes | str] = {name: formats.write(current(experiment), name) for name in TEXTS}
    for name in exports.FORMATS:
        stream = io.BytesIO()
        exports.write(experiment, name, stream)
        files[f"export {name}"] = stream.getvalue()
    return files


def test_one_changed_vote_reaches_the_counts_the_stored_result_and_every_file(closed: Experiment) -> None:
    before, files, made_from = current(closed), everything(closed), Result.objects.get().made_from
    won = Judgment.objects.filter(assignment__comparison=studies.real_pairs(closed)[0]).earliest("pk")
    studies.changed(won, {"left": "right", "right": "left"}[won.verdict])
    after = current(closed)
    assert after["counts"]["superseded"] == before["counts"]["superseded"] + 1
    assert after["counts"]["judgments"] == before["counts"]["judgments"]
    assert after["pairs"][0]["wins"] != before["pairs"][0]["wins"]
    assert Result.objects.get().made_from != made_from
    changed = everything(closed)
    assert [name for name in files if files[name] == changed[name]] == []
    # Votes are no part of what was frozen before them: the seal holds.
    assert after["experiment"]["seal"] == before["experiment"]["seal"]
    assert after["experiment"]["changed_since_the_seal"] == []


@pytest.mark.parametrize(
    ("model", "changes", "told"),
    [
        (Output, {"text": "Another answer."}, "The texts shown to raters were changed."),
        (Input, {"messages": [{"role": "user", "content": "Another question?"}]}, "The inputs were changed."),
        (Experiment, {"ratings_per_pair": 9}, "ratings_per_pair was 3 and is 9"),
        (System, {"model_id": "another"}, "The mapping of arms to systems was changed."),
    ],
)
def test_whatever_of_the_frozen_was_changed_is_told_on_top_of_the_report(
    client: Client, closed: Experiment, model: Any, changes: dict[str, Any], told: str
) -> None:
    owner = User.objects.create_user("owner@example.org")
    closed.owners.add(owner)
    client.force_login(owner)
    model.objects.filter(pk=model.objects.latest("pk").pk).update(**changes)
    page = client.get(f"/experiments/{closed.pk}/report/").content.decode()
    on_top = page[: page.index('class="numbers')]
    assert "Not as it was sealed before rating." in on_top
    assert told in on_top
