"""Three and more systems on the page: strengths with ranges of rank, and a word where the comparisons come apart."""

import pytest
from django.test import Client

from accounts.models import User
from experiments.models import Experiment
from ratings.models import Judgment
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
