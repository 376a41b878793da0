"""Who may see and do what on the owners' pages, over every address there is; and what a page costs in queries."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, reverse

from accounts.actions import log
from accounts.models import User
from console.urls import urlpatterns
from experiments.models import Experiment, Input, Output
from ratings.models import Comparison
from reports import planning
from tests.factories import (
    a_collected_experiment,
    a_judgment,
    a_rated_experiment,
    a_rater,
    a_rating_experiment,
    a_system,
    an_endpoint,
    an_experiment,
    answers,
)

pytestmark = pytest.mark.django_db

ONLY_BY_POST = {
    *("archive", "steering", "decisions", "rater-links", "endpoints-nearby", "endpoint-test", "endpoint-removing"),
    *("people-changes", "people-links"),
    *("owners", "owners-leaving", "inputs-taking", "inputs-removing", "system-removing", "system-baseline"),
    *("personal", "sample"),
}
SOMETIMES_ELSEWHERE = {
    *("opening", "closing", "question", "plan", "inputs-new", "inputs-preview", "inputs-problems"),
    *("system-new", "system-recorded", "system-edit", "swap", "judgments", "following"),
}
NAMES = sorted(str(pattern.name) for pattern in urlpatterns if isinstance(pattern, URLPattern))
OF_ONE = sorted(
    str(pattern.name)
    for pattern in urlpatterns
    if isinstance(pattern, URLPattern) and str(pattern.pattern).startswith("experiments/<int:pk>/")
)
OF_STAFF = [name for name in NAMES if name.startswith(("endpoint", "people")) or name == "log"]
MADE: dict[str, Callable[[], Experiment]] = {
    "empty draft": lambda: an_experiment(inputs=0),
    "draft": an_experiment,
    "collected": a_collected_experiment,
    "rating": a_rating_experiment,
    "rated": lambda: a_rated_experiment(closed=False),
    "closed": a_rated_experiment,
}


def address(name: str, pk: int) -> str:
    pattern = next(one for one in urlpatterns if isinstance(one, URLPattern) and one.name == name)
    arguments = {"pk": pk, "position": 1}
    wanted = {one: value for one, value in arguments.items() if f"<int:{one}>" in str(pattern.pattern)}
    return reverse(name, kwargs=wanted)


def asked(client: Client, name: str, pk: int) -> HttpResponse:
    send = client.post if name in ONLY_BY_POST else client.get
    return send(address(name, pk))


def owner(**fields: Any) -> User:
    """Without a password, which takes its time to hash."""
    return User.objects.create_user("owner@example.org", **fields)


def test_somebody_who_is_not_signed_in_is_sent_to_do_so(client: Client) -> None:
    experiment = a_collected_experiment()
    answers = {name: asked(client, name, experiment.pk) for name in NAMES}
    assert {name for name, answer in answers.items() if answer.status_code != 302} == set()
    assert {answer.headers["Location"].partition("=/")[0] for answer in answers.values()} == {"/login/?next"}


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_finds_nothing_not_even_as_staff(client: Client, method: str) -> None:
    experiment = a_collected_experiment(owner=owner())
    client.force_login(User.objects.create_user("stranger@example.org", is_staff=True))
    for name in OF_ONE:
        theirs = getattr(client, method)(address(name, experiment.pk))
        missing = getattr(client, method)(address(name, experiment.pk + 1000))
        assert theirs.status_code in {404, 405}, name
        assert (theirs.status_code, theirs.content) == (missing.status_code, missing.content), name
    experiment.refresh_from_db()
    assert (experiment.archived_at, experiment.status) == (None, "collecting")


@pytest.mark.parametrize("state", MADE)
def test_an_owner_sees_every_page_in_every_state(client: Client, state: str) -> None:
    experiment = MADE[state]()
    experiment.owners.add(owner())
    client.force_login(User.objects.get())
    for name in set(OF_ONE) - ONLY_BY_POST:
        expected = {200, 302} if name in SOMETIMES_ELSEWHERE else {200}
        assert asked(client, name, experiment.pk).status_code in expected, name


def test_what_changes_something_is_never_done_by_looking_at_it(client: Client) -> None:
    experiment = a_collected_experiment(owner=owner(is_staff=True))
    client.force_login(User.objects.get())
    assert {client.get(address(name, experiment.pk)).status_code for name in ONLY_BY_POST} == {405}


def test_endpoints_are_for_staff(client: Client) -> None:
    endpoint = an_endpoint()
    client.force_login(owner())
    assert {asked(client, name, endpoint.pk).status_code for name in OF_STAFF} == {404}


def test_a_form_from_elsewhere_is_refused() -> None:
    experiment = a_collected_experiment(owner=owner())
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get())
    for name in ("archive", "steering", "decisions", "rater-links", "opening", "delete"):
        assert client.post(address(name, experiment.pk)).status_code == 403
    assert Experiment.objects.get().status == "collecting"


def queries(client: Client, path: str) -> int:
    planning.forget()  # what was read for a page before is read again
    with CaptureQueriesContext(connection) as seen:
        assert client.get(path).status_code == 200
    return len(seen)


def grown(experiment: Experiment) -> None:
    """Twice the inputs, another system, more raters and judgments."""
    start = experiment.inputs.count()
    Input.objects.bulk_create(
        Input(experiment=experiment, position=n, external_id=f"more{n}", messages=[{"role": "user", "content": "?"}])
        for n in range(start + 1, start + 6)
    )
    answers(a_system(experiment, "one more"))
    [first, second] = Output.objects.filter(input=experiment.inputs.first()).order_by("pk")[:2]
    comparison, _ = Comparison.objects.get_or_create(input=first.input, first=first, second=second)
    for number in range(3):
        a_judgment(comparison, a_rater(experiment, f"Another {number}"))
    for number in range(5):
        log(None, "looked at", f"experiment {experiment.slug}", page=number)


def test_a_page_costs_no_more_queries_when_there_is_more_on_it(client: Client) -> None:
    experiment = a_rated_experiment(closed=False, raters=2)
    experiment.owners.add(owner())
    client.force_login(User.objects.get())
    pages = [address(name, experiment.pk) for name in OF_ONE if name not in ONLY_BY_POST | SOMETIMES_ELSEWHERE]
    for path in pages:
        client.get(path)  # the first look is written down
    before = {path: queries(client, path) for path in pages}
    grown(experiment)
    assert {path: queries(client, path) for path in pages} == before
    overview = before.pop(address("experiment", experiment.pk))
    assert max(before.values()) <= 15
    assert overview <= 24, "while rating it reads the votes too, to say how sharp the answer will be"


def test_the_list_costs_no_more_queries_with_more_experiments(client: Client) -> None:
    client.force_login(owner())
    a_rated_experiment(raters=1).owners.add(User.objects.get())
    client.get("/")
    before = queries(client, "/")
    for _ in range(3):
        a_rated_experiment(raters=1).owners.add(User.objects.get())
    assert queries(client, "/") == before
    assert before <= 11
