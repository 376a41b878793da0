"""The server on a person's own machine is in reach of every page in the same browser: none of them can use it."""

import pytest
from django.test import Client

from accounts.models import User
from experiments.models import Experiment
from tests.factories import an_experiment

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in() -> Client:
    """A browser whose owner is signed in; Django's own token check stands aside, so that only the origin counts."""
    client = Client()
    client.force_login(User.objects.create_user("owner@example.org"))
    return client


def archived(client: Client, **headers: str) -> int:
    experiment = an_experiment(owner=User.objects.get())
    answer = client.post(f"/experiments/{experiment.pk}/archive/", headers=headers)
    experiment.refresh_from_db()
    assert (experiment.archived_at is not None) == (answer.status_code == 302)
    return answer.status_code


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "https://testserver"},  # another scheme is another site
        {"Origin": "http://testserver:8001"},  # another program on the same machine
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
    ],
)
def test_a_form_of_another_site_is_refused(signed_in: Client, headers: dict[str, str]) -> None:
    assert archived(signed_in, **headers) == 403


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://testserver"}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}],
)
def test_a_form_of_our_own_is_taken(signed_in: Client, headers: dict[str, str]) -> None:
    assert archived(signed_in, **headers) == 302


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_no_way_around(signed_in: Client, method: str) -> None:
    experiment = an_experiment(owner=User.objects.get())
    answer = getattr(signed_in, method)(
        f"/experiments/{experiment.pk}/delete/", headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    assert Experiment.objects.exists()


def test_a_form_that_names_no_origin_still_needs_the_token() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_user("owner@example.org"))
    assert archived(client) == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example:8000", "", "a b"]
)
@pytest.mark.parametrize("path", ["/login/", "/", "/rate/", "/healthz", "/r/token/"])
def test_a_name_that_somebody_else_made_lead_here_is_refused(client: Client, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers
    assert host == "" or host not in answer.content.decode()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "localhost:8000"])
def test_the_names_of_this_machine_are_known(client: Client, host: str) -> None:
    assert client.get("/login/", headers={"Host": host}).status_code == 200


def test_links_and_redirects_never_follow_the_host_that_was_asked(client: Client) -> None:
    answer = client.get("/", headers={"Host": "localhost", "X-Forwarded-Host": "evil.example"})
    assert "evil" not in answer.headers["Location"]


def test_a_preflight_allows_nothing(client: Client) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = client.options("/login/", headers=asked)
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
