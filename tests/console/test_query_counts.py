"""Every owner page asks the database as often for much as for little."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from experiments.models import Experiment
from ratings.models import Comparison, Rater
from tests.factories import a_collected_experiment, a_judgment, a_rated_experiment, a_rater, a_user, an_endpoint
from tests.ratings.driving import a_seated_client, an_open_experiment, fields_of

pytestmark = pytest.mark.django_db
# What stands behind # is the element that HTMX asks for.
PAGES = (
    *("", "inputs/", "inputs/?q=1", "systems/", "collecting/", "collecting/#progress", "check/"),
    *("check/?kind=identical", "raters/", "raters/?page=2", "delete/", "log/", "log/?q=a"),
)
SHARES = "repeat_share=0.1&control_share=0.1"
PLAN = f"plan/?ratings_per_pair=3&planned_raters=9&margin=0.1&pairs=baseline&{SHARES}&seed=7#effort"
OF_KIND = {
    "collected": ("open/", "question/", "plan/", PLAN, "inputs/new/", "systems/new/", "systems/recorded/"),
    "rated": ("close/", "report/", "report/pairs/", "exports/"),
    "closed": (
        *("report/", "report/pairs/", "report/pairs/?page=2", "report/pairs/?commented=yes", "exports/"),
        *("report/pairs/?system=System 1", "following/"),
    ),
}
LISTS = (
    *("/", "/?q=a", "/?archived", "/endpoints/", "/endpoints/new/", "/people/", "/people/?q=person", "/log/"),
    *("/log/?q=a", "/account/", "/experiments/new/"),
)


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
    if kind == "collected":
        experiment = a_collected_experiment(inputs=size)
    else:
        experiment = a_rated_experiment(inputs=size, raters=size // 2, closed=kind == "closed")
    experiment.owners.add(owner)
    return experiment


@pytest.mark.parametrize("kind", ["collected", "rated", "closed"])
def test_a_page_of_an_experiment_asks_no_more_for_many_inputs_and_raters(kind: str, owner: User, asked: Any) -> None:
    small, large = (made(kind, owner, size).pk for size in (12, 24))  # from ten on a plan is estimated
    pages = (*PAGES, *OF_KIND[kind])
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
    few = {page: asked(page) for page in LISTS}
    grow(9)
    assert {page: asked(page) for page in LISTS} == few


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
