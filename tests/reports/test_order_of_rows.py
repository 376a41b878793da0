"""A report is the same to the last digit in whatever order the database gives the rows that are read unsorted."""

import json
from typing import Any

import pytest
from django.db.models import Count, QuerySet

from experiments.models import Criterion, Experiment
from ratings.models import Judgment
from reports import ballot_rows, votes
from reports.measurements import exact_sum
from reports.report import build
from tests.reports import studies

pytestmark = pytest.mark.django_db


@pytest.fixture
def experiment() -> Experiment:
    """With all that is read beside the verdicts: a criterion, repeats, controls."""
    made = studies.a_study(votes="WWTBLW", inputs=9, raters=4)
    Criterion.objects.create(experiment=made, position=1, name="clear")
    judgments = list(Judgment.objects.order_by("pk"))
    for turn, judgment in enumerate(judgments):
        Judgment.objects.filter(pk=judgment.pk).update(seconds=7 + turn * 0.1)
        studies.also_on(judgment, clear=("left", "both_good", "right")[turn % 3])
    studies.shown_again(judgments[0], verdict="left")
    studies.a_control(made, judgments[0].assignment.rater, right=True)
    return made


def test_unsorted_rows_backwards_make_the_same_report(experiment: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    before = json.dumps(build(experiment))
    columns, turned = ballot_rows.columns, []

    def backwards(rows: QuerySet[Any, Any], names: list[tuple[str, str]]) -> Any:
        if rows.ordered:
            return columns(rows, names)
        turned.append(rows.model)
        return columns(rows, names)[::-1]

    monkeypatch.setattr(ballot_rows, "columns", backwards)
    monkeypatch.setattr(votes, "columns", backwards)
    assert json.dumps(build(experiment)) == before
    assert Judgment in turned
    assert len(turned) > 1


def test_the_votes_on_a_criterion_stand_in_the_order_of_the_votes(experiment: Experiment) -> None:
    ballots = votes.read(experiment)
    found = votes.on_criterion(experiment, Criterion.objects.get().pk, ballots.votes)
    assert found.assignment.tolist() == ballots.votes.assignment.tolist()


def test_sums_that_are_compared_are_whole_and_bounded(experiment: Experiment) -> None:
    first = Judgment.objects.earliest("pk")
    for seconds, expected in ((0.1, 100), (1e300, 10**12)):
        Judgment.objects.filter(pk=first.pk).update(seconds=seconds)
        found = Judgment.objects.filter(pk=first.pk).aggregate(exact=exact_sum("seconds"), n=Count("pk"))
        assert found == {"exact": expected, "n": 1}
        assert type(found["exact"]) is int
