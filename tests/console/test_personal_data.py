"""Personal data in inputs: the owner decides before anything leaves, a mask reaches everywhere, the report counts."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from backends.models import Completion
from console.actions import open_for_rating
from experiments.models import Experiment, Input, Output, Spare
from experiments.personal_data import in_words
from reports import report
from reports.formats.markdown import to_markdown
from tests.console.test_views_adding_inputs import send, take
from tests.factories import a_rated_experiment, a_system, an_endpoint, an_experiment

pytestmark = pytest.mark.django_db
LINES = [
    {
        "id": "a",
        "input": "I am ada@example.org.",
        "reference": "ada@example.org",
        "outputs": {"ours": "ADA@example.org?"},
    },
    {"id": "b", "input": "Call +49 30 901820 or ada@example.org.", "outputs": {"ours": "OK."}},
    {"id": "c", "input": "Nothing to see.", "outputs": {"ours": "Nothing."}},
]
LOG = "".join(json.dumps(line) + "\n" for line in LINES)
ADA, PHONE = "ada@example.org", "901820"


@pytest.fixture
def owner(client: Client) -> User:
    made = User.objects.create_user("owner@example.org")
    client.force_login(made)
    return made


def stored() -> str:
    """Every text that is kept about the inputs and the answers to them."""
    rows = [
        *Input.objects.values_list("messages", "reference"),
        *Spare.objects.values_list("messages", "reference", "outputs"),
        *Output.objects.values_list("text", "html"),
        *Completion.objects.values_list("raw_text"),
        *Experiment.objects.values_list("masks"),
    ]
    return str(rows).lower()


def test_a_mask_chosen_at_the_preview_reaches_inputs_references_answers_and_spares(client: Client, owner: User) -> None:
    experiment = an_experiment(inputs=0, owner=owner)
    take(client, experiment, send(client, experiment, LOG), personal="mask", with_systems="on", sample=2)
    assert ADA not in stored()
    assert PHONE not in stored()
    rows = [
        *Input.objects.values_list("external_id", "messages"),
        *Spare.objects.values_list("external_id", "messages"),
    ]
    texts = dict(rows)
    assert texts["a"][0]["content"] == "I am [EMAIL_1]."
    assert texts["b"][0]["content"] == "Call [PHONE_1] or [EMAIL_1]."
    assert "Masked: " in client.get(f"/experiments/{experiment.pk}/inputs/").content.decode()


def test_later_files_are_masked_alike_without_being_asked_again(client: Client, owner: User) -> None:
    experiment = an_experiment(inputs=0, owner=owner)
    take(client, experiment, send(client, experiment, LOG), personal="mask")
    more = send(client, experiment, '{"id": "d", "input": "bo@example.org wrote to ada@example.org"}\n')
    assert "They are masked, as you decided." in client.get(more).content.decode()
    take(client, experiment, more)
    assert Input.objects.get(external_id="d").messages[0]["content"] == "[EMAIL_2] wrote to [EMAIL_1]"


def test_answers_recorded_elsewhere_are_masked_like_their_inputs(client: Client, owner: User) -> None:
    experiment = an_experiment(inputs=0, owner=owner)
    take(client, experiment, send(client, experiment, LOG), personal="mask")
    text = json.dumps({"id": "b", "output": "Dear ada@example.org, we call."})
    client.post(f"/experiments/{experiment.pk}/systems/recorded/", {"name": "api", "text": text})
    assert Output.objects.get().text == "Dear [EMAIL_1], we call."
    assert ADA not in stored()


def test_collecting_from_the_page_waits_for_the_decision_and_the_page_asks_for_it(client: Client, owner: User) -> None:
    experiment = undecided(owner)
    a_system(experiment, "candidate", endpoint=an_endpoint())
    steering = f"/experiments/{experiment.pk}/collecting/steering/"
    refused = client.post(steering, {"do": "start"}, follow=True).content.decode()
    assert "The inputs hold 3 e-mail addresses and 1 telephone number." in refused
    assert not Completion.objects.exclude(system__name="ours").exists()
    text = client.get(f"/experiments/{experiment.pk}/inputs/").content.decode()
    assert "<mark>ada@example.org</mark>" in text
    client.post(f"/experiments/{experiment.pk}/inputs/personal/", {"personal": "keep"})
    client.post(steering, {"do": "start"})
    assert Completion.objects.filter(system__name="candidate").count() == 3


def undecided(owner: User) -> Experiment:
    """As a TOML file without a word about it leaves one."""
    experiment = an_experiment(inputs=0, owner=owner)
    client = Client()
    client.force_login(owner)
    take(client, experiment, send(client, experiment, LOG), personal="keep", with_systems="on")
    Experiment.objects.update(personal_data="")
    experiment.refresh_from_db()
    return experiment


def test_a_draft_can_be_masked_afterwards_with_its_recorded_answers(client: Client, owner: User) -> None:
    experiment = undecided(owner)
    assert ADA in stored()
    client.post(f"/experiments/{experiment.pk}/inputs/personal/", {"personal": "mask"})
    assert ADA not in stored()
    assert Output.objects.get(input__external_id="a").text == "[EMAIL_1]?"
    again = client.post(f"/experiments/{experiment.pk}/inputs/personal/", {"personal": "keep"}, follow=True)
    assert "decided already" in again.content.decode()


def test_once_collecting_began_nothing_is_masked_any_more(client: Client, owner: User) -> None:
    experiment = undecided(owner)
    Experiment.objects.update(status="collecting")
    answer = client.post(f"/experiments/{experiment.pk}/inputs/personal/", {"personal": "mask"}, follow=True)
    assert "may have left already" in answer.content.decode()
    assert ADA in stored()


TOML = '{decided}title = "T"\ninputs = "inputs.jsonl"\n[systems.ours]\n[systems.api]\noutputs = "api.jsonl"\n'


def added(folder: Path, decided: str) -> tuple[Experiment, str]:
    (folder / "inputs.jsonl").write_text(LOG)
    (folder / "api.jsonl").write_text('{"id": "a", "output": "ada@example.org, hello"}\n')
    (folder / "e.toml").write_text(TOML.format(decided=decided))
    told = StringIO()
    call_command("add_experiment", str(folder / "e.toml"), json=True, stdout=StringIO(), stderr=told)
    return Experiment.objects.get(), told.getvalue()


def test_a_file_that_says_nothing_is_warned_of_and_taken(tmp_path: Path) -> None:
    experiment, told = added(tmp_path, "")
    assert "warning: the inputs hold 3 e-mail addresses and 1 telephone number" in told
    assert 'personal_data = "mask"' in told
    again = StringIO()
    call_command("collect", experiment.slug, wait=True, stdout=StringIO(), stderr=again)
    assert "warning: the inputs hold" in again.getvalue()


def test_a_file_that_says_mask_is_masked_before_anything_is_written(tmp_path: Path) -> None:
    experiment, told = added(tmp_path, 'personal_data = "mask"\n')
    assert "e-mail" not in told
    assert ADA not in stored()
    assert experiment.personal_data == "mask"
    assert Output.objects.get(input__external_id="a", text__startswith="[EMAIL_1], ").text == "[EMAIL_1], hello"


def test_at_the_seal_the_counts_stay_and_the_keys_of_masks_go(tmp_path: Path) -> None:
    experiment, _ = added(tmp_path, 'personal_data = "mask"\n')
    open_for_rating(experiment=experiment, by=None, flagged="release")
    experiment.refresh_from_db()
    assert experiment.masks == {}
    assert experiment.personal_found == {"email": 3, "phone": 1}


def test_the_report_counts_what_was_found() -> None:
    experiment = a_rated_experiment(personal_data="mask", personal_found={"email": 3, "phone": 1})
    made = report.build(experiment)
    assert made["personal_data"]["found"] == {"email": 3, "phone": 1}
    assert "masked before anything was sent: 3 e-mail addresses and 1 telephone number." in to_markdown(made)


def test_counts_in_words() -> None:
    assert in_words({}) == ""
    assert in_words({"email": 1, "card": 2, "secret": 1}) == "1 e-mail address, 2 card numbers and 1 key or token"
