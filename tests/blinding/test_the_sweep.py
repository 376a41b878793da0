"""Wall 7: whatever a rater asks for, in whatever form, nothing that comes back tells a system."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from experiments.models import Experiment
from ratings.models import Rater
from tests.blinding.world import Eyes, a_seated_rater, a_world, disguises, hidden
from tests.journeys.drivers import form_on_the_desk

pytestmark = pytest.mark.django_db
GUESSES = """
api/ openapi.json schema/ metrics debug/ media/ .env favicon.ico robots.txt server-status
static/../manage.py static/js/rating.js.map rate/../admin/
experiments/{slug}/report/ experiments/{pk}/exports/csv/ experiments/{pk}/report.json
rate/{pk}/ rate/done rate/undo rate/?debug=1 rate/?system=1&arm=1 r/ r/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/
"""
FORMS = ("get", "head", "options", "htmx get", "post", "htmx post")


def every_address(experiment: Experiment) -> list[str]:
    """Every route of the whole site with plausible values, and some that nobody routed."""
    values = {
        "pk": experiment.pk,
        "experiment": experiment.pk,
        "id": experiment.pk,
        "token": "x" * 43,
        "format": "json",
        "name": "csv",
    }
    routes = {
        re.sub(r"<(?:\w+:)?(\w+)>", lambda m: str(values.get(m[1], 1)), route) for route in _routes(get_resolver())
    }
    guesses = [guess.format(pk=experiment.pk, slug=experiment.slug) for guess in GUESSES.split()]
    return sorted({"/" + route.lstrip("^").rstrip("$") for route in {*routes, *guesses}})


def _routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern) or "admin" in route:
            yield route
        else:
            yield from _routes(pattern, route)


def ask(client: Client, address: str, form: str) -> HttpResponse:
    """One request in one of the six forms."""
    headers = {"HX-Request": "true"} if form.startswith("htmx") else {}
    method = form.rsplit(maxsplit=1)[-1]
    if method == "post":
        return client.post(address, {"assignment": "nonsense", "verdict": "left"}, headers=headers)  # type: ignore[return-value]
    return getattr(client, method)(address, headers=headers)  # type: ignore[no-any-return]


def everything_of(response: HttpResponse) -> bytes:
    """Body, headers, cookies and redirects as bytes."""
    body = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
    head = "\n".join(f"{name}: {value}" for name, value in response.headers.items()).encode()
    return b"\n".join([head, response.cookies.output().encode(), body])


def sweep(client: Client, experiment: Experiment, eyes: Eyes) -> int:
    """Ask for everything; fail on the first canary. Returns how many answers were looked at."""
    client.raise_request_exception = False
    looked = 0
    for address, form in itertools.product(every_address(experiment), FORMS):
        if address == "/logout/" and "post" in form:
            continue  # it would end the rater's own session and blind the rest of the sweep
        response = ask(client, address, form)
        found = eyes.see(everything_of(response))
        assert not found, f"{form} {address} ({response.status_code}) tells {found}"
        assert response.status_code < 500, f"{form} {address} fails with {response.status_code}"
        looked += 1
    return looked


def rate_one(client: Client, eyes: Eyes, *, scripts: bool) -> bool:
    """Judge the pair on the desk, looking at every answer; False where none is left."""
    page = client.get("/rate/", follow=True)
    assert not eyes.see(everything_of(page))
    form = form_on_the_desk(page.content.decode())
    if not form.found:
        return False
    headers = {"HX-Request": "true"} if scripts else {}
    said = {"guess": "unsure"} if "/guess/" in form.action else {"verdict": "left"}
    answer = client.post(form.action, form.fields | said, headers=headers)
    assert not eyes.see(everything_of(answer))
    return True


@pytest.mark.parametrize("arms", [2, 4])
def test_no_answer_of_the_whole_site_tells_a_rater_who_is_who(arms: int) -> None:
    experiment = a_world(arms=arms, control_share=0.2, repeat_share=0.2, ask_guess=True)
    eyes = Eyes(hidden(arms))
    client = a_seated_rater(experiment)
    looked = sweep(client, experiment, eyes)
    assert rate_one(client, eyes, scripts=False)
    assert rate_one(client, eyes, scripts=True)
    looked += sweep(client, experiment, eyes)
    for _ in range(100):
        if not rate_one(client, eyes, scripts=True):
            break
        looked += 2
    else:
        pytest.fail("the rater is never done")
    looked += sweep(client, experiment, eyes)
    assert looked > 500
    Rater.objects.filter(experiment=experiment).update(revoked_at="2026-11-02T00:00Z")
    sweep(client, experiment, eyes)


def test_a_stranger_without_a_link_learns_nothing_either() -> None:
    experiment = a_world()
    sweep(Client(), experiment, Eyes(hidden(2)))


def test_no_static_file_knows_a_sentinel(checkout: Path) -> None:
    eyes = Eyes(hidden(2))
    files = [path for path in (checkout / "static").rglob("*") if path.is_file()]
    assert len(files) > 5
    assert not [path for path in files if eyes.see(path.read_bytes())]


@pytest.mark.parametrize("wrapping", [lambda d: d, lambda d: b"<p>" + d + b"</p>"])
def test_the_eyes_see_through_every_disguise(wrapping: object) -> None:
    text = "Zyxomatic-1-Quillfeather"
    eyes = Eyes([text])
    for shape in disguises(text):
        assert eyes.see(wrapping(shape)) == {text}  # type: ignore[operator]
    assert eyes.see(b"nothing to see here") == set()
