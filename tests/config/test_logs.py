"""What is written to the log: a line a request that machines read, and never a body, a token or a name."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from config.logs import JsonFormatter, WithoutTokens
from config.sentry import scrubbed
from ratings.models import Judgment
from tests.factories import a_user
from tests.ratings.driving import a_seated_client, an_open_experiment, fields_of

CANARY = "Canary-of-a-token-that-must-not-be-written"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """The log as LOG_FORMAT=json writes it, from every logger."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(WithoutTokens())
    root, requests = logging.getLogger(), logging.getLogger("config.requests")
    before = requests.level
    root.addHandler(handler)
    requests.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    requests.setLevel(before)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.django_db
def test_a_request_is_one_line_with_its_route_status_and_time(client: Client, written: io.StringIO) -> None:
    client.force_login(a_user())
    client.get("/experiments/4711/inputs/", {"q": CANARY})
    (line,) = [one for one in lines(written) if one["logger"] == "config.requests"]
    assert (line["method"], line["route"], line["status"]) == ("GET", "experiments/<int:pk>/inputs/", 404)
    assert line["ms"] >= 0
    assert len(line["request"]) == 32
    assert CANARY not in written.getvalue()


@pytest.mark.django_db
def test_a_rater_is_known_by_a_hash_and_what_they_wrote_by_nobody(written: io.StringIO) -> None:
    experiment = an_open_experiment(question="Canary-question?")
    client = a_seated_client(experiment)
    fields = fields_of(client.get("/rate/").content.decode())
    client.post("/rate/", fields | {"verdict": "both_bad", "comment": "Canary-comment"})
    assert Judgment.objects.get().comment == "Canary-comment"
    told = [one for one in lines(written) if one["logger"] == "config.requests"]
    assert {one["route"] for one in told} == {"r/<str:token>/", "rate/"}
    assert len({one["rater"] for one in told}) == 1
    for secret in ("Canary", fields["assignment"], fields["key"], "both_bad", experiment.slug, "system-1"):
        assert secret not in written.getvalue()


@pytest.mark.django_db
def test_an_unknown_link_and_an_error_leave_no_token_behind(
    client: Client, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError(f"went wrong at /r/{CANARY}/")

    client.get(f"/r/{CANARY}/")
    monkeypatch.setattr("ratings.links.knock", broken)
    client.raise_request_exception = False
    assert client.get(f"/r/{CANARY}/").status_code == 500
    told = lines(written)
    assert any("RuntimeError" in one.get("exception", "") for one in told)
    assert [one["status"] for one in told if one["logger"] == "config.requests"] == [404, 500]
    assert CANARY not in written.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/r/{}", "/R/{}/", "/r/{}/junk/", "/Welcome/{}/", "/welcome/{}.html", "/x/r/{}/"])
def test_an_address_that_is_nearly_a_link_leaves_no_token_either(
    client: Client, written: io.StringIO, path: str
) -> None:
    assert client.get(path.format(CANARY), follow=True).status_code == 404
    assert CANARY not in written.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/%0d%0aINFO%20all%20is%20well", "/%0aINFO", "/r/x%0aINFO/", "/%1b%5b2K"])
def test_nobody_writes_lines_of_their_own(client: Client, path: str) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    try:
        client.get(path)
    finally:
        logging.getLogger().removeHandler(handler)
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


def test_sentry_is_told_what_broke_and_nothing_else() -> None:
    frame = {
        "filename": "desk.py",
        "function": "judge",
        "lineno": 7,
        "vars": {"comment": CANARY},
        "pre_context": [CANARY],
    }
    event = {
        "event_id": "1",
        "level": "error",
        "transaction": f"/r/{CANARY}/",
        "message": CANARY,
        "request": {"url": CANARY, "data": CANARY, "headers": {"Cookie": CANARY}},
        "user": {"email": CANARY},
        "breadcrumbs": [CANARY],
        "extra": {"body": CANARY},
        "exception": {"values": [{"type": "DataError", "value": CANARY, "stacktrace": {"frames": [frame]}}]},
    }
    told = scrubbed(event, {})
    assert CANARY not in json.dumps(told)
    assert told["exception"]["values"][0]["type"] == "DataError"
    assert told["exception"]["values"][0]["stacktrace"]["frames"][0]["function"] == "judge"
