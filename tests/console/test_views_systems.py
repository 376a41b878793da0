"""Systems of an experiment: added to be asked or with recorded answers, compared, removed; and the baseline."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from backends import price_list
from backends.models import System
from experiments.models import Experiment, Output
from tests.factories import a_rating_experiment, a_system, an_endpoint, an_experiment
from tests.fakes.model_server import ModelServer, answers

pytestmark = pytest.mark.django_db
ASKED: dict[str, Any] = {"name": "candidate", "model_id": "qwen", "samples": 1, "concurrency": 1}


@pytest.fixture
def experiment(client: Client) -> Experiment:
    owner = User.objects.create_user("owner@example.org")
    client.force_login(owner)
    return an_experiment(inputs=2, owner=owner)


def path(experiment: Experiment, more: str = "") -> str:
    return f"/experiments/{experiment.pk}/systems/{more}"


def test_a_system_to_ask_is_added_with_its_settings(client: Client, experiment: Experiment) -> None:
    endpoint = an_endpoint()
    more = {
        "endpoint": endpoint.pk,
        "system_prompt": "Be kind.",
        "temperature": 0,
        "max_tokens": 256,
        "more": '{"top_p": 0.9}',
        "input_per_million": 3,
        "facts": "licence: mit\nsize: 7B",
        "baseline": "on",
    }
    assert "is added" in client.post(path(experiment, "new/"), ASKED | more, follow=True).content.decode()
    made = System.objects.get()
    assert made.endpoint == endpoint
    assert made.parameters == {"temperature": 0, "max_tokens": 256, "top_p": 0.9}
    assert made.cost == {"input_per_million": 3.0}
    assert made.facts == {"licence": "mit", "size": "7B"}
    experiment.refresh_from_db()
    assert (experiment.baseline_id, experiment.pairs) == (made.arm_id, "baseline")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"endpoint": ""}, "Choose where it is asked."),
        ({"model_id": ""}, "Name the model."),
        ({"more": "{top_p: 1}"}, "not valid JSON"),
        ({"more": "[1]"}, "Write an object"),
        ({"more": '{"x": NaN}'}, "not valid JSON"),
        ({"concurrency": 99}, "more than the 8 calls"),
        ({"temperature": 5}, "less than or equal to 2"),
        ({"name": "taken"}, "called &#x27;taken&#x27;"),
    ],
)
def test_settings_that_do_not_fit_are_said(
    client: Client, experiment: Experiment, fields: dict[str, Any], said: str
) -> None:
    a_system(experiment, "taken")
    sent = ASKED | {"endpoint": an_endpoint().pk} | fields
    assert said in client.post(path(experiment, "new/"), sent).content.decode()
    assert System.objects.count() == 1


def test_the_list_price_is_filled_in_on_request_and_nothing_is_added_yet(
    client: Client, experiment: Experiment
) -> None:
    endpoint = an_endpoint(dialect="anthropic", preset="anthropic", base_url="")
    typed = ASKED | {"endpoint": endpoint.pk, "model_id": "claude-sonnet-4-5", "system_prompt": "Be kind."}
    page = client.post(path(experiment, "new/"), typed | {"look_up": "prices"}).content.decode()
    assert "Claude Sonnet 4.5: 3 in and 15 out" in page
    assert 'name="output_per_million" value="15"' in page
    assert 'value="genai-prices ' in page
    assert "Be kind." in page
    assert not System.objects.exists()
    prices = {"input_per_million": "3.0", "output_per_million": "15.0", "price_source": "genai-prices 0.2.3"}
    client.post(path(experiment, "new/"), typed | prices | {"price_date": "2026-11-26"})
    made = System.objects.get()
    assert made.cost == {
        "input_per_million": 3.0,
        "output_per_million": 15.0,
        "price_date": "2026-11-26",
        "price_source": "genai-prices 0.2.3",
    }


@pytest.mark.parametrize(("model", "said"), [("nobody-made-it", "does not know “nobody-made-it”"), ("", "first.")])
def test_where_no_price_is_listed_the_page_says_so(
    client: Client, experiment: Experiment, model: str, said: str
) -> None:
    typed = ASKED | {"endpoint": an_endpoint(preset="openai", base_url="").pk, "model_id": model, "look_up": "prices"}
    assert said in client.post(path(experiment, "new/"), typed).content.decode()


def test_without_the_price_list_the_page_says_how_to_get_it(
    client: Client, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(price_list, "genai_prices", None)
    typed = ASKED | {"endpoint": an_endpoint(preset="openai", base_url="").pk, "look_up": "prices"}
    assert "uv sync --extra prices" in client.post(path(experiment, "new/"), typed).content.decode()


def test_every_kind_of_cost_can_be_stated_and_nonsense_is_explained(client: Client, experiment: Experiment) -> None:
    sent = ASKED | {"endpoint": an_endpoint().pk, "purchase_price": 9000, "years": 4, "kwh_price": "0.25"}
    for wrong, said in (
        ({"residual_value": 9500}, "worth no more than its price"),
        ({"years": 0}, "greater than or equal to 0.001"),
        ({"utilisation": 2}, "less than or equal to 1"),
    ):
        assert said in client.post(path(experiment, "new/"), sent | wrong).content.decode()
    assert not System.objects.exists()
    client.post(path(experiment, "new/"), sent)
    assert System.objects.get().cost == {"purchase_price": 9000.0, "years": 4.0, "kwh_price": 0.25}


def test_an_endpoint_that_is_not_offered_cannot_be_chosen(client: Client, experiment: Experiment) -> None:
    assert "valid choice" in client.post(path(experiment, "new/"), ASKED | {"endpoint": 977}).content.decode()


def test_how_a_server_is_loaded_is_said_where_there_is_one(client: Client, experiment: Experiment) -> None:
    a_system(experiment, "recorded")
    assert "./blindpair load" not in client.get(path(experiment)).content.decode()
    a_system(experiment, "our own", endpoint=an_endpoint())
    page = client.get(path(experiment)).content.decode()
    assert f'./blindpair load {experiment.slug} "our own" --concurrency 1,2,4,8' in page


def test_recorded_answers_are_added_from_pasted_text(client: Client, experiment: Experiment) -> None:
    text = "id,output,latency_ms\nin1,Yes.,120\nin2,No.,80\n"
    client.post(path(experiment, "recorded/"), {"name": "ours", "text": text})
    assert set(Output.objects.values_list("text", flat=True)) == {"Yes.", "No."}
    assert set(System.objects.get().completions.values_list("latency_ms", flat=True)) == {120.0, 80.0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,output\nin1,Yes.\nnowhere,No.\n", "line 3: an answer for &#x27;nowhere&#x27;"),
        ("id,output\nin1,Yes.\nin1,No.\n", "same id"),
        ("id,reply\nin1,Yes.\n", "output"),
    ],
)
def test_recorded_answers_are_all_good_or_none_is_taken(
    client: Client, experiment: Experiment, text: str, said: str
) -> None:
    answer = client.post(path(experiment, "recorded/"), {"name": "ours", "text": text}).content.decode()
    assert said.lower() in answer.lower()
    assert not System.objects.exists()


def test_what_differs_between_the_systems_is_warned_of(client: Client, experiment: Experiment) -> None:
    a_system(experiment, "one", endpoint=an_endpoint(), parameters={"temperature": 0})
    a_system(experiment, "other", endpoint=an_endpoint(), parameters={"temperature": 1})
    text = client.get(path(experiment)).content.decode()
    assert "<b>temperature</b> is not the same." in text


def test_prices_are_shown_in_the_words_of_the_form(client: Client, experiment: Experiment) -> None:
    a_system(experiment, "one", cost={"gpu_hourly": 2.0, "price_source": "a list"})
    text = client.get(path(experiment)).content.decode()
    assert "One GPU, USD an hour: 2<" in text
    assert "Where they are from: a list" in text
    assert "gpu_hourly" not in text


def test_the_baseline_is_set_and_taken_back(client: Client, experiment: Experiment) -> None:
    arm = a_system(experiment, "one").arm
    client.post(path(experiment, "baseline/"), {"name": "one"})
    experiment.refresh_from_db()
    assert (experiment.baseline, experiment.pairs) == (arm, "baseline")
    client.post(path(experiment, "baseline/"), {"name": ""})
    experiment.refresh_from_db()
    assert (experiment.baseline, experiment.pairs) == (None, "all")
    text = client.post(path(experiment, "baseline/"), {"name": "nobody"}, follow=True).content.decode()
    assert "has no system" in text


def test_a_system_is_removed_with_its_arm(client: Client, experiment: Experiment) -> None:
    a_system(experiment, "one")
    client.post(path(experiment, "baseline/"), {"name": "one"})
    client.post(path(experiment, "removing/"), {"name": "one"})
    experiment.refresh_from_db()
    assert not System.objects.exists()
    assert not experiment.arms.exists()
    assert experiment.pairs == "all"


def test_after_the_seal_systems_stay_as_they_are(client: Client, experiment: Experiment) -> None:
    sealed = a_rating_experiment(owner=User.objects.get())
    assert client.get(path(sealed, "new/")).status_code == 302
    for more, data in (("removing/", {"name": "system-1"}), ("baseline/", {"name": "system-2"})):
        assert "can no longer be changed" in client.post(path(sealed, more), data, follow=True).content.decode()
    assert System.objects.count() == 2


def test_the_models_of_a_server_are_offered(client: Client, experiment: Experiment) -> None:
    with ModelServer(answers("hi")) as server:
        endpoint = an_endpoint(base_url=server.base_url)
        text = client.get(path(experiment, f"models/?endpoint={endpoint.pk}")).content.decode()
    assert 'id="models"' in text
    assert client.get(path(experiment, "models/?endpoint=²")).status_code == 200
    assert client.get(path(experiment, "models/?endpoint=" + "9" * 40)).status_code == 200
    gone = client.get(path(experiment, f"models/?endpoint={an_endpoint().pk}")).content.decode()
    assert "does not list its models now" in gone
