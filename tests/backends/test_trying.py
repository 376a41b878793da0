"""One tiny call to an endpoint: what it says when it works, and when it does not."""

import pytest

from backends.trying import models_of, try_endpoint
from tests.factories import an_endpoint
from tests.fakes.model_server import ModelServer, answers

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
    endpoint = an_endpoint()
    assert "Name one to try" in try_endpoint(endpoint).sentence
    assert models_of(endpoint) == ()


def test_a_forbidden_address_is_never_called() -> None:
    trial = try_endpoint(an_endpoint(base_url="http://169.254.169.254/v1"), model="m")
    assert not trial.ok
    assert "169.254.169.254" in trial.sentence
