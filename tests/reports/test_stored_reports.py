"""A report is stored with what it was made from, and made again when that changes; few votes or many."""

from datetime import timedelta
from typing import Any

import pytest

from experiments.models import Criterion, Experiment
from ratings.models import Assignment, CriterionVerdict, Guess, Judgment
from reports import ballot_rows, fingerprint
from reports import report as report_module
from reports.models import Result
from reports.report import build, current
from tests.factories import NOW, a_rater
from tests.reports import studies

pytestmark = pytest.mark.django_db


def test_a_stored_report_is_used_until_something_it_was_made_from_changes() -> None:
    experiment = studies.a_study()
    build(experiment)
    Result.objects.update(report='{"stored": true}')
    assert current(experiment) == {"stored": True}
    row = Judgment.objects.filter(verdict="both_good").earliest("pk")
    Judgment.objects.filter(pk=row.pk).update(verdict="both_bad")
    assert current(experiment)["pairs"][0]["both_bad"] == 16


@pytest.mark.parametrize("most", [20_000, 0], ids=["few votes", "many votes"])
def test_a_stored_report_is_out_of_date_when_a_verdict_on_a_criterion_or_a_guess_changed(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprint, "MOST_WATCHED", most)
    experiment = studies.a_study(votes="W", inputs=4, raters=2, ask_guess=True)
    Criterion.objects.create(experiment=experiment, position=1, name="accuracy")
    for judgment in Judgment.objects.order_by("pk")[:2]:
        studies.also_on(judgment, accuracy="left")
        Guess.objects.create(assignment=judgment.assignment, side="left")
    seen = [fingerprint.fingerprint(experiment)]
    for model, column in ((CriterionVerdict, "verdict"), (Guess, "side")):
        for said in (("right", "left"), ("left", "right"), ("right", "right"), ("left", "left")):
            for key, word in zip(model.objects.order_by("pk").values_list("pk", flat=True), said, strict=True):
                model.objects.filter(pk=key).update(**{column: word})
            seen.append(fingerprint.fingerprint(experiment))
    assert seen[0] == seen[4] == seen[8]
    assert len(set(seen)) == 7


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Experiment:
    """So many votes that they are told by one sweep; those of another experiment lie among them."""
    monkeypatch.setattr(fingerprint, "MOST_WATCHED", 0)
    made = studies.a_study(votes="WLTB", inputs=4, raters=3, closed=False)
    other = studies.a_study(votes="W", inputs=3, raters=1, closed=False, slug="other")
    for experiment, late in ((other, "another, later"), (made, "later")):
        rater = a_rater(experiment, late)
        for pair in studies.real_pairs(experiment):
            studies.vote(pair, rater, studies.systems(experiment)[1].arm, "W", on_left=True)
    studies.close(other)
    return studies.close(made)


def test_many_votes_are_told_alike_whether_swept_or_looked_up(
    watched: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ballot_rows.stretch(watched) is not None
    swept, read = fingerprint.fingerprint(watched), build(watched)
    monkeypatch.setattr(ballot_rows, "DENSE", 0)
    assert ballot_rows.stretch(watched) is None
    assert fingerprint.fingerprint(watched) == swept
    assert build(watched) == read
    assert read["counts"]["judgments"] == 16


def test_of_many_votes_each_that_changes_is_noticed_and_nobody_elses(watched: Experiment) -> None:
    seen = [fingerprint.fingerprint(watched)]
    others = Assignment.objects.exclude(rater__experiment=watched)
    assert others.update(verdict="both_bad", counts=None) == 6
    assert fingerprint.fingerprint(watched) == seen[0]
    one, two = Assignment.objects.filter(rater__experiment=watched).order_by("pk")[:2]
    changes: list[dict[str, Any]] = [
        {"verdict": "both_bad"},
        {"verdict": "right"},
        {"counts": False},
        {"left": one.right, "right": one.left},
        {"skipped_at": NOW},
        {"judged_at": NOW + timedelta(days=9)},
    ]
    for change in changes:
        Assignment.objects.filter(pk=two.pk if "verdict" in change else one.pk).update(**change)
        seen.append(fingerprint.fingerprint(watched))
    assert len(set(seen)) == len(seen)


def test_a_report_that_is_asked_for_takes_the_fingerprint_once_and_is_found_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[int] = []

    def counted(experiment: Experiment) -> str:
        taken.append(experiment.pk)
        return fingerprint.fingerprint(experiment)

    monkeypatch.setattr(report_module, "fingerprint", counted)
    first = studies.a_study(slug="first")
    current(first)
    assert taken == [first.pk]
    Result.objects.all().delete()
    # The report of the first is made on the way, after the fingerprint of the second was taken.
    second = studies.a_study(slug="second", follows=first)
    made = current(second)
    assert [step["slug"] for step in made["context"]["series"]] == ["first", "second"]
    Result.objects.filter(experiment=second).update(report='{"stored": true}')
    assert current(second) == {"stored": True}
