"""All that somebody with the tools of a browser could ask of the site: every address, its neighbours, every form."""

import re
from collections.abc import Iterator

from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from experiments.models import Experiment

GUESSES = """
api/ openapi.json schema/ metrics debug/ media/ .env favicon.ico robots.txt server-status
static/../manage.py static/js/rating.js.map rate/../admin/ static/ rate/debug/
experiments/{slug}/report/ experiments/{pk}/exports/csv/ experiments/{pk}/report.json
rate/{pk}/ rate/?debug=1 rate/?system=1&arm=1 r/ r/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/
"""
# What a curious hand adds to an address.
MORE = """
.json .html .csv .xml .bak ~ junk/ admin/ debug/ 0/ 1/ %00 %2e%2e/ ..;/ ../experiments/ // /../../metrics
?format=json&debug=1 ?system=1&arm=1 ?reveal=yes&side=left ?page=2&order=system ?lang=de ?rater=1 ?next=/admin/
"""
SUFFIXES = MORE.split()
HTMX = {"HX-Request": "true", "HX-Target": "pair", "HX-Current-URL": "http://testserver/rate/"}
FORMS: dict[str, tuple[str, dict[str, str]]] = {
    "page": ("get", {"Accept": "text/html"}),
    "HTMX": ("get", HTMX),
    "HTMX history": ("get", {**HTMX, "HX-Boosted": "true", "HX-History-Restore-Request": "true"}),
    "JSON": ("get", {"Accept": "application/json"}),
    "HEAD": ("head", {}),
    "OPTIONS": ("options", {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}),
    "TRACE": ("trace", {}),
    "POST": ("post", {}),
    "HTMX POST": ("post", HTMX),
}
FOREIGN_FORMS = ("page", "HTMX", "JSON", "HEAD", "OPTIONS", "POST")


def own_addresses(experiment: Experiment) -> list[str]:
    """The addresses of raters, with and without what a curious hand adds."""
    bases = [base for base in _filled(experiment.pk) if base.startswith(("/rate", "/r/"))]
    return [*bases, *(base.rstrip("/") for base in bases), *(base + more for base in bases for more in SUFFIXES)]


def foreign_addresses(experiment: Experiment) -> list[str]:
    """Every other route of the site, for this experiment and its neighbours, and some that nobody routed."""
    keys = (experiment.pk, experiment.pk + 1, experiment.pk + 500_001)
    found = {base for key in keys for base in _filled(key) if not base.startswith(("/rate", "/r/"))}
    found |= {base + more for base in found if f"/{experiment.pk}/" in base for more in (".json", "?debug=1", "junk/")}
    found |= {"/" + guess.format(pk=experiment.pk, slug=experiment.slug) for guess in GUESSES.split()}
    return sorted(
        one for one in found if not one.startswith("/logout/")
    )  # it would end the rater's own session and blind the rest of the sweep


def _filled(key: int) -> list[str]:
    """Every route with plausible values in the place of its parts."""
    values = {"token": "x" * 43, "format": "json", "name": "csv"}

    def fill(part: re.Match[str]) -> str:
        return values.get(part[1], str(key))

    routes = {re.sub(r"<(?:\w+:)?(\w+)>", fill, route) for route in _routes(get_resolver())}
    return sorted({"/" + route.lstrip("^").rstrip("$") for route in routes})


def _routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern) or "admin" in route:
            yield route
        else:
            yield from _routes(pattern, route)


def ask(client: Client, address: str, form: str) -> HttpResponse:
    """One request in one of the forms."""
    method, headers = FORMS[form]
    if method == "post":
        return client.post(address, {"assignment": "nonsense", "verdict": "left"}, headers=headers)  # type: ignore[return-value]
    return getattr(client, method)(address, headers=headers)  # type: ignore[no-any-return]


def everything_of(response: HttpResponse) -> bytes:
    """Body, headers, cookies and redirects as bytes."""
    body = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
    head = "\n".join(f"{name}: {value}" for name, value in response.headers.items()).encode()
    return b"\n".join([head, response.cookies.output().encode(), body])
