"""Opening rating and closing it, from the review that comes before each."""

import pytest
from django.test import Client

from accounts.models import Event, User
from experiments.models import Experiment, Output
from ratings.models import Comparison
from tests.factories import a_collected_experiment, a_rated_experiment, a_rating_experiment

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client: Client) -> User:
    user = User.objects.create_user("owner@example.org")
    client.force_login(user)
    return user


def test_the_review_says_what_is_frozen_and_what_it_asks_of_raters(client: Client, owner: User) -> None:
    experiment = a_collected_experiment(inputs=4, owner=owner)
    text = client.get(f"/experiments/{experiment.pk}/open/").content.decode()
    assert "8 answers, as raters will read them" in text
    assert "4 inputs make 4 pairs and 12 judgments" in text
    assert "points" in text
    assert Experiment.objects.get().status == "collecting"


def test_opening_seals_makes_the_pairs_and_leads_to_the_raters(client: Client, owner: User) -> None:
    experiment = a_collected_experiment(inputs=4, owner=owner)
    answer = client.post(f"/experiments/{experiment.pk}/open/")
    assert answer.headers["Location"] == f"/experiments/{experiment.pk}/raters/"
    experiment.refresh_from_db()
    assert experiment.status == "rating"
    assert len(experiment.seal) == 64
    assert Comparison.objects.count() == 4


def test_opening_is_refused_with_the_reason_while_a_flag_is_undecided(client: Client, owner: User) -> None:
    experiment = a_collected_experiment(owner=owner)
    Output.objects.filter(pk=Output.objects.first().pk).update(state="flagged")
    answer = client.post(f"/experiments/{experiment.pk}/open/")
    assert answer.status_code == 409
    assert "mask, release or withhold" in answer.content.decode()
    assert Experiment.objects.get().status == "collecting"


def test_an_open_experiment_is_not_opened_again(client: Client, owner: User) -> None:
    experiment = a_rating_experiment(owner=owner)
    answer = client.post(f"/experiments/{experiment.pk}/open/")
    assert answer.headers["Location"] == f"/experiments/{experiment.pk}/"
    assert Experiment.objects.get().seal == "0" * 64


def test_closing_asks_first_and_warns_while_judgments_are_missing(client: Client, owner: User) -> None:
    experiment = a_rated_experiment(inputs=2, raters=1, closed=False, owner=owner)
    text = client.get(f"/experiments/{experiment.pk}/close/").content.decode()
    assert "2 of 6 judgments" in text
    assert "Not all judgments" in text
    assert '<button class="button danger">Close rating</button>' in text
    assert Experiment.objects.get().status == "rating"


def test_closing_leads_to_the_report(client: Client, owner: User) -> None:
    experiment = a_rated_experiment(closed=False, owner=owner)
    answer = client.post(f"/experiments/{experiment.pk}/close/")
    assert answer.headers["Location"] == f"/experiments/{experiment.pk}/report/"
    experiment.refresh_from_db()
    assert (experiment.status, experiment.closed_by) == ("closed", owner)
    assert Event.objects.get(verb="closed", object=f"experiment {experiment.slug}").actor == owner
