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
    assert enough.power
    assert little.power
    assert enough.power.power == pytest.approx(0.69, abs=0.02)
    assert enough.judgments == 250
    assert enough.hours == pytest.approx(enough.shown * 48 / 3600)
    assert little.power.power < 0.5
    assert little.advice
    assert little.advice.inputs
    assert little.advice.inputs > 20


def test_a_study_that_is_large_enough_needs_no_advice() -> None:
    found = planning.outlook(a_collected_experiment(inputs=120, ratings_per_pair=4, planned_raters=8, margin=0.15))
    assert found.power
    assert found.power.enough
    assert found.advice is None


def test_several_candidates_are_held_to_a_stricter_test_and_seen_as_sharply() -> None:
    one = planning.outlook(a_collected_experiment(arms=2, inputs=50)).power
    three = planning.outlook(a_collected_experiment(arms=4, inputs=50)).power
    assert one
    assert three
    assert three.power < one.power
    assert three.half_width == one.half_width


def test_without_inputs_or_candidates_there_is_nothing_to_foretell() -> None:
    assert planning.outlook(a_collected_experiment(inputs=0)).power is None
    assert planning.outlook(a_collected_experiment(arms=1)).power is None


def test_turning_every_verdict_round_changes_nothing_of_the_re_estimate() -> None:
    for votes, turned in (("WWWL", "LLLW"), ("WTWWB", "LTLLB"), ("WWWWWWWT", "LLLLLLLT")):
        found = planning.so_far(studies.a_study(votes=votes, inputs=12, raters=4, closed=False))[0]
        mirrored = planning.so_far(studies.a_study(votes=turned, inputs=12, raters=4, closed=False))[0]
        assert found
        assert mirrored
        assert found.plan.sd == pytest.approx(mirrored.plan.sd, rel=1e-12)
        assert found.plan.icc == pytest.approx(mirrored.plan.icc, abs=1e-12)
        assert found.power == pytest.approx(mirrored.power)


def test_raters_who_differ_less_than_usual_sharpen_the_re_estimate() -> None:
    experiment = studies.a_study(votes="TTTTTTTTTW", inputs=12, raters=4, closed=False)
    seen, usual = planning.so_far(experiment)[0], planning.outlook(experiment)
    assert seen
    assert seen.power
    assert usual.power
    assert seen.power.half_width < usual.power.half_width
    assert seen.seconds == 30  # the pace of the votes, no guess


@pytest.mark.parametrize(("inputs", "raters"), [(9, 4), (12, 2)])
def test_before_ten_inputs_have_all_their_judgments_nothing_is_re_estimated(inputs: int, raters: int) -> None:
    assert planning.so_far(studies.a_study(inputs=inputs, raters=raters, closed=False))[0] is None


@pytest.mark.parametrize("votes", ["W", "L"])
def test_a_monitored_study_may_stop_when_it_is_decided_whichever_way(votes: str) -> None:
    long = studies.a_study(votes=votes, inputs=40, raters=3, closed=False, monitored=True)
    short = studies.a_study(votes=votes, inputs=3, raters=3, closed=False, monitored=True)
    assert (planning.so_far(long)[1], planning.so_far(short)[1]) == ("may stop", "continue")


def test_a_study_that_was_not_to_be_watched_gives_no_signal() -> None:
    assert planning.so_far(studies.a_study(votes="W", inputs=40, raters=3, closed=False))[1] is None


def test_a_monitored_study_takes_its_verdict_from_limits_that_allow_for_watching() -> None:
    watched = build(studies.a_study(votes="WWT", inputs=40, raters=4, monitored=True))["pairs"][0]
    assert watched["monitoring"]["inputs"] == 40
    assert watched["noninferiority"]["scope"] == "panel"
    assert watched["noninferiority"]["from"] == "betting sequence"
    assert watched["monitoring"]["low"] < watched["score"]["panel"]["low"]
