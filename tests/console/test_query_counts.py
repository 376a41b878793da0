"""Every owner page asks the database as often for much as for little."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve, reverse

import accounts.urls
import console.urls
import reports.urls
from accounts.models import User
from backends.models import Endpoint
from experiments.models import Experiment, Spare
from ratings.models import Comparison, Rater
from tests import owner_pages
from tests.factories import a_collected_experiment, a_judgment, a_rated_experiment, a_rater, a_user, an_endpoint
from tests.ratings.driving import a_seated_client, an_open_experiment, fields_of

pytestmark = pytest.mark.django_db
SIZES = (12, 24)  # from ten on a plan is estimated


@pytest.fixture
def owner() -> User:
    return a_user(is_staff=True)


@pytest.fixture
def asked(client: Client, owner: User) -> Any:
    client.force_login(owner)

    def asked(address: str) -> int:
        path, _, target = address.partition("#")
        headers = {"HX-Request": "true", "HX-Target": target} if target else {}
        client.get(path, headers=headers)  # what is kept once a process is kept now
        with CaptureQueriesContext(connection) as caught:
            answer = client.get(path, headers=headers)
        assert answer.status_code in {200, 409}, address
        return len(caught)

    return asked


def made(kind: str, owner: User, size: int) -> Experiment:
    """With so many inputs, and half as many raters."""
    if kind == "collecting":
        experiment = a_collected_experiment(inputs=size)
        for number in range(size):
            Spare.objects.create(experiment=experiment, external_id=f"spare {number}", messages=[{}], length=1)
    else:
        experiment = a_rated_experiment(inputs=size, raters=size // 2, closed=kind == "closed")
    experiment.owners.add(owner)
    return experiment


@pytest.mark.parametrize("kind", ["collecting", "rating", "closed"])
def test_a_page_of_an_experiment_asks_no_more_for_many_inputs_and_raters(kind: str, owner: User, asked: Any) -> None:
    small, large = (made(kind, owner, size).pk for size in SIZES)
    pages = owner_pages.of_an_experiment(kind, system="system-1")
    few, many = ({page: asked(f"/experiments/{pk}/{page}") for page in pages} for pk in (small, large))
    assert {page: n for page, n in many.items() if n > few[page]} == {}


def test_a_list_asks_as_often_for_many_experiments(owner: User, asked: Any) -> None:
    def grow(experiments: int) -> None:
        for number in range(experiments):
            a_collected_experiment(inputs=1).owners.add(owner)
            a_rated_experiment(inputs=1, raters=1, closed=number % 2 == 0).owners.add(owner)
            an_endpoint()
            a_user(f"person-{User.objects.count()}@example.org")

    grow(1)
    pages = owner_pages.of_the_site(endpoint=Endpoint.objects.earliest("pk").pk)
    few = {page: asked(page) for page in pages}
    grow(9)
    assert {page: asked(page) for page in pages} == few


def test_no_page_of_the_owners_is_forgotten(client: Client, owner: User) -> None:
    client.force_login(owner)
    pk = made("closed", owner, 1).pk
    pages = owner_pages.of_the_site(endpoint=1)
    for kind in owner_pages.OF_KIND:
        pages += [f"/experiments/{pk}/{page}" for page in owner_pages.of_an_experiment(kind, system="system-1")]
    asked_for = {resolve(page.partition("#")[0].partition("?")[0]).url_name for page in pages}
    values = {"pk": pk, "position": 1, "key": 1, "token": "x", "name": "x"}
    forgotten = {}
    for one in (*console.urls.urlpatterns, *accounts.urls.urlpatterns, *reports.urls.urlpatterns):
        if one.name not in asked_for | set(owner_pages.NOT_ASKED):
            wanted = {name: values[name] for name in one.pattern.converters}
            forgotten[one.name] = client.get(reverse(one.name, kwargs=wanted)).status_code
    assert {name for name, status in forgotten.items() if status != 405} == set(), "405 is of what is only sent"
    assert len(forgotten) > 20


def test_a_rating_cycle_asks_as_often_after_many_judgments() -> None:
    experiment = an_open_experiment(inputs=30, ratings_per_pair=40)
    client = a_seated_client(experiment)
    form = fields_of(client.get("/rate/").content.decode())

    def cycle() -> int:
        with CaptureQueriesContext(connection) as caught:
            answer = client.post("/rate/", form | {"verdict": "left"}, headers={"HX-Request": "true"})
        form.update(fields_of(answer.content.decode()))
        return len(caught)

    cycle()
    few = cycle()
    for number in range(5):
        rater = a_rater(experiment, f"Other {number}")
        rate_everything(rater)
    assert cycle() == few
    for _ in range(12):
        assert cycle() == few


def rate_everything(rater: Rater) -> None:
    """A judgment of every real pair, without the desk."""
    for comparison in Comparison.objects.filter(input__experiment=rater.experiment, kind="real"):
        a_judgment(comparison, rater)
