"""The page on which a system is changed: what it shows, what it says, and what it leaves alone."""

from html import unescape
from typing import Any

import pytest
from django.test import Client

from accounts.models import Event, User
from backends.models import System
from experiments.models import Experiment
from tests.factories import a_rating_experiment, a_system, an_endpoint, an_experiment, answers

pytestmark = pytest.mark.django_db
PROMPT = "Be kind.\n\nBe brief.\n"


@pytest.fixture
def experiment(client: Client) -> Experiment:
    owner = User.objects.create_user("owner@example.org")
    client.force_login(owner)
    made = an_experiment(inputs=2, owner=owner)
    a_system(
        made,
        "our own",
        endpoint=an_endpoint(),
        model_id="qwen",
        system_prompt=PROMPT,
        parameters={"temperature": 0, "top_p": 0.9, "avoid_cache": False},
        cost={"gpu_hourly": 2.1},
        facts={"layers": 3},
    )
    return made


def path(experiment: Experiment, name: str = "our own") -> str:
    return f"/experiments/{experiment.pk}/systems/edit/?name={name}"


def shown(client: Client, where: str) -> dict[str, Any]:
    """What the form would send if nobody touched it, its lines ended as a browser does."""
    page = client.get(where)
    form = page.context["form"]
    sent = {
        name: str(form[name].value()).replace("\n", "\r\n") for name in form.fields if form[name].value() is not None
    }
    return {name: value for name, value in sent.items() if value != "False"} | {
        "version": page.context["edited"].version
    }


def said(client: Client, where: str, sent: dict[str, Any]) -> str:
    return unescape(client.post(where, sent, follow=True).content.decode())


def test_saved_untouched_a_system_is_as_it_was(client: Client, experiment: Experiment) -> None:
    before = System.objects.values().get()
    answers(System.objects.get())
    assert "“our own” is as it was." in said(client, path(experiment), shown(client, path(experiment)))
    assert System.objects.values().get() == before
    assert not Event.objects.filter(verb="changed a system").exists()


def test_changed_settings_are_stored_and_logged_without_names(client: Client, experiment: Experiment) -> None:
    sent = shown(client, path(experiment)) | {"name": "mine", "temperature": "0.5", "gpu_hourly": "3", "more": ""}
    assert "“mine” is changed." in said(client, path(experiment), sent)
    row = System.objects.get()
    assert (row.name, row.parameters, row.cost) == ("mine", {"temperature": 0.5}, {"gpu_hourly": 3.0})
    assert (row.system_prompt, row.facts) == (PROMPT, {"layers": 3})
    event = Event.objects.get(verb="changed a system")
    assert event.detail == {"settings": "name, parameters, cost"}


def test_a_prompt_typed_in_the_browser_is_that_of_a_file(client: Client, experiment: Experiment) -> None:
    said(client, path(experiment), shown(client, path(experiment)) | {"system_prompt": "One.\r\nTwo."})
    assert System.objects.get().system_prompt == "One.\nTwo."


def test_with_answers_here_the_page_says_what_stays_and_refuses_the_rest(
    client: Client, experiment: Experiment
) -> None:
    answers(System.objects.get())
    sent = shown(client, path(experiment))
    assert "2 answers are here, fetched with these settings." in client.get(path(experiment)).content.decode()
    assert "its model cannot be changed" in said(client, path(experiment), sent | {"model_id": "llama"})
    assert System.objects.get().model_id == "qwen"


def test_who_was_overtaken_keeps_what_was_typed_and_sees_what_is_stored(client: Client, experiment: Experiment) -> None:
    sent = shown(client, path(experiment)) | {"model_id": "yours"}
    System.objects.update(model_id="theirs")
    page = said(client, path(experiment), sent)
    assert "Somebody else changed “our own” while you did." in page
    assert "Model: theirs" in page
    assert 'value="yours"' in page
    assert System.objects.get().model_id == "theirs"
    again = {**sent, "version": page.split('name="version" value="')[1].split('"')[0]}
    assert "is changed" in said(client, path(experiment), again)
    assert System.objects.get().model_id == "yours"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"model_id": ""}, "Name the model."),
        ({"more": "{"}, "not valid JSON"),
        ({"samples": "0"}, "greater than or equal to 1"),
        ({"concurrency": "9"}, "more than the 8 calls"),
        ({"endpoint": "977"}, "valid choice"),
        ({"name": ""}, "This field is required."),
    ],
)
def test_what_does_not_fit_is_said_at_the_form(
    client: Client, experiment: Experiment, wrong: dict[str, str], why: str
) -> None:
    before = System.objects.values().get()
    assert why in said(client, path(experiment), shown(client, path(experiment)) | wrong)
    assert System.objects.values().get() == before


def test_a_recorded_system_shows_what_is_said_of_it_and_keeps_its_answers(
    client: Client, experiment: Experiment
) -> None:
    answers(a_system(experiment, "theirs"))
    page = client.get(path(experiment, "theirs"))
    assert {"endpoint", "samples", "concurrency", "file"} & set(page.context["form"].fields) == set()
    sent = shown(client, path(experiment, "theirs")) | {"input_per_million": "3"}
    assert "“theirs” is changed." in said(client, path(experiment, "theirs"), sent)
    row = System.objects.get(name="theirs")
    assert (row.cost, row.completions.count()) == ({"input_per_million": 3.0}, 2)


def test_the_list_price_is_looked_up_and_nothing_else_is_lost(client: Client, experiment: Experiment) -> None:
    sent = shown(client, path(experiment)) | {"look_up": "prices", "model_id": "nobody-made-it"}
    assert "does not know “nobody-made-it”" in said(client, path(experiment), sent)
    assert System.objects.get().model_id == "qwen"


def test_a_system_that_is_gone_or_sealed_leads_back_with_a_sentence(client: Client, experiment: Experiment) -> None:
    assert "There is no system “nobody” any more" in said(client, path(experiment, "nobody"), {"name": "x"})
    sealed = a_rating_experiment(owner=User.objects.get())
    assert "The systems are sealed." in said(client, path(sealed, "system-1"), {"name": "x"})
    assert System.objects.filter(name="system-1").exists()


def test_each_system_has_its_way_to_the_page_until_the_seal(client: Client, experiment: Experiment) -> None:
    where = f"/experiments/{experiment.pk}/systems/"
    assert "/systems/edit/?name=our%20own" in client.get(where).content.decode()
    sealed = a_rating_experiment(owner=User.objects.get())
    assert "/systems/edit/" not in client.get(f"/experiments/{sealed.pk}/systems/").content.decode()
