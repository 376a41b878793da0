"""How tests sit down at the desk: pairs that the product made, browsers whose links were exchanged."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.test import Client

from experiments.models import Experiment
from ratings import actions, desk, links
from ratings.blind import BlindPair
from ratings.models import Comparison, Rater
from tests.factories import a_rater, a_rating_experiment

START = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


def an_open_experiment(**fields: Any) -> Experiment:
    """Open for rating, with the comparisons that the product itself makes."""
    experiment = a_rating_experiment(**fields)
    Comparison.objects.filter(input__experiment=experiment).delete()
    actions.make_comparisons(experiment=experiment)
    return experiment


def a_desk(**fields: Any) -> Rater:
    """A rater before an experiment of their own."""
    return a_rater(an_open_experiment(**fields))


def a_seated_client(experiment: Experiment, **headers: str) -> Client:
    """A browser whose link was exchanged."""
    (link,) = links.invite(experiment=experiment, count=1)
    client = Client(headers=headers or None)
    path = link.url.removeprefix(settings.PUBLIC_URL)
    assert client.get(path).status_code == 200
    assert client.post(path).headers["Location"] == "/rate/instructions/"
    return client


def fields_of(page: str) -> dict[str, str]:
    """The hidden fields of the form of the pair, or of the question after one."""
    form = re.split(r'<form id="(?:pair|guess)"', page)[1]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))


def rate_all(client: Client, verdict: str = "left") -> int:
    """Answer until there is no pair any more; how many."""
    for done in range(1000):
        answer = client.get("/rate/")
        if answer.status_code == 303:
            assert answer.headers["Location"] == "/rate/done/"
            return done
        fields = fields_of(answer.content.decode())
        assert client.post("/rate/", fields | {"verdict": verdict}).status_code == 303
    raise AssertionError("no end")


def minute(number: float) -> datetime:
    """So many minutes after the start."""
    return START + timedelta(minutes=number)


def shown(rater: Rater, now: datetime = START) -> BlindPair:
    """The pair on the rater's desk, which must be one."""
    pair = desk.next_pair(rater=rater, now=now)
    assert isinstance(pair, BlindPair)
    return pair


def judge(rater: Rater, pair: BlindPair, verdict: str = "left", now: datetime = START, **fields: Any) -> desk.Shown:
    """Judge a pair through the desk."""
    unblinded = fields.pop("unblinded", False)
    answer = desk.Answer(verdict=verdict, **fields)
    return desk.judge(rater=rater, token=pair.token, key=pair.key, answer=answer, unblinded=unblinded, now=now)


def rate_through(rater: Rater, now: datetime = START, most: int = 1000) -> int:
    """Judge until nothing is left; how many."""
    for done in range(most):
        pair = desk.next_pair(rater=rater, now=now)
        if not isinstance(pair, BlindPair):
            return done
        judge(rater, pair, now=now)
    return most
