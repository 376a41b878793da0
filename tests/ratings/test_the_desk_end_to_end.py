"""A rater's whole way over HTTP: the link, every pair, the end; with and without HTMX."""

import re
from typing import Any

import pytest
from django.test import Client

from experiments.models import Experiment
from ratings import actions, links
from ratings.models import Assignment, Comparison, Judgment, Rater
from tests.factories import a_rating_experiment

pytestmark = pytest.mark.django_db


def an_open_experiment(**fields: Any) -> Experiment:
    """Open for rating, with the comparisons that the product itself makes."""
    experiment = a_rating_experiment(**fields)
    Comparison.objects.all().delete()
    actions.make_comparisons(experiment=experiment)
    return experiment


def a_seated_client(experiment: Experiment, **headers: str) -> Client:
    """A browser whose link was exchanged."""
    (link,) = links.invite(experiment=experiment, count=1)
    client = Client(headers=headers or None)
    path = link.url.split("127.0.0.1:8000")[1]
    assert client.get(path).status_code == 200
    assert client.post(path).headers["Location"] == "/rate/"
    return client


def fields_of(page: str) -> dict[str, str]:
    """The hidden fields of the pair's form."""
    form = page[page.index('<form id="pair"') :]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))


def rate_all(client: Client, verdict: str = "left") -> int:
    """Answer until there is no pair any more; how many."""
    for done in range(1000):
        answer = client.get("/rate/")
        if answer.status_code == 303:
            assert answer.headers["Location"] == "/rate/done/"
            return done
        fields = fields_of(answer.content.decode())
        assert client.post("/rate/", fields | {"verdict": verdict}).status_code == 303
    raise AssertionError("no end")


def test_three_raters_rate_everything() -> None:
    experiment = an_open_experiment(inputs=6, ratings_per_pair=3)
    clients = [a_seated_client(experiment) for _ in range(3)]
    assert [rate_all(client) for client in clients] == [6, 6, 6]
    assert Judgment.objects.current().count() == 18
    assert clients[0].get("/rate/done/").status_code == 200


def test_htmx_gets_the_next_pair_in_the_same_answer() -> None:
    experiment = an_open_experiment(inputs=2)
    client = a_seated_client(experiment)
    first = fields_of(client.get("/rate/").content.decode())
    answer = client.post("/rate/", first | {"verdict": "both_good"}, headers={"HX-Request": "true"})
    second = fields_of(answer.content.decode())
    assert second["assignment"] != first["assignment"]
    assert second["again"] == first["assignment"]
    answer = client.post("/rate/", second | {"verdict": "both_good"}, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == "/rate/done/"
    assert Rater.objects.get().first_used_at is not None
    assert Assignment.objects.count() == 2
