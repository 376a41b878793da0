"""Before and while rating: what a study can decide and what to change, without ever telling who leads."""

import pytest

from reports import planning
from reports.report import build
from tests.factories import a_collected_experiment
from tests.reports import studies

pytestmark = pytest.mark.django_db


def test_fifty_inputs_by_five_raters_can_decide_ten_points_and_twenty_cannot() -> None:
    enough = planning.outlook(a_collected_experiment(inputs=50, ratings_per_pair=5, planned_raters=5, margin=0.10))
    little = planning.outlook(a_collected_experiment(inputs=20, ratings_per_pair=2, planned_raters=5, margin=0.10))
    assert enough
    assert little
    assert enough.power.power == pytest.approx(0.69, abs=0.02)
    assert enough.judgments == 250
    assert enough.hours == pytest.approx(250 * 48 / 3600)
    assert little.power.power < 0.5
    assert "inputs instead of 20" in little.advice[0]


def test_a_study_that_is_large_enough_needs_no_advice() -> None:
    found = planning.outlook(a_collected_experiment(inputs=120, ratings_per_pair=4, planned_raters=8, margin=0.15))
    assert found
    assert found.power.enough
    assert found.advice == ()


def test_without_inputs_or_candidates_there_is_nothing_to_plan() -> None:
    assert planning.outlook(a_collected_experiment(inputs=0)) is None
    assert planning.outlook(a_collected_experiment(arms=1)) is None


def test_the_spread_is_reestimated_from_the_votes_and_not_from_who_leads() -> None:
    def width(votes: str) -> float:
        found = planning.reestimated(studies.a_study(votes=votes, inputs=12, raters=4, closed=False))
        assert found
        return found.power.half_width

    assert width("WWWL") == pytest.approx(width("LLLW"))


def test_before_ten_inputs_nothing_is_reestimated() -> None:
    assert planning.reestimated(studies.a_study(inputs=9, raters=4, closed=False)) is None


@pytest.mark.parametrize("votes", ["W", "L"])
def test_a_monitored_study_may_stop_when_it_is_decided_whichever_way(votes: str) -> None:
    long = studies.a_study(votes=votes, inputs=40, raters=3, closed=False, monitored=True)
    short = studies.a_study(votes=votes, inputs=3, raters=3, closed=False, monitored=True)
    assert (planning.signal(long), planning.signal(short)) == ("may stop", "continue")


def test_a_study_that_was_not_to_be_watched_gives_no_signal() -> None:
    assert planning.signal(studies.a_study(votes="W", inputs=40, raters=3, closed=False)) is None


def test_a_monitored_study_takes_its_verdict_from_limits_that_allow_for_watching() -> None:
    watched = build(studies.a_study(votes="WWT", inputs=40, raters=4, monitored=True))["pairs"][0]
    assert watched["monitoring"]["inputs"] == 40
    assert watched["noninferiority"]["scope"] == "panel"
    assert watched["noninferiority"]["from"] == "betting sequence"
    assert watched["monitoring"]["low"] < watched["score"]["panel"]["low"]
