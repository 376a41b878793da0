"""Three and more systems on the page: strengths with ranges of rank, and a word where the comparisons come apart."""

import pytest
from django.test import Client

from accounts.models import User
from experiments.models import Experiment, Pairs
from ratings.models import Judgment
from reports import formats
from reports.page import page
from reports.report import current
from tests.factories import a_judgment, a_rated_experiment, a_rater, a_rating_experiment
from tests.reports import studies

pytestmark = pytest.mark.django_db


def shown(client: Client, experiment: Experiment) -> str:
    owner = User.objects.create_user("owner@example.org")
    experiment.owners.add(owner)
    client.force_login(owner)
    page = client.get(f"/experiments/{experiment.pk}/report/").content.decode()
    return page[page.index('id="ranking"') : page.index('id="latency"')]


def test_every_system_has_its_strength_its_interval_and_a_range_of_ranks(client: Client) -> None:
    text = shown(client, a_rated_experiment(arms=4, inputs=12, raters=4))
    for number in range(1, 5):
        assert f"system-{number}</th>" in text
    assert " to " in text
    assert "pseudo" not in text


def test_systems_that_never_met_are_ranked_with_half_a_vote_and_it_is_said(client: Client) -> None:
    made = a_rating_experiment(arms=4, inputs=6)
    arms = list(made.arms.order_by("pk"))
    islands = ({arms[0].pk, arms[1].pk}, {arms[2].pk, arms[3].pk})
    rater = a_rater(made)
    for turn, comparison in enumerate(studies.real_pairs(made)):
        if {comparison.first.arm_id, comparison.second.arm_id} in islands:
            a_judgment(comparison, rater, verdict=("left", "right", "both_good")[turn % 3])
    assert Judgment.objects.count() == 12
    text = shown(client, studies.close(made))
    assert "half a vote" in text
    assert "nan" not in text.lower()


def a_crowd_of_systems(owner: User) -> Experiment:
    """Six systems, all against all, none in use today."""
    made = a_rated_experiment(arms=6, inputs=4, raters=4)
    made.baseline = None
    made.pairs = Pairs.ALL
    made.save(update_fields=["baseline", "pairs"])
    made.owners.add(owner)
    return made


def test_where_nothing_is_in_use_today_the_ranking_stands_in_for_the_score(client: Client) -> None:
    owner = User.objects.create_user("owner@example.org")
    made = a_crowd_of_systems(owner)
    report = current(made)
    quality = page(report)["panels"][0]
    assert "in use" not in quality["what"]
    assert {one["interval"]["value"] for one in quality["figures"]} == {one["elo"] for one in report["ranking"]}
    assert report["verdict"]["reasons"][0].startswith(f"Ranking: {report['ranking'][0]['name']} comes first of 6")
    assert not [one for one in report["verdict"]["caveats"] if "Standing on the left" in one or "system-" in one]
    assert "not compared with the system in use" not in formats.write(report, "html")


def test_many_pairs_are_folded_on_the_page_and_open_in_the_file(client: Client) -> None:
    owner = User.objects.create_user("owner@example.org")
    made = a_crowd_of_systems(owner)
    client.force_login(owner)
    shown = client.get(f"/experiments/{made.pk}/report/").content.decode()
    assert "Scores, votes and tests of all 15 pairs</summary>" in shown
    assert shown.count('<figure class="votes">') == 15
    filed = str(formats.write(current(made), "html"))
    assert 'class="fold"' not in filed
    assert filed.count('<figure class="votes">') == 15
