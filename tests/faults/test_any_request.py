"""Whatever is sent to any address by whoever it is, the answer is never a fault of the server."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_from_bytes, urlencode

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import get_resolver
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some

from tests.accounts.test_permissions import MATRIX, World, address, routes

pytestmark = [pytest.mark.django_db, pytest.mark.once]
EXAMPLES = 5  # each of them is sent to every address
ROLES = {"anonymous": "anonymous", "rater": "rater of it", "owner": "owner of it"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE", "get")
TYPES = (
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-16",
    "application/x-www-form-urlencoded; charset=nonsense",
    MULTIPART_CONTENT,
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "application/json",
    "text/plain",
    "application/octet-stream",
    "",
    "a/b/c;;=",
)
HEADERS = (
    *("HTTP_ACCEPT", "HTTP_ACCEPT_LANGUAGE", "HTTP_REFERER", "HTTP_USER_AGENT", "HTTP_RANGE", "HTTP_IF_NONE_MATCH"),
    *("HTTP_IF_MODIFIED_SINCE", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_COOKIE", "HTTP_AUTHORIZATION"),
    *(
        "HTTP_HX_REQUEST",
        "HTTP_HX_TARGET",
        "HTTP_HX_CURRENT_URL",
        "HTTP_HX_TRIGGER_NAME",
        "HTTP_X_HTTP_METHOD_OVERRIDE",
    ),
    *("HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE", "HTTP_HOST", "HTTP_EXPECT", "HTTP_TRANSFER_ENCODING"),
)


def named(form: type[forms.BaseForm] = forms.BaseForm) -> Iterator[str]:
    """The fields of every form there is."""
    yield from getattr(form, "base_fields", {})
    for below in form.__subclasses__():
        yield from named(below)


def names() -> some.SearchStrategy[str]:
    known = sorted({*named(), "do", "q", "page", "sort", "next", "again", "upload", "name", "back", "criterion-1"})
    return some.sampled_from(known) | some.text(max_size=12)


VALUES = (
    some.text(max_size=60)
    | some.integers().map(str)
    | some.uuids().map(str)
    | some.floats().map(str)
    | some.sampled_from(
        ["", "1", "-1", "left", "on", "json", "2026-02-30", "\0", "1e999", "../../etc/passwd", "%s{}[]"]
    )
)
BYTES = some.binary(max_size=300)
JSONS = some.recursive(
    some.none() | some.booleans() | some.floats() | some.text(max_size=20),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@some.composite
def requests(draw: some.DrawFn) -> dict[str, Any]:
    """All of a request but its address."""
    fields = draw(some.lists(some.tuples(names(), VALUES), max_size=12))
    file = {"file": draw(some.builds(a_file, VALUES, BYTES))}
    bodies = {
        "form": urlencode(fields, errors="surrogatepass").encode(),
        "parts": encode_multipart(BOUNDARY, {name: value for name, value in fields if name} | file),
        "json": json.dumps(draw(JSONS)).encode(),
        "bytes": draw(BYTES),
    }
    kind = draw(some.sampled_from(sorted(bodies)))
    fitting = {"form": TYPES[0], "parts": MULTIPART_CONTENT, "json": "application/json", "bytes": TYPES[8]}[kind]
    query = draw(some.lists(some.tuples(names(), VALUES), max_size=4).map(as_query) | BYTES.map(quote_from_bytes))
    return {
        "method": draw(some.sampled_from(METHODS) | some.just("POST")),
        "data": bodies[kind],
        "content_type": draw(some.just(fitting) | some.sampled_from(TYPES)),
        "QUERY_STRING": query,
        **draw(some.dictionaries(some.sampled_from(HEADERS), VALUES.map(as_header), max_size=4)),
    }


def a_file(name: str, content: bytes) -> Any:
    return SimpleUploadedFile(name.replace("\0", "") or "inputs.csv", content)


def as_query(fields: list[tuple[str, str]]) -> str:
    return urlencode(fields, errors="surrogatepass")


def as_header(value: str) -> str:
    """As a server of WSGI hands it on: one line of Latin-1."""
    return "".join(value.encode().decode("latin-1").splitlines())


@pytest.fixture(params=ROLES)
def visitor(request: pytest.FixtureRequest) -> tuple[World, Client]:
    world = World()
    return world, world.clients[ROLES[request.param]]


def send(client: Client, path: str, wanted: dict[str, Any]) -> HttpResponse:
    """One request, of which nothing stays."""
    kept = dict(client.cookies)
    with transaction.atomic():
        answer: Any = client.generic(path=path, **wanted)
        if answer.streaming:
            answer.getvalue()
        transaction.set_rollback(True)
    client.cookies.clear()
    client.cookies.update(kept)
    return answer  # type: ignore[no-any-return]


@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@example(wanted={"method": "POST", "data": b"", "content_type": MULTIPART_CONTENT, "QUERY_STRING": ""})
@example(wanted={"method": "POST", "data": b"a=%00&b=%ff&id=%ED%A0%80", "content_type": TYPES[0], "QUERY_STRING": "%"})
@given(wanted=requests())
def test_no_request_is_answered_with_a_fault(visitor: tuple[World, Client], wanted: dict[str, Any]) -> None:
    world, client = visitor
    faults = []
    for route in routes(get_resolver()):
        answer = send(client, address(route, world.key(route)), wanted)
        if answer.status_code >= 500:
            faults.append((route, answer.status_code, getattr(answer, "exc_info", None)))
    assert not faults


def test_every_address_is_meant() -> None:
    assert set(routes(get_resolver())) == set(MATRIX)
    assert len(set(named())) > 40
