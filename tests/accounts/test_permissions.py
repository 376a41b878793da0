"""Who may ask what, over every address that the resolver knows: a route without a row here fails.

404 for what is not yours, the same as for what is not there; 405 for a method that a page does not know.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User
from experiments.models import Experiment
from tests.factories import a_collected_experiment, a_rated_experiment, a_rating_experiment, an_endpoint
from tests.ratings.driving import a_seated_client

pytestmark = [pytest.mark.django_db, pytest.mark.once]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
READ, SEND, BOTH = ("GET", "HEAD"), ("POST",), ("GET", "HEAD", "POST")
GET = ("GET",)
ROLES = ("anonymous", "rater of it", "rater of another", "owner of it", "owner of another", "staff", "superuser")
PUBLIC, RATERS, SIGNED_IN, OWNERS, STAFF, SUPERUSERS = "public", "raters", "signed in", "owners", "staff", "superusers"
OPERATORS = "operators"
MAY: dict[str, set[str]] = {
    PUBLIC: set(ROLES),
    RATERS: {"rater of it", "rater of another"},
    SIGNED_IN: {"owner of it", "owner of another", "staff", "superuser"},
    OWNERS: {"owner of it"},
    STAFF: {"staff", "superuser"},
    SUPERUSERS: {"superuser"},
    OPERATORS: set(),  # a token lets them in, no session
}
ONE = "experiments/<int:pk>/"
# Every route: who may use it, and by which methods.
MATRIX: dict[str, tuple[str, tuple[str, ...]]] = {
    "healthz": (PUBLIC, READ),
    "healthz/": (PUBLIC, READ),
    "readyz": (PUBLIC, READ),
    "readyz/": (PUBLIC, READ),
    "metrics": (OPERATORS, READ),
    "metrics/": (OPERATORS, READ),
    "login/": (PUBLIC, BOTH),
    "logout/": (PUBLIC, SEND),
    "logout/everywhere/": (SIGNED_IN, SEND),
    "account/": (SIGNED_IN, BOTH),
    "password/forgotten/": (PUBLIC, BOTH),
    "welcome/<str:token>/": (PUBLIC, BOTH),
    "": (SIGNED_IN, READ),
    "experiments/new/": (SIGNED_IN, BOTH),
    "experiments/bundle/": (SIGNED_IN, BOTH),
    "experiments/sample/": (SIGNED_IN, SEND),
    f"{ONE}raters/judgments/": (OWNERS, BOTH),
    f"{ONE}following/": (OWNERS, BOTH),
    ONE: (OWNERS, READ),
    **{f"{ONE}{name}/": (OWNERS, READ) for name in ("inputs", "systems", "collecting", "check", "log")},
    **{f"{ONE}{name}/": (OWNERS, READ) for name in ("inputs/preview", "inputs/problems", "systems/models")},
    **{f"{ONE}{name}/": (OWNERS, BOTH) for name in ("delete", "question", "plan", "open", "close", "raters")},
    **{f"{ONE}{name}/": (OWNERS, BOTH) for name in ("inputs/new", "systems/new", "systems/edit")},
    **{f"{ONE}{name}/": (OWNERS, SEND) for name in ("archive", "owners", "owners/leaving", "inputs/taking")},
    f"{ONE}inputs/<int:position>/swap/": (OWNERS, BOTH),
    f"{ONE}inputs/personal/": (OWNERS, SEND),
    f"{ONE}systems/recorded/": (OWNERS, BOTH),
    **{f"{ONE}{name}/": (OWNERS, SEND) for name in ("inputs/removing", "systems/removing", "systems/baseline")},
    **{f"{ONE}{name}/": (OWNERS, SEND) for name in ("collecting/steering", "check/decisions", "raters/links")},
    **{f"{ONE}{name}/": (OWNERS, GET) for name in ("report", "report/pairs", "exports", "exports/<slug:name>")},
    f"{ONE}report/assumptions/": (OWNERS, SEND),
    f"{ONE}report/scores/typed/": (OWNERS, SEND),
    f"{ONE}report/scores/row/": (OWNERS, SEND),
    f"{ONE}report/scores/<int:key>/removal/": (OWNERS, SEND),
    "experiments/<int:pk>/report.<slug:name>": (OWNERS, GET),
    "endpoints/": (STAFF, READ),
    "endpoints/nearby/": (STAFF, SEND),
    "endpoints/new/": (STAFF, BOTH),
    "endpoints/<int:pk>/": (STAFF, BOTH),
    "endpoints/<int:pk>/test/": (STAFF, SEND),
    "endpoints/<int:pk>/delete/": (STAFF, SEND),
    "people/": (STAFF, BOTH),
    "people/changes/": (STAFF, SEND),
    "people/links/": (STAFF, SEND),
    "log/": (STAFF, READ),
    "r/<str:token>/": (PUBLIC, BOTH),
    "rate/": (RATERS, BOTH),
    **{f"rate/{name}/": (RATERS, SEND) for name in ("undo", "skip", "guess", "preferences")},
    **{f"rate/{name}/": (RATERS, READ) for name in ("done", "review", "instructions")},
    "rate/practice/": (RATERS, BOTH),
}
SUPERUSERS_ONLY = ["admin/", "admin/login/", "admin/auth/group/", "admin/auth/group/add/", "admin/password_change/"]
MISSING = 918_273_645


def routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    """Every route but those of Django's admin, which has a test of its own."""
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        elif route != "admin/":
            yield from routes(pattern, route)


def address(route: str, pk: int) -> str:
    """The route with something in its gaps."""
    gaps = {"pk": pk, "token": "x" * 43, "name": "json" if "report." in route else "csv", "position": 1, "key": 1}
    return "/" + re.sub(r"<\w+:(\w+)>", lambda gap: str(gaps[gap[1]]), route)


class World:
    """Two experiments in each state, and a browser for each role."""

    def __init__(self) -> None:
        owner, other = (User.objects.create_user(f"{name}@example.org") for name in ("owner", "other"))
        staff = User.objects.create_user("staff@example.org", is_staff=True)
        superuser = User.objects.create_user("super@example.org", is_staff=True, is_superuser=True)
        self.rating, another = a_rating_experiment(), a_rating_experiment()
        self.draft = a_collected_experiment()
        self.closed = a_rated_experiment(raters=1, inputs=1)
        for experiment in (self.rating, self.draft, self.closed):
            experiment.owners.add(owner)
        another.owners.add(other)
        self.endpoint = an_endpoint()
        self.clients = {"anonymous": Client(), "rater of it": a_seated_client(self.rating)}
        self.clients["rater of another"] = a_seated_client(another)
        users = {"owner of it": owner, "owner of another": other, "staff": staff, "superuser": superuser}
        for role, user in users.items():
            self.clients[role] = Client()
            self.clients[role].force_login(user)
        for client in self.clients.values():
            client.raise_request_exception = False

    def key(self, route: str) -> int:
        """An object that the route is about: of a closed experiment where only that has something to show."""
        if route.startswith("endpoints/"):
            return self.endpoint.pk
        closed = "report" in route or "exports" in route
        return self.closed.pk if closed else self.draft.pk


def ask(client: Client, method: str, path: str) -> HttpResponse:
    """One request, of which nothing stays."""
    cookies = dict(client.cookies)
    with transaction.atomic():
        answer: Any = client.trace(path) if method == "TRACE" else client.generic(method, path)
        if answer.streaming:
            answer.getvalue()
        transaction.set_rollback(True)
    client.cookies.clear()
    client.cookies.update(cookies)
    return answer  # type: ignore[no-any-return]


def expected(audience: str, methods: tuple[str, ...], role: str, method: str) -> set[str]:
    """What may come; who is let in is told of a wrong method, others may be turned away before."""
    if role in MAY[audience]:
        return {"served" if method in methods else "wrong method"}
    signed_in = role in MAY[SIGNED_IN]
    away = "not found" if audience in {RATERS, OPERATORS} or signed_in else "sign in"
    return {away} if method in methods else {away, "wrong method"}


def came(answer: HttpResponse) -> str:
    """The same words for what came."""
    if answer.status_code == 302 and answer.headers["Location"].startswith("/login/?"):
        return "sign in"
    words = {404: "not found", 405: "wrong method"}
    return words.get(answer.status_code, "served" if answer.status_code < 500 else f"error {answer.status_code}")


def test_every_route_has_its_row() -> None:
    assert set(routes(get_resolver())) == set(MATRIX)


def test_every_cell_is_as_the_matrix_says() -> None:
    world = World()
    wrong, looked = [], 0
    for route, (audience, methods) in MATRIX.items():
        path = address(route, world.key(route))
        for role, client in world.clients.items():
            for method in METHODS:
                answer = ask(client, method, path)
                found, wanted = came(answer), expected(audience, methods, role, method)
                # An unknown one-time link or personal link is not found, whoever asks.
                if wanted == {"served"} and "<str:token>" in route:
                    wanted = {"not found"}
                if found not in wanted:
                    wrong.append(f"{method} {path} by {role}: {found} ({answer.status_code}), not {wanted}")
                looked += 1
    assert not wrong, "\n".join(wrong)
    assert looked == len(MATRIX) * len(ROLES) * len(METHODS)


def test_what_is_not_yours_looks_exactly_like_what_is_not_there() -> None:
    world = World()
    for route in MATRIX:
        if "<int:pk>" not in route:
            continue
        there, missing = address(route, world.key(route)), address(route, MISSING)
        for role, client in world.clients.items():
            if role == "owner of it" or (route.startswith("endpoints/") and role in MAY[STAFF]):
                continue
            for method in ("GET", "POST"):
                seen, unseen = ask(client, method, there), ask(client, method, missing)
                assert (seen.status_code, told(seen)) == (unseen.status_code, told(unseen)), (
                    f"{method} {there} by {role}"
                )


def told(answer: HttpResponse) -> tuple[int, str, str]:
    """All that differs by what was asked for: status, body and redirect, without numbers that were in the address."""
    numbers = re.compile(r"\b\d+\b")
    body, place = answer.content.decode(), answer.headers.get("Location", "")
    return answer.status_code, numbers.sub("N", body), numbers.sub("N", place)


def test_an_owner_cannot_reach_another_through_a_form() -> None:
    world = World()
    client = world.clients["owner of it"]
    foreign = Experiment.objects.exclude(owners__email="owner@example.org").get()
    rater = foreign.raters.get()
    for place in (world.rating.pk, foreign.pk):
        for do in ("revoke", "leave_out", "count", "replace"):
            answer = client.post(f"/experiments/{place}/raters/links/", {"rater": rater.pk, "do": do})
            assert answer.status_code == 404
    before, _ = rater.token_hash, rater.refresh_from_db()
    assert (rater.revoked_at, rater.left_out_at, rater.token_hash) == (None, None, before)


@pytest.mark.parametrize("path", SUPERUSERS_ONLY)
def test_the_admin_pages_are_for_superusers_and_have_no_door_of_their_own(path: str) -> None:
    world = World()
    for role, client in world.clients.items():
        answer = ask(client, "GET", f"/{path}")
        if role == "superuser":
            assert answer.status_code in {200, 302}
            assert "/login/?" not in answer.headers.get("Location", "")
        elif role in MAY[SIGNED_IN]:
            assert answer.status_code == 404, role
        else:
            assert answer.headers["Location"].startswith("/login/?"), role


def test_the_admin_pages_take_no_password() -> None:
    assert Client().post("/admin/login/", {"username": "x", "password": "y"}).headers["Location"].startswith("/login/?")
