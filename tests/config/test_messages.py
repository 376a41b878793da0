"""What waits to be said to an owner is said on a page of the owner's, also where the same browser rates meanwhile."""

import pytest
from django.test import Client

from tests.factories import a_user
from tests.ratings.driving import a_seated_client, an_open_experiment, fields_of

pytestmark = pytest.mark.django_db


def test_a_message_waits_while_the_same_browser_rates() -> None:
    owner = a_user()
    mine, other = an_open_experiment(owner=owner), an_open_experiment(inputs=3)
    client: Client = a_seated_client(other)
    client.force_login(owner)
    assert client.post(f"/experiments/{mine.pk}/close/", {"sure": "on"}).status_code == 302
    shown = client.get("/rate/").content.decode()
    answer = client.post("/rate/", fields_of(shown) | {"verdict": "left"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "Rating is closed." not in shown + answer.content.decode()
    page = f"/experiments/{mine.pk}/"
    assert "Rating is closed." in client.get(page, follow=True).content.decode()
    assert "Rating is closed." not in client.get(page, follow=True).content.decode()
