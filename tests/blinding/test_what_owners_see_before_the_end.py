"""Until the closing an owner sees how far rating is, never who leads: two opposite outcomes look the same."""

import re
from itertools import product

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from experiments.models import Experiment
from ratings.models import Judgment
from reports import planning
from tests.factories import NOW, a_user
from tests.reports import studies

pytestmark = pytest.mark.django_db
OPPOSITE = {"candidate wins": "WWWWWWT", "candidate loses": "LLLLLLT"}
HANDLES = re.compile(r"csrfmiddlewaretoken[^>]+|X-CSRFToken[^}]+")
NAMES = [
    "raters",
    "open",
    "close",
    "check",
    "collecting",
    "systems",
    "inputs",
    "plan",
    "question",
    "report",
    "log",
    "exports",
]
PAGES = ("/", "/experiments/{}/", *(f"/experiments/{{}}/{name}/" for name in NAMES))


def a_watched_study(votes: str, *, monitored: bool) -> Experiment:
    """Open for rating, forty judged inputs, each side as often on the left as on the right."""
    owner = a_user()
    experiment = studies.a_study(votes=votes, inputs=42, raters=4, closed=False, monitored=monitored, title="A study")
    experiment.owners.add(owner)
    Experiment.objects.filter(pk=experiment.pk).update(slug="a-study")
    return experiment


def seen(experiment: Experiment) -> dict[str, str]:
    """Every page an owner can open while rating goes on; that they were looked at is not written down."""
    pages = {}
    with transaction.atomic():
        client = Client()
        client.force_login(experiment.owners.get())
        for page, headers in product(PAGES, ({}, {"HX-Request": "true"})):
            answer = client.get(page.format(experiment.pk), headers=headers)
            pages[f"{page} {len(headers)} {answer.status_code}"] = HANDLES.sub("", answer.content.decode())
        transaction.set_rollback(True)
    return pages


def turned(experiment: Experiment) -> None:
    """The other one wins: the same sides are preferred as often, on the pairs where the other one stood there."""
    for judgment in Judgment.objects.exclude(verdict__in=["both_good", "both_bad"]):
        verdict = "right" if judgment.verdict == "left" else "left"
        Judgment.objects.filter(pk=judgment.pk).update(verdict=verdict)
    planning.forget()  # judgments are only ever added: it takes as many for the same ones


@pytest.mark.parametrize("monitored", [True, False], ids=["watched", "not watched"])
def test_opposite_outcomes_look_the_same(monitored: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    experiment = a_watched_study(OPPOSITE["candidate wins"], monitored=monitored)
    lefts = Judgment.objects.filter(verdict="left").count()
    before = seen(experiment)
    turned(experiment)
    assert Judgment.objects.filter(verdict="left").count() == lefts, "sides even out, so that only the arms differ"
    after = seen(experiment)
    assert len([page for page in before if page.endswith("200")]) > 12
    assert [page for page in before if before[page] != after.get(page)] == []


@pytest.mark.parametrize("outcome", OPPOSITE)
def test_a_watched_study_says_that_it_may_stop_and_no_more(outcome: str) -> None:
    assert planning.so_far(a_watched_study(OPPOSITE[outcome], monitored=True))[1] == "may stop"


def test_an_unwatched_study_says_nothing() -> None:
    assert planning.so_far(a_watched_study(OPPOSITE["candidate wins"], monitored=False))[1] is None
