"""One tiny call to an endpoint: what it says when it works, and when it does not."""

import pytest

from backends.models import Endpoint
from backends.trying import models_of, try_endpoint
from tests.factories import an_endpoint
from tests.fakes.asking import KEY
from tests.fakes.model_server import (
    ModelServer,
    Reply,
    Reset,
    answers,
    error_reply,
    login_page,
    redirect,
    text_reply,
)

pytestmark = pytest.mark.django_db


def test_a_key_that_is_not_set_is_said_without_any_call() -> None:
    trial = try_endpoint(an_endpoint(secret_env="BLINDPAIR_NO_SUCH_KEY"))
    assert not trial.ok
    assert "BLINDPAIR_NO_SUCH_KEY" in trial.sentence


def test_a_server_that_works_says_how_fast_and_what() -> None:
    with ModelServer(answers("Hello  there.")) as server:
        trial = try_endpoint(an_endpoint(base_url=server.base_url), model="m")
    assert trial.ok, trial.sentence
    assert trial.words == "Hello there."
    assert trial.milliseconds is not None


def test_a_server_that_lists_nothing_wants_a_model_named() -> None:
    for nothing in ({"data": []}, text_reply("Internal Server Error", status=500), error_reply(404)):
        with ModelServer(gets={"/v1/models": nothing}) as server:
            endpoint = an_endpoint(name=f"at {server.port}", base_url=server.base_url)
            assert try_endpoint(endpoint).sentence == "It can be reached, but lists no models. Name one to try."
            assert models_of(endpoint) == ()
            assert try_endpoint(endpoint, model="fake").ok


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (error_reply(401, f"Incorrect API key {KEY}"), "refused the key (401)"),
        (error_reply(403), "refused the key (403)"),
        (error_reply(503), "too busy or not ready (503)"),
        (redirect("http://127.0.0.1:1/v1"), "a redirect (307), which is never followed"),
        (login_page(), "no list of models"),
        (Reply([Reset()]), "broke the connection off"),
    ],
)
def test_without_a_model_named_it_is_said_what_is_wrong_and_not_that_nothing_is_listed(said: Reply, words: str) -> None:
    with ModelServer(said, gets={"/v1/models": said}) as server:
        trial = try_endpoint(an_endpoint(base_url=server.base_url))
        assert models_of(Endpoint.objects.get()) == ()
    assert not trial.ok
    assert words in trial.sentence
    assert KEY not in trial.sentence
    assert trial.sentence[0].isupper() or trial.sentence.startswith("127.0.0.1")


def test_a_server_that_is_not_there_is_told_in_words() -> None:
    assert "could not be reached" in try_endpoint(an_endpoint(base_url="http://127.0.0.1:9/v1")).sentence


def test_a_model_that_is_not_there_is_told_with_those_that_are() -> None:
    missing = error_reply(404, "The model `m` does not exist.", code="model_not_found")
    with ModelServer(missing) as server:
        trial = try_endpoint(an_endpoint(base_url=server.base_url), model="m")
    assert "has no model 'm' (404)" in trial.sentence
    assert trial.models == ("fake",)


def test_a_forbidden_address_is_never_called() -> None:
    trial = try_endpoint(an_endpoint(base_url="http://169.254.169.254/v1"), model="m")
    assert not trial.ok
    assert "169.254.169.254" in trial.sentence
