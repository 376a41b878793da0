"""Sides, kinds of pair and systems are independent of everything a rater can observe but the texts themselves."""

import re
import time
import zlib
from collections.abc import Sequence
from uuid import UUID

import numpy as np
import pytest
from django.http import HttpResponse

from experiments.models import Experiment
from ratings.models import Assignment
from tests.blinding.distinguishing import accuracy_p_value, columns, single_p_values
from tests.blinding.world import a_seated_rater, a_world
from tests.journeys.drivers import Form

pytestmark = pytest.mark.django_db
RATERS, INPUTS = 10, 100
ALPHA = 0.001


def observed(response: HttpResponse, milliseconds: float, number: int, earlier: str) -> dict[str, float]:
    """What a rater with all tools of the browser could measure of one served page."""
    body = response.content
    token = re.search(rb'name="assignment" value="([^"]+)"', body)
    key = re.search(rb'name="key" value="([^"]+)"', body)
    assert token
    assert key
    handles = [UUID(found[1].decode()).int / 2**128 for found in (token, key)]
    # The two texts are alike in length; a digest of the page without them and its handles must not tell either.
    bare = re.sub(rb"<p>Response .*?</p>|[0-9a-f-]{36}|csrfmiddlewaretoken[^>]+", b"", body)
    return {
        "size": len(body),
        "size without texts": len(bare),
        "headers": len(response.headers),
        "header names": zlib.crc32(",".join(sorted(response.headers)).encode()) % 1009,
        "cookies": len(response.cookies),
        "assets": zlib.crc32(b",".join(sorted(re.findall(rb'(?:src|href)="([^"]+)"', body)))) % 1009,
        "ids": zlib.crc32(b",".join(re.findall(rb'id="([^"]+)"', body))) % 1009,
        "token": handles[0],
        "key": handles[1],
        "token is later": float(token[1].decode() > earlier),
        "milliseconds": milliseconds,
        "number": number,
        "parity": number % 2,
    }


def served_to(experiment: Experiment, label: str) -> list[tuple[str, dict[str, float]]]:
    """Every pair one rater sees until the end, as the answer to the one before: (handle, what could be observed)."""
    client, pages, earlier = a_seated_rater(experiment, label), [], ""
    form = Form(client.get("/rate/").content.decode(), "pair")
    while True:
        started = time.perf_counter()
        response = client.post("/rate/", form.fields | {"verdict": "both_good"}, headers={"HX-Request": "true"})
        milliseconds = 1000 * (time.perf_counter() - started)
        form = Form(response.content.decode(), "pair")
        if not form.found:
            return pages
        token = form.fields["assignment"]
        pages.append((token, observed(response, milliseconds, len(pages), earlier)))
        earlier = token


def told_apart(rows: Sequence[dict[str, float]], labels: Sequence[bool]) -> list[str]:
    """The observables that tell the labels apart at level ALPHA, Bonferroni over all of them."""
    matrix, truth = columns(rows), np.array(labels)
    names = [*sorted(rows[0]), "all together"]
    p_values = [*single_p_values(matrix, truth), accuracy_p_value(matrix, truth)]
    return [name for name, p in zip(names, p_values, strict=True) if p < ALPHA / len(names)]


@pytest.mark.once
def test_nothing_but_the_texts_tells_sides_kinds_or_systems_apart() -> None:
    experiment = a_world(inputs=INPUTS, ratings_per_pair=RATERS, control_share=0.15, repeat_share=0.1)
    pages = [page for number in range(RATERS) for page in served_to(experiment, f"Rater {number}")]
    assert len(pages) >= 1000
    known = {str(one.token): one for one in Assignment.objects.select_related("left__arm", "comparison")}
    rows = [row for _, row in pages]
    given = [known[token] for token, _ in pages]
    baseline = experiment.baseline_id
    assert told_apart(rows, [one.left.arm_id == baseline for one in given]) == []
    assert told_apart(rows, [one.kind == "control" for one in given]) == []
    # A repeat comes later than what it repeats: its place may tell, nothing else may.
    unplaced = [{name: value for name, value in row.items() if name != "number"} for row in rows]
    assert told_apart(unplaced, [one.kind == "repeat" for one in given]) == []
    real = [one for one in given if one.kind == "rating"]
    share = sum(one.left.arm_id == baseline for one in real) / len(real)
    assert abs(share - 0.5) < 0.02


@pytest.mark.parametrize("leak", ["size", "token", "milliseconds", "parity"])
def test_the_distinguisher_finds_a_planted_leak(leak: str) -> None:
    chance = np.random.default_rng(5)
    labels = chance.random(1000) < 0.5
    rows = [
        {
            "size": 4000 + chance.integers(0, 9),
            "token": chance.random(),
            "milliseconds": chance.gamma(4, 3),
            "parity": 0.0,
        }
        for _ in labels
    ]
    assert told_apart(rows, list(labels)) == []
    step = {"size": 2, "token": 0.2, "milliseconds": 4, "parity": 0.3}[leak]
    leaking = [
        row | {leak: row[leak] + step * (label & (chance.random() < 0.8))}
        for row, label in zip(rows, labels, strict=True)
    ]
    assert leak in told_apart(leaking, list(labels))
