"""A rater whom the owner left out is in no figure of the report, which says so; exports keep what they judged."""

import json
from io import BytesIO
from typing import Any

import pytest
from django.test import Client

from console import progress
from experiments.models import Criterion, Experiment
from ratings.leaving_out import count_again, leave_out
from ratings.models import Assignment, Guess, Judgment, Rater
from reports import planning
from reports.browser import Chosen, listing
from reports.exports import write
from reports.formats import html, markdown
from reports.report import build, current
from tests.factories import NOW, a_rater, a_user
from tests.reports import studies

pytestmark = pytest.mark.django_db
SAID = "1 rater was left out by the owner before the closing: 12 judgments count nowhere."


@pytest.fixture
def experiment() -> Experiment:
    """Of five raters the fourth did everything that one can do, and judged otherwise than the rest."""
    made = studies.a_study(votes="WTWL", raters=4, closed=False, ask_guess=True)
    accuracy = Criterion.objects.create(experiment=made, position=1, name="accuracy")
    rater = made.raters.latest("pk")
    studies.a_control(made, made.raters.earliest("pk"), right=True)
    studies.a_control(made, rater, right=False)
    votes = list(Judgment.objects.filter(assignment__rater=rater, assignment__kind="rating").order_by("pk"))
    Judgment.objects.filter(pk__in=[vote.pk for vote in votes]).update(left_acceptable=True, seconds=900)
    studies.shown_again(votes[0], verdict="both_bad")
    for vote in (studies.changed(votes[1], "both_bad"), votes[2]):
        studies.also_on(vote, **{accuracy.name: "left"})
    Judgment.objects.filter(pk=votes[3].pk).update(unblinded=True)
    Guess.objects.create(assignment=votes[4].assignment, side="left", guessed_at=NOW)
    skipper = a_rater(made, "Skipper")
    skipped = Assignment(comparison=votes[5].assignment.comparison, rater=skipper, position=1, skipped_at=NOW)
    skipped.left, skipped.right = votes[5].assignment.left, votes[5].assignment.right
    skipped.save()
    return made


@pytest.fixture
def rater(experiment: Experiment) -> Rater:
    return experiment.raters.get(label="Rater 4")


def left_out(*raters: Rater) -> None:
    for rater in raters:
        leave_out(rater=rater, by=None)


def written(experiment: Experiment, name: str) -> bytes:
    stream = BytesIO()
    write(experiment, name, stream)
    return stream.getvalue()


def figures(report: dict[str, Any]) -> dict[str, Any]:
    """All but what says who was left out."""
    report = json.loads(json.dumps(report))
    del report["left_out"]
    for name in ("left_out_raters", "left_out_judgments"):
        del report["counts"][name]
    caveats = report["verdict"]["caveats"]
    report["verdict"]["caveats"] = [caveat for caveat in caveats if "left out by the owner" not in caveat]
    return report


def test_every_figure_is_what_it_would_be_had_they_never_rated(experiment: Experiment, rater: Rater) -> None:
    skipper = experiment.raters.get(label="Skipper")
    with_them = figures(build(studies.close(experiment)))
    Experiment.objects.update(status="rating", closed_at=None)
    left_out(rater, skipper)
    studies.close(experiment)
    without = figures(build(experiment))
    assert without != with_them
    for one in (rater, skipper):
        Judgment.objects.filter(assignment__rater=one).delete()
        Assignment.objects.filter(rater=one).delete()
        one.delete()
    assert without == figures(build(experiment))


def test_the_report_says_how_many_were_left_out_and_who(experiment: Experiment, rater: Rater, client: Client) -> None:
    left_out(rater)
    owner = a_user()
    experiment.owners.add(owner)
    client.force_login(owner)
    report = build(studies.close(experiment))
    assert (report["counts"]["left_out_raters"], report["counts"]["left_out_judgments"]) == (1, 12)
    assert report["counts"]["judgments"] == 36
    assert report["left_out"]["words"] == SAID
    [entry] = report["left_out"]["raters"]
    rater.refresh_from_db()
    assert entry == {"label": "Rater 4", "judgments": 12, "at": rater.left_out_at and rater.left_out_at.isoformat()}
    assert SAID in report["verdict"]["caveats"]
    assert f"- {SAID}" in markdown.to_markdown(report)
    for page in (html.to_html(report), client.get(f"/experiments/{experiment.pk}/report/").content.decode()):
        assert page.count(SAID) == 2, "among the caveats and above the raters"
        assert "Rater 4 (12)" in page
        assert "12 judgments of raters whom the owner left out" in page
        assert '<th scope="row">Rater 4</th>' not in page


def test_where_nobody_was_left_out_nothing_is_said_of_it(experiment: Experiment) -> None:
    report = build(studies.close(experiment))
    assert report["left_out"] == {"raters": [], "words": ""}
    assert report["counts"]["left_out_raters"] == report["counts"]["left_out_judgments"] == 0
    assert "left out by the owner" not in markdown.to_markdown(report) + html.to_html(report)


def test_where_everybody_was_left_out_the_report_says_that_no_judgment_is_left(experiment: Experiment) -> None:
    left_out(*experiment.raters.all())
    report = build(studies.close(experiment))
    assert report["verdict"]["answer"] == "undecided"
    assert "no judgment that counts is left" in report["verdict"]["sentence"]
    said = "5 raters were left out by the owner before the closing: 48 judgments count nowhere."
    assert report["verdict"]["caveats"] == [said]
    assert said in markdown.to_markdown(report)


def test_where_the_result_was_watched_the_report_says_that_too(experiment: Experiment, rater: Rater) -> None:
    left_out(rater)
    Experiment.objects.update(monitored=True)
    experiment.refresh_from_db()
    caveats = build(studies.close(experiment))["verdict"]["caveats"]
    assert f"{SAID} It could be seen meanwhile whether rating may stop." in caveats


def test_exports_keep_their_judgments_and_mark_them(experiment: Experiment, rater: Rater) -> None:
    left_out(rater)
    studies.close(experiment)
    rows = [json.loads(line) for line in written(experiment, "jsonl").splitlines()]
    theirs = [row for row in rows if row["rater"] == "Rater 4"]
    assert len(theirs) == 15
    assert {(row["counted"], row["left_out"]) for row in theirs} == {(False, True)}
    assert {row["left_out"] for row in rows if row["rater"] != "Rater 4"} == {False}
    assert sum(row["counted"] for row in rows) == 36
    assert "Rater 4" in written(experiment, "csv").decode()
    for name in ("battles", "evalica"):
        text = written(experiment, name).decode()
        assert "Rater 3" in text
        assert "Rater 4" not in text
    preferred = [json.loads(line) for line in written(experiment, "dpo").splitlines()]
    assert max(row["score_chosen"] for row in preferred) <= 3


def test_their_pairs_can_be_read_and_are_marked(experiment: Experiment, rater: Rater) -> None:
    left_out(rater)
    entries = listing(studies.close(experiment), Chosen()).entries
    notes = {(one["rater"], one["note"]) for entry in entries for one in entry["judgments"]}
    assert {note for who, note in notes if who == "Rater 4"} == {"left out"}
    assert "left out" not in {note for who, note in notes if who != "Rater 4"}


def test_what_is_foretold_while_rating_follows_the_choice_at_once(experiment: Experiment, rater: Rater) -> None:
    second, third = experiment.raters.filter(label__in=["Rater 2", "Rater 3"]).order_by("pk")
    Judgment.objects.filter(assignment__rater=third).update(verdict="both_good")
    Experiment.objects.update(ratings_per_pair=2)
    experiment.refresh_from_db()

    def told() -> Any:
        seen, _ = planning.so_far(experiment)
        planning.forget()
        afresh, _ = planning.so_far(experiment)
        assert seen == afresh, "what is kept may be no older than the choice"
        return seen

    whole = told()
    planning.so_far(experiment)
    left_out(rater)
    without = told()
    assert (without.plan.sd, without.plan.icc) != (whole.plan.sd, whole.plan.icc)
    planning.so_far(experiment)
    count_again(rater=rater, by=None)
    assert told() == whole
    left_out(second)
    one = told()
    planning.so_far(experiment)
    count_again(rater=second, by=None)
    left_out(third)
    assert told().plan.sd != one.plan.sd, "as many votes, but others"


def test_whether_rating_may_stop_is_told_by_those_who_count() -> None:
    experiment = studies.a_study(votes="W", inputs=40, raters=3, closed=False, monitored=True)
    assert planning.so_far(experiment)[1] == "may stop"
    left_out(experiment.raters.latest("pk"))
    assert planning.so_far(experiment)[1] == "continue"


def test_facts_of_progress_leave_them_out(experiment: Experiment, rater: Rater) -> None:
    before = progress.judgments(experiment)
    left_out(rater)
    after = progress.judgments(experiment)
    assert (before["done"], after["done"], after["wanted"]) == (48, 36, before["wanted"])


def test_a_stored_report_is_not_used_where_the_choice_is_another(experiment: Experiment) -> None:
    studies.close(experiment)
    assert current(experiment)["counts"]["skipped"] == 1
    Rater.objects.filter(label="Skipper").update(revoked_at=NOW, left_out_at=NOW)
    assert current(experiment)["counts"]["skipped"] == 0
