"""What comes from elsewhere through the browser: judgments, bundles, the next version of a system."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from backends.models import System
from experiments.models import Experiment
from ratings.models import Judgment
from reports.exports.bundle import to_bundle
from tests.factories import a_collected_experiment, a_rated_experiment, an_endpoint
from tests.ratings.driving import an_open_experiment

pytestmark = pytest.mark.django_db
HEADER = "input,rater,left,right,verdict\n"


@pytest.fixture
def owner(client: Client) -> User:
    made = User.objects.create_user("owner@example.org")
    client.force_login(made)
    return made


def send(client: Client, path: str, content: bytes, name: str) -> str:
    answer = client.post(path, {"file": SimpleUploadedFile(name, content)}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_judgments_come_in_from_a_table(client: Client, owner: User) -> None:
    experiment = a_collected_experiment(owner=owner)
    path = f"/experiments/{experiment.pk}/raters/judgments/"
    rows = "in1,Ada,system-1,system-2,left\nin2,Ada,system-2,system-1,tie\n"
    text = send(client, path, (HEADER + rows).encode(), "votes.csv")
    assert "2 judgments were added." in text
    assert "read as both good" in text
    assert Judgment.objects.count() == 2


def test_a_bad_judgment_is_named_by_its_line_and_none_is_taken(client: Client, owner: User) -> None:
    experiment = a_collected_experiment(owner=owner)
    path = f"/experiments/{experiment.pk}/raters/judgments/"
    rows = "in1,Ada,system-1,system-2,left\nin9,Ada,system-1,system-2,left\n"
    text = send(client, path, (HEADER + rows).encode(), "votes.csv")
    assert "line 3" in text
    assert not Judgment.objects.exists()
    assert "This is a PNG image" in send(client, path, b"\x89PNG\r\n\x1a\n", "votes.csv")


def a_closed(owner: User) -> Experiment:
    made = a_collected_experiment(owner=owner, inputs=3)
    client = Client()
    client.force_login(owner)
    client.post(f"/experiments/{made.pk}/open/")
    client.post(f"/experiments/{made.pk}/close/")
    made.refresh_from_db()
    assert made.status == "closed"
    return made


def test_a_bundle_comes_back_as_a_closed_experiment(client: Client, owner: User) -> None:
    source = a_closed(owner)
    stream = io.BytesIO()
    to_bundle(source, stream)
    text = send(client, "/experiments/bundle/", stream.getvalue(), "bundle.zip")
    assert "its seal holds" in text
    assert "the same experiment is here already" in text.lower()
    assert Experiment.objects.for_owner(owner).count() == 2
    broken = stream.getvalue()[:-40]
    assert "is no bundle" in send(client, "/experiments/bundle/", broken, "bundle.zip")


def test_the_next_version_is_a_draft_on_the_same_inputs(client: Client, owner: User) -> None:
    source, endpoint = a_closed(owner), an_endpoint(name="local")
    path = f"/experiments/{source.pk}/following/"
    assert "Check the next version" in client.get(f"/experiments/{source.pk}/").content.decode()
    fields = {"name": "next", "endpoint": endpoint.name, "model": "m2", "accepted": "system-1", "like": "system-2"}
    text = client.post(path, fields, follow=True).content.decode()
    assert "A draft on the same inputs." in text
    made = Experiment.objects.get(follows=source)
    assert set(System.objects.filter(arm__experiment=made).values_list("name", flat=True)) == {"system-1", "next"}
    refused = client.post(path, fields | {"name": "system-1"}).content.decode()
    assert "give the candidate another name" in refused


def test_only_a_closed_experiment_is_followed_and_only_an_open_one_takes_judgments(client: Client, owner: User) -> None:
    rating = an_open_experiment(inputs=1)
    rating.owners.add(owner)
    closed = a_rated_experiment(owner=owner)
    assert client.get(f"/experiments/{rating.pk}/following/").status_code == 302
    assert client.get(f"/experiments/{closed.pk}/raters/judgments/").status_code == 302


def test_an_owner_without_experiments_looks_around_in_a_sample(client: Client, owner: User) -> None:
    assert "Look around in a sample" in client.get("/").content.decode()
    text = client.post("/experiments/sample/", follow=True).content.decode()
    assert "Two samples" in text
    mine = Experiment.objects.for_owner(owner)
    assert sorted(mine.values_list("status", flat=True)) == ["closed", "rating"]
    client.post("/experiments/sample/")
    assert mine.count() == 2
