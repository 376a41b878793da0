"""The three sample experiments of the demonstration: one to collect, one to rate, one to read the report of."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from accounts.actions import invite as invite_owner
from accounts.actions import owner_called
from accounts.models import User
from console.actions import add_experiment, close, delete, import_judgments, open_for_rating
from console.experiment_file import ExperimentSpec, read_toml
from console.experiment_rows import Rows, read_rows
from experiments.actions import decide_output
from experiments.models import Decision, Experiment, Output
from experiments.refusals import Refused
from ratings.links import invite

SAMPLES = Path(settings.BASE_DIR) / "samples"
OWNER = "owner@example.org"
KINDS = ("draft", "rating", "closed")
RATERS = 5
CUT_OFF = ("hosted model", "t-06")  # ends in the middle of a sentence, on purpose
SYSTEMS = ("hosted model", "managed API")


@dataclass(frozen=True, slots=True)
class SyntheticRow:
    """A judgment that nobody made: drawn by lot, and labelled so."""

    line: int
    input: str
    rater: str
    left: str
    right: str
    verdict: str
    criterion: str = ""
    left_acceptable: bool | None = None
    right_acceptable: bool | None = None
    seconds: float | None = None
    comment: str = ""
    judged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Demo:
    """The sample experiments by kind, and whether they were made just now."""

    experiments: dict[str, Experiment]
    fresh: bool


def owner() -> User:
    """Whose the samples are: the first staff account, else one without a password yet."""
    there = User.objects.filter(is_staff=True, is_active=True).order_by("pk").first()
    return there or owner_called(OWNER)


def way_in(user: User, address: str) -> str:
    """The owner's one-time link, or the address to sign in where a password was set already."""
    if user.has_usable_password():
        return f"{address}/login/ as {user.email}"
    return invite_owner(email=user.email, staff=True).url


def raters_link(experiment: Experiment) -> str:
    """A new personal link of the experiment that is open for rating."""
    [link] = invite(experiment=experiment, labels=[f"Guest {experiment.raters.count() + 1}"])
    return str(link.url)


def make(user: User, endpoint_url: str, *, reset: bool) -> Demo:
    """The three experiments, made where they are missing; with `reset` made anew."""
    there = _there()
    if reset:
        for experiment in there.values():
            delete(experiment=experiment, by=user)
        there = {}
    elif "draft" in there and _noted().get("endpoint") != endpoint_url:
        # The endpoint's old port was taken meanwhile: what points at it could not be collected.
        delete(experiment=there.pop("draft"), by=user)
    fresh = {kind: _make_one(kind, user, endpoint_url) for kind in KINDS if kind not in there}
    everything = there | fresh
    _note({"slugs": {kind: one.slug for kind, one in everything.items()}, "endpoint": endpoint_url})
    return Demo(experiments=everything, fresh=bool(fresh))


def lend(user: User) -> list[Experiment]:
    """The samples that need no endpoint, for somebody who looks around: one to rate, one whose report can be read."""
    return [_make_one(kind, user, "http://127.0.0.1:9/v1") for kind in ("rating", "closed")]


def _make_one(kind: str, user: User, endpoint_url: str) -> Experiment:
    spec = _at_our_endpoint(read_toml(SAMPLES / f"{kind}.toml"), endpoint_url)
    experiment = add_experiment(spec=spec, rows=_rows(spec), owners=[user], by=user)
    if kind == "rating":
        for output in Output.objects.filter(input__experiment=experiment).undecided():
            decide_output(output=output, decision=Decision.MASKED, reason="names its maker", by=user)
        open_for_rating(experiment=experiment, by=user)
    elif kind == "closed":
        ids = list(experiment.inputs.order_by("position").values_list("external_id", flat=True))
        import_judgments(experiment=experiment, rows=_synthetic(experiment, ids), file="synthetic", by=user)
        close(experiment=experiment, by=user)
    experiment.refresh_from_db()
    return experiment


def _rows(spec: ExperimentSpec) -> Rows:
    """The rows of the files; the answer that was cut off says so, as an endpoint would."""
    rows = read_rows(spec)
    system, item = CUT_OFF
    answers = dict(rows.recorded.get(system, {}))
    if item in answers:
        answers[item] = replace(answers[item], outcome="truncated", prepared=None)
    return replace(rows, recorded={**rows.recorded, system: answers} if answers else rows.recorded)


def _at_our_endpoint(spec: ExperimentSpec, url: str) -> ExperimentSpec:
    name = f"demo, port {_port_of(url)}"
    return replace(
        spec,
        endpoints=tuple(replace(one, name=name, base_url=url) for one in spec.endpoints),
        systems=tuple(replace(one, endpoint=name if one.endpoint else "") for one in spec.systems),
    )


def _synthetic(experiment: Experiment, ids: list[str]) -> Iterator[SyntheticRow]:
    """Verdicts drawn by lot: inputs differ in how often the hosted model wins, raters in how often they tie."""
    draw = random.Random(experiment.seed)  # noqa: S311  # sample data, no secret
    leaning = {key: min(0.85, max(0.15, draw.gauss(0.47, 0.17))) for key in ids}
    line = 1
    for number in range(1, RATERS + 1):
        ties = draw.uniform(0.1, 0.3)
        for key in ids:
            line += 1
            hosted_left = draw.random() < 0.5
            hosted_wins = draw.random() < leaning[key]
            tie = "both_good" if draw.random() < 0.8 else "both_bad"
            verdict = tie if draw.random() < ties else ("left" if hosted_wins == hosted_left else "right")
            left, right = SYSTEMS if hosted_left else reversed(SYSTEMS)
            yield SyntheticRow(
                line=line,
                input=key,
                rater=f"Synthetic rater {number}",
                left=left,
                right=right,
                verdict=verdict,
                seconds=round(draw.lognormvariate(3.4, 0.5), 1),
                judged_at=datetime(2026, 11, 2, 9, tzinfo=UTC),
            )


def start_endpoint() -> str:
    """Start the demo endpoint in a process that ends with this one (or with what it becomes); its base URL.

    The other end of its standard input stays open in this process: when that closes, the endpoint goes too.
    """
    ours, theirs = os.pipe()
    os.set_inheritable(theirs, True)
    process = subprocess.Popen(
        [sys.executable, "-m", "console.demo_endpoint", str(SAMPLES / "inputs.jsonl"), str(SAMPLES / "hosted.jsonl")],
        stdin=ours,
        stdout=subprocess.PIPE,
        cwd=settings.BASE_DIR,
        env=os.environ | {"DEMO_ENDPOINT_PORT": str(_earlier_port())},
        text=True,
    )
    os.close(ours)
    url = process.stdout.readline().strip() if process.stdout else ""
    if not url:
        raise Refused("the demo endpoint did not start; the lines above say why.")
    return url


def _earlier_port() -> int:
    """The port of an earlier start, so that the address in the sample stays right; 0 for any."""
    return _port_of(_noted().get("endpoint", "http://127.0.0.1:0/v1"))


def _port_of(url: str) -> int:
    return urlsplit(url).port or 0


def _there() -> dict[str, Experiment]:
    slugs = _noted().get("slugs", {})
    found = {one.slug: one for one in Experiment.objects.filter(slug__in=list(slugs.values()))}
    return {kind: found[slug] for kind, slug in slugs.items() if slug in found}


def _noted() -> dict[str, Any]:
    path = settings.DATA_DIR / "demo.json"
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def _note(facts: dict[str, Any]) -> None:
    (settings.DATA_DIR / "demo.json").write_text(json.dumps(facts))
