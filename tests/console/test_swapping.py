"""A sample can be swapped row by row until the seal: what was answered to the old input goes, the new one is asked."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from backends.models import Completion
from console.actions import open_for_rating
from console.sample_picture import picture
from experiments.models import Experiment, Input, Output, Spare
from tests.console.test_views_adding_inputs import send, take
from tests.factories import a_system, an_endpoint, an_experiment

pytestmark = pytest.mark.django_db
WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu"]
LINES: list[dict[str, Any]] = [
    {
        "id": f"t-{number}",
        "input": f"{word} {number} of its own kind?" + (" And more." * 60 if number % 3 == 0 else ""),
        "tags": ["odd" if number % 2 else "even"],
        "outputs": {"ours": f"Answer {number}."},
    }
    for number, word in enumerate(WORDS, start=1)
]
LOG = "".join(json.dumps(line) + "\n" for line in LINES)


@pytest.fixture
def experiment(client: Client) -> Experiment:
    """Four of twelve rows, with the recorded answers of one system and another that is to be asked."""
    owner = User.objects.create_user("owner@example.org")
    client.force_login(owner)
    made = an_experiment(inputs=0, owner=owner)
    take(client, made, send(client, made, LOG), sample=4, with_systems="on")
    a_system(made, "candidate", endpoint=an_endpoint())
    made.refresh_from_db()
    return made


def swap(client: Client, experiment: Experiment, position: int, **fields: object) -> str:
    path = f"/experiments/{experiment.pk}/inputs/{position}/swap/"
    return client.post(path, fields, follow=True).content.decode()


def ids(experiment: Experiment) -> list[str]:
    return list(Input.objects.filter(experiment=experiment).order_by("position").values_list("external_id", flat=True))


def test_the_rest_of_the_log_is_kept_and_shown_beside_the_sample(client: Client, experiment: Experiment) -> None:
    assert Spare.objects.count() == 8
    shown = picture(experiment)
    assert shown is not None
    assert (shown.log, shown.sample) == (12, 4)
    tags = {share.name: (share.log_percent, share.sample_percent) for share in shown.groups[0].shares}
    assert tags == {"odd": (50.0, 50.0), "even": (50.0, 50.0)}
    text = client.get(f"/experiments/{experiment.pk}/inputs/").content.decode()
    assert "4 of 12 rows were drawn" in text
    assert '<rect class="sample"' in text


def test_a_drawn_row_is_alike_and_brings_its_recorded_answer(client: Client, experiment: Experiment) -> None:
    old = Input.objects.get(position=2)
    assert "is in its place now" in swap(client, experiment, 2)
    new = Input.objects.get(position=2)
    assert new.external_id != old.external_id
    assert new.tags == old.tags
    number = new.external_id.removeprefix("t-")
    assert Output.objects.get(input=new).text == f"Answer {number}."
    assert not Input.objects.filter(external_id=old.external_id).exists()
    back = Spare.objects.get(external_id=old.external_id)
    assert back.outputs["ours"]["text"] == f"Answer {old.external_id.removeprefix('t-')}."


def test_a_row_can_be_chosen_and_the_old_one_taken_back(client: Client, experiment: Experiment) -> None:
    before = ids(experiment)
    wanted = Spare.objects.latest("pk")
    swap(client, experiment, 3, spare=wanted.pk)
    assert ids(experiment) == [*before[:2], wanted.external_id, before[3]]
    swap(client, experiment, 3, spare=Spare.objects.get(external_id=before[2]).pk)
    assert ids(experiment) == before
    assert Completion.objects.filter(system__name="ours").count() == 4


def test_while_collecting_the_new_input_is_asked_and_the_old_answers_are_gone(
    client: Client, experiment: Experiment
) -> None:
    client.post(f"/experiments/{experiment.pk}/collecting/steering/", {"do": "start"})
    swap(client, experiment, 1)
    asked = Completion.objects.filter(system__name="candidate")
    assert set(asked.values_list("input__external_id", flat=True)) == set(ids(experiment))
    assert set(asked.values_list("state", flat=True)) == {"pending"}


def test_after_the_seal_nothing_is_swapped_and_the_rest_of_the_log_is_gone(
    client: Client, experiment: Experiment
) -> None:
    before = ids(experiment)
    client.post(f"/experiments/{experiment.pk}/systems/removing/", {"name": "candidate"})
    text = "".join(json.dumps({"id": one, "output": f"API {one}"}) + "\n" for one in before)
    client.post(f"/experiments/{experiment.pk}/systems/recorded/", {"name": "api", "text": text})
    open_for_rating(experiment=experiment, by=None)
    assert not Spare.objects.exists()
    swap(client, experiment, 1)
    assert ids(experiment) == before


def test_recorded_answers_may_be_to_the_whole_log(client: Client, experiment: Experiment) -> None:
    lines = "".join(json.dumps({"id": line["id"], "output": f"API {line['id']}"}) + "\n" for line in LINES)
    answer = client.post(f"/experiments/{experiment.pk}/systems/recorded/", {"name": "api", "text": lines}, follow=True)
    assert "“api” is added." in answer.content.decode()
    swap(client, experiment, 1)
    new = Input.objects.get(position=1)
    assert set(Output.objects.filter(input=new).values_list("text", flat=True)) == {
        f"API {new.external_id}",
        f"Answer {new.external_id.removeprefix('t-')}.",
    }


def test_where_nothing_is_left_of_the_log_no_draw_is_offered(client: Client, experiment: Experiment) -> None:
    path = f"/experiments/{experiment.pk}/inputs/1/swap/"
    assert "Draw another row" in client.get(path).content.decode()
    Spare.objects.all().delete()
    page = client.get(path).content.decode()
    assert "Draw another row" not in page
    assert "every row of it is among the inputs" in page


def test_a_row_of_another_experiment_cannot_be_taken(client: Client, experiment: Experiment) -> None:
    other = an_experiment(inputs=1)
    foreign = Spare.objects.create(
        experiment=other, external_id="x", messages=[{"role": "user", "content": "?"}], length=1
    )
    before = ids(experiment)
    assert "This row is gone." in swap(client, experiment, 1, spare=foreign.pk)
    assert ids(experiment) == before


def test_the_log_is_found_by_id_and_no_input_without_one_is_offered(client: Client, experiment: Experiment) -> None:
    page = f"/experiments/{experiment.pk}/inputs/1/swap/"
    spare = Spare.objects.latest("pk")
    text = client.get(page, {"q": spare.external_id}).content.decode()
    assert f"Take {spare.external_id}" in text
    assert client.get(f"/experiments/{experiment.pk}/inputs/9/swap/").status_code == 302
