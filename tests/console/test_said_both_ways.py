"""What a file can say can be done in the browser, and the other way round."""

import io
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from backends.models import Endpoint, System
from experiments.models import Experiment, Input, Output
from tests.factories import a_collected_experiment, a_system, an_endpoint, an_experiment

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client: Client) -> User:
    made = User.objects.create_user("owner@example.org", is_staff=True)
    client.force_login(made)
    return made


def test_a_file_can_say_which_column_is_what_and_the_separator(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("nr;frage;a\n1;Wo, bitte?;Hier.\n")
    (tmp_path / "b.csv").write_text("id,output\n1,Dort.\n")
    (tmp_path / "e.toml").write_text(
        'title = "T"\ninputs = "log.csv"\ndelimiter = ";"\ncolumns = { input = "frage", id = "nr" }\n'
        '[systems.a]\n[systems.b]\noutputs = "b.csv"\n'
    )
    call_command("add_experiment", str(tmp_path / "e.toml"), stdout=io.StringIO(), stderr=io.StringIO())
    row = Input.objects.get()
    assert (row.external_id, row.messages[0]["content"]) == ("1", "Wo, bitte?")
    assert set(Output.objects.values_list("text", flat=True)) == {"Hier.", "Dort."}


def test_headers_of_an_endpoint_are_typed_and_changed(client: Client, owner: User) -> None:
    fields = {"name": "local", "preset": "generic", "base_url": "https://models.example.org/v1", "max_concurrency": 4}
    wrong = client.post("/endpoints/new/", fields | {"headers": "no colon"}).content.decode()
    assert "“no colon” is no header" in wrong
    client.post("/endpoints/new/", fields | {"headers": "X-Team: support\nX-Kind: test"})
    endpoint = Endpoint.objects.get()
    assert endpoint.headers == {"X-Team": "support", "X-Kind": "test"}
    assert "X-Team: support" in client.get(f"/endpoints/{endpoint.pk}/").content.decode()
    client.post(f"/endpoints/{endpoint.pk}/", fields | {"headers": ""})
    assert Endpoint.objects.get().headers == {}


def test_everybody_may_meet_everybody_beside_a_baseline(client: Client, owner: User) -> None:
    experiment = a_collected_experiment(owner=owner, arms=3)
    path = f"/experiments/{experiment.pk}/systems/baseline/"
    client.post(path, {"name": "system-2", "pairs": "all"})
    experiment.refresh_from_db()
    assert experiment.baseline is not None
    assert experiment.pairs == "all"
    client.post(path, {"name": "system-2", "pairs": "baseline"})
    assert Experiment.objects.get().pairs == "baseline"


def test_a_system_begins_with_the_settings_of_another(client: Client, owner: User) -> None:
    experiment = an_experiment(owner=owner)
    a_system(
        experiment,
        "first",
        endpoint=an_endpoint(name="local"),
        model_id="m-1",
        system_prompt="Be brief.",
        parameters={"temperature": 0.3, "top_p": 0.9},
        facts={"licence": "mit"},
    )
    text = client.get(f"/experiments/{experiment.pk}/systems/new/?like=first").content.decode()
    for words in ("m-1", "Be brief.", 'value="0.3"', "top_p", "licence: mit"):
        assert words in text
    assert "add one like it" in client.get(f"/experiments/{experiment.pk}/systems/").content.decode()
    assert client.get(f"/experiments/{experiment.pk}/systems/new/?like=nobody").status_code == 200


def test_of_a_file_with_answers_of_several_systems_those_of_the_name_are_taken(client: Client, owner: User) -> None:
    experiment = an_experiment(inputs=1, owner=owner)
    text = "id,output,model\nin1,Ours.,ours\nin1,Theirs.,theirs\n"
    path = f"/experiments/{experiment.pk}/systems/recorded/"
    assert "Found: ours, theirs" in client.post(path, {"name": "mine", "text": text}).content.decode()
    client.post(path, {"name": "theirs", "text": text})
    assert Output.objects.get().text == "Theirs."
    assert System.objects.get().name == "theirs"
