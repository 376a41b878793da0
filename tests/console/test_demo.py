"""The demonstration: three sample experiments, made once, made anew on request, each in its state."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from backends.queries import progress
from console import demo
from console.command import Refusal
from experiments.models import Experiment, Output, OutputState, Status
from experiments.sealing import changes
from ratings.models import Rater
from reports.report import current
from tests.factories import a_user
from tests.journeys.drivers import Installation
from tests.servers import free_port

ENDPOINT = "http://127.0.0.1:40123/v1"


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    settings.ENDPOINT_HOSTS = ["127.0.0.1"]
    return tmp_path


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (demo.SAMPLES / name).read_text().splitlines()]


def test_the_samples_are_fifty_inputs_with_two_answers_each() -> None:
    ids = [row["id"] for row in lines("inputs.jsonl")]
    assert len(set(ids)) == len(ids) == 50
    for name in ("hosted.jsonl", "managed.jsonl"):
        assert [row["id"] for row in lines(name)] == ids
    answers = "\n".join(row["output"] for name in ("hosted.jsonl", "managed.jsonl") for row in lines(name))
    assert all(mark in answers for mark in ("| --- |", "```python", "```sql", "**", "1. "))
    assert sum(file.stat().st_size for file in demo.SAMPLES.iterdir()) < 200_000


@pytest.mark.django_db
def test_there_is_one_to_collect_one_to_rate_and_one_to_read(folder: Path) -> None:
    made = demo.make(demo.owner(), ENDPOINT, reset=False).experiments
    assert {kind: one.status for kind, one in made.items()} == {
        "draft": Status.DRAFT,
        "rating": Status.RATING,
        "closed": Status.CLOSED,
    }
    assert progress(made["draft"]).done == 50, "the managed answers; the others are still to be fetched"
    states = Output.objects.filter(input__experiment=made["rating"]).values_list("state", flat=True)
    assert (len(states), list(states).count("masked"), list(states).count("withheld")) == (100, 1, 1)
    masked = Output.objects.get(input__experiment=made["rating"], state=OutputState.MASKED)
    assert "[the assistant]" in masked.text
    assert "synthetic" in made["closed"].title
    assert all("Synthetic" in rater.label for rater in Rater.objects.filter(experiment=made["closed"]))
    assert current(made["closed"])["counts"]["judgments"] == 250


@pytest.mark.django_db
def test_a_second_start_finds_them_again(folder: Path) -> None:
    user = demo.owner()
    first = demo.make(user, ENDPOINT, reset=False)
    second = demo.make(user, ENDPOINT, reset=False)
    assert first.experiments == second.experiments
    assert (first.fresh, second.fresh) == (True, False)


@pytest.mark.django_db
def test_a_reset_makes_them_anew_and_touches_nothing_else(folder: Path) -> None:
    user = a_user(is_staff=True)
    first = demo.make(user, ENDPOINT, reset=False)
    mine = Experiment.objects.create(slug="mine", title="Mine", question="Which?")
    second = demo.make(user, ENDPOINT, reset=True)
    assert {one.slug for one in first.experiments.values()} == {one.slug for one in second.experiments.values()}
    assert set(Experiment.objects.all()) == {mine, *second.experiments.values()}


@pytest.mark.django_db
def test_a_draft_follows_its_endpoint_to_another_port(folder: Path) -> None:
    user = demo.owner()
    first = demo.make(user, ENDPOINT, reset=False)
    second = demo.make(user, "http://127.0.0.1:40124/v1", reset=False)
    assert first.experiments["draft"] != second.experiments["draft"]
    assert first.experiments["rating"] == second.experiments["rating"]


@pytest.mark.django_db
def test_the_owner_gets_a_link_until_a_password_is_set(folder: Path) -> None:
    user = demo.owner()
    assert "/welcome/" in demo.way_in(user, "http://x")
    user.set_password("a violin in the snow")
    assert demo.way_in(user, "http://x") == f"http://x/login/ as {demo.OWNER}"


@contextmanager
def started(folder: Path, command: str, port: int) -> Iterator[list[str]]:
    """The lines a server prints before it serves."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", command, "--port", str(port)],
        cwd=Path(__file__).resolve().parents[2],
        env={name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        | {"BLINDPAIR_DATA": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        for line in process.stdout:
            said.append(line)
            if "Booting worker" in line:
                break
        yield said
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=120)


def page(address: str) -> tuple[int, str]:
    host, _, path = address.removeprefix("http://").partition("/")
    connection = HTTPConnection(host, timeout=60)
    connection.request("GET", f"/{path}")
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


@pytest.mark.processes
def test_up_on_an_empty_database_prints_a_link_that_makes_the_first_account(tmp_path: Path) -> None:
    with started(tmp_path, "up", free_port()) as said:
        [link] = [line.split()[-1] for line in said if "/welcome/" in line]
        status, text = page(link)
    assert status == 200
    assert "runs the site" in text


@pytest.mark.processes
def test_demo_prints_links_that_work(tmp_path: Path) -> None:
    Installation(tmp_path, BLINDPAIR_DATA=str(tmp_path)).make_ready()
    with started(tmp_path, "demo", free_port()) as said:
        [rater] = [line.split()[-1] for line in said if line.startswith("  Rater")]
        [owner] = [line.split()[-1] for line in said if line.startswith("  Owner")]
        assert page(rater)[0] == page(owner)[0] == 200
        assert "Which answer would you rather send?" in page(rater)[1]


@pytest.mark.django_db
def test_a_scaled_installation_is_no_place_for_it(settings: Any) -> None:
    settings.SCALED = True
    with pytest.raises(Refusal, match="DATABASE_URL"):
        call_command("demo")


@pytest.mark.django_db
def test_the_seal_of_the_sample_holds(folder: Path) -> None:
    made = demo.make(demo.owner(), ENDPOINT, reset=False).experiments["rating"]
    assert changes(made, commitment=made.sealed["commitment"]) == []


@pytest.mark.django_db
def test_what_was_added_before_there_was_an_account_goes_to_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    orphan = Experiment.objects.create(slug="mine", title="Mine", question="Which?")
    boss = a_user(is_staff=True)
    monkeypatch.setattr("console.management.commands.up.make_ready", lambda host, port: "http://127.0.0.1:8000")
    monkeypatch.setattr("console.management.commands.up.serve", lambda host, port, address: None)
    call_command("up")
    assert orphan.owners.get() == boss
