"""Endpoints, kept by staff: keys go in and never come out, and a test says in words what is wrong."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Event, User
from backends import trying
from backends.discovery import LocalServer
from backends.endpoints import secret_of
from backends.models import Endpoint
from tests.factories import a_system, an_endpoint, an_experiment

pytestmark = pytest.mark.django_db
KEY = "sk-planted-canary-0123456789abcdef"
NEW = {"name": "ours", "preset": "vllm", "base_url": "http://127.0.0.1:8000/v1", "max_concurrency": 4}


@pytest.fixture(autouse=True)
def staff(client: Client, settings: Any) -> User:
    settings.ENDPOINT_HOSTS = ["127.0.0.0/8"]  # on the scaled footing no private address is called unless listed
    user = User.objects.create_user("staff@example.org", is_staff=True)
    client.force_login(user)
    return user


def page(client: Client, path: str = "/endpoints/") -> str:
    return client.get(path).content.decode()


def test_an_empty_list_says_what_to_do(client: Client) -> None:
    assert "Nothing yet. Add one" in page(client)


def test_an_endpoint_is_added_and_its_key_is_never_shown_but_for_its_end(client: Client) -> None:
    answer = client.post("/endpoints/new/", NEW | {"secret": KEY}, follow=True)
    assert answer.status_code == 200
    [made] = Endpoint.objects.all()
    assert (made.dialect, made.preset, made.max_concurrency) == ("openai", "vllm", 4)
    assert secret_of(made) == KEY
    assert KEY not in made.secret
    for path in ("/endpoints/", f"/endpoints/{made.pk}/"):
        assert KEY not in page(client, path)
        assert KEY[-4:] in page(client, path)
        assert KEY[-5:] not in page(client, path)
    assert Event.objects.get(verb="added").object == "endpoint ours"


def test_a_short_key_is_not_shown_at_all(client: Client) -> None:
    client.post("/endpoints/new/", NEW | {"secret": "abcd1234"})
    text = page(client)
    assert ", stored" in text or "stored" in text
    assert "ends in" not in text
    assert "abcd1234" not in text


def test_a_mistake_keeps_the_form_but_not_the_key(client: Client) -> None:
    text = client.post("/endpoints/new/", NEW | {"secret": KEY, "base_url": "ftp://x"}).content.decode()
    assert "ftp://x" in text
    assert KEY not in text
    assert 'role="alert"' in text
    assert not Endpoint.objects.exists()


def test_a_key_is_kept_in_one_place(client: Client) -> None:
    text = client.post("/endpoints/new/", NEW | {"secret": KEY, "secret_env": "THE_KEY"}).content.decode()
    assert "not both" in text


def test_a_secret_of_the_installation_is_named_by_no_endpoint(client: Client) -> None:
    text = client.post("/endpoints/new/", NEW | {"secret_env": "SECRET_KEY"}).content.decode()
    assert "SECRET_KEY opens this installation itself" in text
    assert not Endpoint.objects.exists()


def test_saving_without_a_key_keeps_the_stored_one(client: Client) -> None:
    client.post("/endpoints/new/", NEW | {"secret": KEY})
    made = Endpoint.objects.get()
    client.post(f"/endpoints/{made.pk}/", NEW | {"name": "renamed"})
    made.refresh_from_db()
    assert made.name == "renamed"
    assert secret_of(made) == KEY


def test_another_host_demands_the_key_again(client: Client) -> None:
    client.post("/endpoints/new/", NEW | {"secret": KEY})
    made = Endpoint.objects.get()
    elsewhere = NEW | {"base_url": "http://127.0.0.2:8000/v1"}
    assert "enter its key again" in client.post(f"/endpoints/{made.pk}/", elsewhere).content.decode()
    made.refresh_from_db()
    assert made.base_url == NEW["base_url"]


def test_deadlines_are_set_and_shown_and_checked(client: Client) -> None:
    client.post("/endpoints/new/", NEW | {"total": "60", "first_token": "15.5"})
    made = Endpoint.objects.get()
    assert (made.total_seconds, made.first_token_seconds, made.connect_seconds) == (60, 15.5, 10)
    assert 'value="15.5"' in page(client, f"/endpoints/{made.pk}/")
    text = client.post(f"/endpoints/{made.pk}/", NEW | {"total": "10", "first_token": "15"}).content.decode()
    assert "The first token may take 15 s, but the whole answer only 10 s" in text
    assert "greater than or equal to" in client.post("/endpoints/new/", NEW | {"total": "0"}).content.decode()


def test_an_endpoint_nobody_uses_is_deleted(client: Client) -> None:
    endpoint = an_endpoint(name="old")
    assert "Delete this endpoint" in page(client, f"/endpoints/{endpoint.pk}/")
    text = client.post(f"/endpoints/{endpoint.pk}/delete/", follow=True).content.decode()
    assert "“old” is deleted." in text
    assert not Endpoint.objects.exists()
    assert Event.objects.get(verb="deleted").object == "endpoint old"


def test_an_endpoint_in_use_stays_and_the_experiment_is_named(client: Client) -> None:
    endpoint = an_endpoint()
    a_system(an_experiment(title="Support answers"), "one", endpoint=endpoint)
    assert "Delete this endpoint" not in page(client, f"/endpoints/{endpoint.pk}/")
    text = client.post(f"/endpoints/{endpoint.pk}/delete/", follow=True).content.decode()
    assert "systems of “Support answers” use it" in text
    assert Endpoint.objects.exists()
    assert not Event.objects.filter(verb="deleted").exists()


def test_what_was_done_to_a_key_is_in_the_log_and_the_key_is_not(client: Client) -> None:
    client.post("/endpoints/new/", NEW | {"secret": KEY})
    path = f"/endpoints/{Endpoint.objects.get().pk}/"
    for more in ({}, {"secret": f"{KEY}-2"}, {"forget": "on"}):
        client.post(path, NEW | more)
    events = list(Event.objects.filter(verb="changed", object="endpoint ours").order_by("pk"))
    assert [event.detail for event in events] == [{"key": "kept"}, {"key": "entered"}, {"key": "removed"}]
    assert KEY not in str(Event.objects.values())


def test_a_stored_key_can_be_forgotten(client: Client) -> None:
    client.post("/endpoints/new/", NEW | {"secret": KEY})
    made = Endpoint.objects.get()
    client.post(f"/endpoints/{made.pk}/", NEW | {"forget": "on"})
    made.refresh_from_db()
    assert made.secret == ""


def test_a_variable_that_is_not_set_is_said_in_the_list(client: Client) -> None:
    an_endpoint(secret_env="BLINDPAIR_NO_SUCH_KEY")
    assert "the variable BLINDPAIR_NO_SUCH_KEY is not set here" in page(client)


def test_the_list_says_how_many_systems_use_it(client: Client) -> None:
    a_system(an_experiment(), "one", endpoint=an_endpoint())
    [card] = client.get("/endpoints/").context["endpoints"]
    assert card.systems == 1


def test_a_server_that_is_not_there_is_told_in_words(client: Client) -> None:
    endpoint = an_endpoint(base_url="http://127.0.0.1:9/v1")
    text = client.post(
        f"/endpoints/{endpoint.pk}/test/", {"model": "m"}, headers={"HX-Request": "true"}
    ).content.decode()
    assert text.lstrip().startswith(f'<div id="trial-{endpoint.pk}"')
    assert "It does not work yet." in text
    assert "127.0.0.1" in text


def test_without_scripts_the_test_answers_with_the_whole_page(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = an_endpoint()
    said = trying.Trial(ok=True, sentence="It answers.", model="m-1", milliseconds=12, words="Hello.", models=("m-1",))
    monkeypatch.setattr("console.views.endpoints.try_endpoint", lambda *_, **__: said)
    text = client.post(f"/endpoints/{endpoint.pk}/test/", {}).content.decode()
    assert "<html" in text
    assert "It works." in text
    assert "m-1 in 12 ms" in text


def test_what_listens_nearby_is_offered(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    found = LocalServer(preset="ollama", base_url="http://127.0.0.1:11434/v1", models=("qwen2.5:7b",))
    monkeypatch.setattr("console.views.endpoints.find_local", lambda: [found])
    text = client.post("/endpoints/nearby/").content.decode()
    assert "qwen2.5:7b" in text
    assert "preset=ollama" in text
    form = page(client, "/endpoints/new/?name=Ollama&preset=ollama&base_url=http%3A%2F%2F127.0.0.1%3A11434%2Fv1")
    assert 'value="http://127.0.0.1:11434/v1"' in form
