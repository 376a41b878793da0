"""Parts of the traffic: careful words, corrected p values, and whether the score differs between parts at all."""

from typing import Any

import pytest

from experiments.models import Experiment
from ratings.models import Judgment
from reports.report import build
from tests.reports import studies

pytestmark = pytest.mark.django_db


def tagged(tags: Any, **fields: Any) -> Experiment:
    """A study of 24 inputs whose tags are what `tags` gives for the position of each."""
    made = studies.a_study(**({"inputs": 24, "raters": 3, "votes": "WL"} | fields))
    for item in made.inputs.all():
        item.tags = tags(item.position)
        item.save()
    return made


def lose_where(experiment: Experiment, wanted: Any) -> None:
    """The candidate wins everywhere but where `wanted` holds for the input's position."""
    candidate = studies.systems(experiment)[1].arm_id
    for judgment in Judgment.objects.select_related("assignment__left__input"):
        left = judgment.assignment.left
        wins = not wanted(left.input.position)
        judgment.verdict = "left" if (left.arm_id == candidate) == wins else "right"
        judgment.save()


def test_a_score_that_differs_between_parts_is_found_and_said() -> None:
    experiment = tagged(lambda position: ["long" if position > 12 else "short"])
    lose_where(experiment, lambda position: position > 12)
    [found] = build(experiment)["interactions"]
    assert (found["by"], found["parts"], found["inputs"]) == ("tag", 2, 24)
    assert found["p"] < 0.01
    assert found["words"] == "the score differs between these parts"


def test_where_it_does_not_the_words_are_not_shown() -> None:
    report = build(tagged(lambda position: ["long" if position > 12 else "short"], votes="WLLWTB"))
    [found] = report["interactions"]
    assert found["words"] == "not shown"
    assert "no difference" not in str(report)


def test_each_name_of_tags_is_a_question_of_its_own_and_holm_raises_their_p() -> None:
    experiment = tagged(lambda position: {"topic": f"t{position % 3}", "length": "long" if position > 12 else "short"})
    lose_where(experiment, lambda position: position > 12)
    found = {one["by"]: one for one in build(experiment)["interactions"]}
    assert set(found) == {"topic", "length"}
    assert found["length"]["p_holm"] == pytest.approx(2 * found["length"]["p"])
    assert found["topic"]["words"] == "not shown"


def test_tags_that_overlap_make_no_parts_to_compare() -> None:
    report = build(tagged(lambda position: ["all", "long"] if position > 12 else ["all"]))
    assert report["interactions"] == []
    assert {one["name"] for one in report["slices"]} == {"all", "long"}


def test_small_parts_get_wilson_limits_and_no_p_and_large_ones_both_corrections() -> None:
    parts = {one["name"]: one for one in build(tagged(lambda position: ["few" if position <= 8 else "many"]))["slices"]}
    assert parts["few"]["score"]["method"] == "Wilson over inputs"
    assert (parts["few"]["p_holm"], parts["few"]["p_bh"]) == (None, None)
    assert parts["few"]["words"] == "not tested: fewer than 10 inputs"
    assert parts["many"]["inputs"] == 16


def test_the_page_shows_the_question_and_its_p(client: Any) -> None:
    experiment = tagged(lambda position: ["long" if position > 12 else "short"], votes="WLLWTB")
    owner = experiment.owners.create(email="owner@example.org")
    client.force_login(owner)
    text = client.get(f"/experiments/{experiment.pk}/report/").content.decode()
    assert "Does the score differ between the parts?" in text
    assert "not shown" in text
