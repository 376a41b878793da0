"""A verdict leaves no circles behind: what was read for it is gone with it, and no search for garbage delays others."""

import gc
import io
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.test import Client

from accounts.signing_in import Sessions
from tests.factories import a_user
from tests.ratings.driving import a_seated_client, an_open_experiment, fields_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def unsearched() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def answered(handler: WSGIHandler, client: Client, path: str, fields: dict[str, str]) -> str:
    """As a server hands it on: nothing keeps the request, as Django's test client would."""
    body = urlencode(fields).encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST" if fields else "GET",
        "PATH_INFO": path,
        "HTTP_HOST": "localhost",
        "HTTP_COOKIE": client.cookies.output(attrs=[], header="", sep=";"),
        "HTTP_HX_REQUEST": "true",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
    }
    answer = handler.get_response(WSGIRequest(environ))
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("signed_in", [False, True])
def test_what_was_read_for_a_verdict_is_gone_with_it(signed_in: bool, unsearched: None) -> None:
    client, handler = a_seated_client(an_open_experiment(inputs=12)), WSGIHandler()
    if signed_in:
        client.force_login(a_user("another@example.org"))
    fields = fields_of(answered(handler, client, "/rate/", {}))
    for turn in range(4):
        fields = fields_of(answered(handler, client, "/rate/", fields | {"verdict": "left"}))
        left = gc.collect()
        assert turn == 0 or left == 0, "the first one also loads what is kept"


def test_who_is_signed_in_is_known_for_as_long_as_somebody_asks(unsearched: None) -> None:
    request = WSGIRequest({"REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO()})
    request.session = {}  # type: ignore[assignment]  # nobody's
    Sessions(lambda _: None).process_request(request)  # type: ignore[arg-type,return-value]
    asked = request.user
    del request
    assert gc.collect() == 0
    assert asked.is_anonymous, "nobody, rather than whoever it was"
