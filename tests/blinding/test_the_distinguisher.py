"""Sides, kinds of pair and systems are independent of everything a rater can observe but the texts themselves.

Every draw and handle is seeded, so that chance cannot fail these tests; response times are measured by
`bench/response_times.py`.
"""

import random
import re
import uuid
import zlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from django.http import HttpResponse
from django.utils import timezone

from experiments.models import Experiment
from ratings import serving
from ratings.models import Assignment
from ratings.pairing import APART
from tests.blinding.distinguishing import accuracy_p_value, columns, single_p_values
from tests.blinding.world import a_seated_rater, a_world
from tests.factories import NOW
from tests.journeys.drivers import Form

pytestmark = pytest.mark.django_db
EXPERIMENTS, RATERS, INPUTS = 5, 10, 34
ALPHA = 0.001


@pytest.fixture
def _seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Handles and times that are the same in every run."""
    chance = random.Random(20261126)
    monkeypatch.setattr(uuid, "uuid4", lambda: UUID(int=chance.getrandbits(128), version=4))
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def observed(response: HttpResponse, number: int, earlier: str) -> dict[str, float]:
    """What a rater with all tools of the browser could measure of one served page."""
    body = response.content
    token = re.search(rb'name="assignment" value="([^"]+)"', body)
    key = re.search(rb'name="key" value="([^"]+)"', body)
    assert token
    assert key
    handles = [UUID(found[1].decode()).int / 2**128 for found in (token, key)]
    # The two texts are alike in length; a digest of the page without them and its handles must not tell either.
    bare = re.sub(rb"<p>Response .*?</p>|[0-9a-f-]{36}|csrfmiddlewaretoken[^>]+|Question number \d+|\d+", b"", body)
    headers = sorted(response.headers.items())
    return {
        "size": len(body),
        "size without texts": len(bare),
        "page without texts": digest(bare),
        "headers": digest(repr(headers).encode()),
        "cookies": len(response.cookies),
        "assets": digest(b",".join(sorted(re.findall(rb'(?:src|href)="([^"]+)"', body)))),
        "ids": digest(b",".join(re.findall(rb'id="([^"]+)"', body))),
        "token": handles[0],
        "key": handles[1],
        "last digit of the token": int(token[1][-1:], 16),
        "token before key": float(handles[0] < handles[1]),
        "token is later": float(token[1].decode() > earlier),
        "undo": float(b'name="again"' in body),
        "total": int(re.findall(rb"</b> of (\d+)", body)[0]),
        "number": number,
        "parity": number % 2,
    }


def digest(data: bytes) -> float:
    """A number that changes with the bytes."""
    return float(zlib.crc32(data) % 1009)


def served_to(experiment: Experiment, number: int) -> list[tuple[str, dict[str, float]]]:
    """Every pair one rater sees until the end, as the answer to the one before: (handle, what could be observed)."""
    client = a_seated_rater(experiment, f"Rater {number}", key=experiment.pk + 9_000 + number)
    pages: list[tuple[str, dict[str, float]]] = []
    earlier = ""
    form = Form(client.get("/rate/").content.decode(), "pair")
    while True:
        response = client.post("/rate/", form.fields | {"verdict": "both_good"}, headers={"HX-Request": "true"})
        form = Form(response.content.decode(), "pair")
        if not form.found:
            return pages
        token = form.fields["assignment"]
        pages.append((token, observed(response, len(pages), earlier)))
        earlier = token


def served() -> tuple[list[dict[str, float]], list[Assignment]]:
    """All pages of all raters, with what was behind each."""
    pages = []
    for number in range(EXPERIMENTS):
        experiment = a_world(
            inputs=INPUTS,
            ratings_per_pair=RATERS,
            control_share=0.15,
            repeat_share=0.1,
            number=number,
        )
        pages += [page for rater in range(RATERS) for page in served_to(experiment, rater)]
    known = {str(one.token): one for one in Assignment.objects.select_related("left", "right", "rater__experiment")}
    return [row for _, row in pages], [known[token] for token, _ in pages]


def told_apart(rows: Sequence[dict[str, float]], labels: Sequence[bool]) -> list[str]:
    """The observables that tell the labels apart at level ALPHA, Bonferroni over all of them."""
    matrix, truth = columns(rows), np.array(labels)
    names = [*sorted(rows[0]), "all together"]
    p_values = [*single_p_values(matrix, truth), accuracy_p_value(matrix, truth)]
    return [name for name, p in zip(names, p_values, strict=True) if p < ALPHA / len(names)]


@pytest.mark.once
@pytest.mark.usefixtures("_seeded")
def test_nothing_but_the_texts_tells_sides_kinds_or_systems_apart() -> None:
    rows, given = served()
    assert len(rows) >= 2000
    baseline = [one.left.arm_id == one.rater.experiment.baseline_id for one in given]
    assert told_apart(rows, baseline) == []
    assert told_apart(rows, [one.left_id < one.right_id for one in given]) == []
    assert told_apart(rows, [one.kind == "control" for one in given]) == []
    # A repeat comes late: its place may tell, and so may the minutes left and Undo, which the first pages lack.
    late = [(row, one.kind == "repeat") for row, one in zip(rows, given, strict=True) if row["number"] > 2 * APART]
    unplaced = [{name: value for name, value in row.items() if name != "number"} for row, _ in late]
    assert told_apart(unplaced, [repeated for _, repeated in late]) == []
    real = [one for one in given if one.kind == "rating"]
    share = sum(one.left.arm_id == one.rater.experiment.baseline_id for one in real) / len(real)
    assert abs(share - 0.5) < 0.02


LEAKS = {"size": 2, "token": 0.2, "parity": 0.3, "headers": 3, "token is later": 0.3, "last digit of the token": 4}


@pytest.mark.parametrize("leak", LEAKS)
def test_the_distinguisher_finds_a_planted_leak(leak: str) -> None:
    chance = np.random.default_rng(5)
    labels = chance.random(2000) < 0.5
    rows = [
        {
            "size": 4000 + chance.integers(0, 9),
            "token": chance.random(),
            "parity": float(chance.random() < 0.5),
            "headers": chance.integers(0, 9),
            "token is later": float(chance.random() < 0.5),
            "last digit of the token": float(chance.integers(0, 16)),
        }
        for _ in labels
    ]
    assert told_apart(rows, list(labels)) == []
    leaking = [
        row | {leak: row[leak] + LEAKS[leak] * (label & (chance.random() < 0.5))}
        for row, label in zip(rows, labels, strict=True)
    ]
    assert leak in told_apart(leaking, list(labels))


def test_a_rare_kind_is_told_apart_as_well_as_a_common_one() -> None:
    chance = np.random.default_rng(6)
    labels = chance.random(2000) < 0.1
    rows = [{"size": 4000 + chance.integers(0, 9) + 3 * bool(label), "parity": 0.0} for label in labels]
    assert "size" in told_apart(rows, list(labels))


@pytest.mark.once
@pytest.mark.usefixtures("_seeded")
def test_handles_that_count_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way once more with a leak in the product: handles that remember which output stands on card A."""
    experiment = a_world(inputs=60, ratings_per_pair=4)
    store = serving._Giving.store

    def telling(giving: serving._Giving, *words: Any) -> serving.Served:
        turn, texts = store(giving, *words)
        token = UUID(int=uuid.uuid4().int // 2 + (1 << 127) * (turn.left < turn.right))
        Assignment.objects.filter(pk=turn.pk).update(token=token)
        return serving.Served(turn._replace(token=token), texts)

    monkeypatch.setattr(serving._Giving, "store", telling)
    pages = [page for rater in range(4) for page in served_to(experiment, rater)]
    known = {str(one.token): one.left_id < one.right_id for one in Assignment.objects.all()}
    found = told_apart([row for _, row in pages], [known[token] for token, _ in pages])
    assert {"token", "all together"} <= set(found)
