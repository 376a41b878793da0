"""A rater's whole way over HTTP: the link, every pair, the end; with and without HTMX."""

import pytest

from ratings.models import Assignment, Judgment, Rater
from tests.ratings.driving import a_seated_client, an_open_experiment, fields_of, rate_all

pytestmark = pytest.mark.django_db


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
