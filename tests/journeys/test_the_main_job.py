"""The main job from outside: fifty inputs, answers fetched, three raters, closed, an honest win rate."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.model_server import ModelServer
from tests.journeys import arena
from tests.journeys.drivers import CommandFailed, Installation, RaterBrowser
from tests.servers import postgres, redis_server

pytestmark = pytest.mark.processes

VERDICTS = ("left", "right", "left", "both_good", "right", "both_bad", "left")


class Mood:
    """Answers in a fixed rhythm, whatever stands on the page."""

    def __init__(self, start: int) -> None:
        self.turn = start

    def __call__(self, page: str) -> str:
        """The next verdict of the rhythm."""
        self.turn += 1
        return VERDICTS[self.turn % len(VERDICTS)]


@contextmanager
def embedded(folder: Path) -> Iterator[tuple[Installation, str]]:
    installation = Installation(folder)
    installation.make_ready()
    with installation.serving() as address:
        yield installation, address


@contextmanager
def scaled(folder: Path) -> Iterator[tuple[Installation, str]]:
    with postgres() as database, redis_server() as broker:
        installation = Installation(
            folder,
            DATABASE_URL=database,
            REDIS_URL=broker,
            WEB_CONCURRENCY="2",
            BLINDPAIR_ENDPOINT_HOSTS="127.0.0.0/8",  # the scaled footing calls no private address unless told so
        )
        installation.run("migrate")
        installation.run("collectstatic", "--no-input")
        web = ("-m", "gunicorn", "-c", "config/gunicorn.py", "-b", "127.0.0.1:PORT", "config.wsgi")
        worker = ("-m", "celery", "-A", "config", "worker", "--loglevel", "warning", "--concurrency", "2")
        with installation.running(*worker), installation.serving(*web) as address:
            yield installation, address


@pytest.mark.parametrize("footing", [embedded, scaled])
def test_from_fifty_inputs_to_a_win_rate(footing: Any, tmp_path: Path) -> None:
    with ModelServer(arena.Replays()) as model_server, footing(tmp_path) as (installation, address):
        file = arena.experiment_file(tmp_path / "mine", model_server.base_url)
        added = installation.facts("add_experiment", str(file), "--owner", "owner@example.org")
        slug = str(added["slug"])

        installation.run("collect", slug, "--wait")
        status = installation.facts("status", slug)
        assert status["completions"] == {"done": 100, "failed": 0, "pending": 0}
        asked = {prompt.strip(): count for prompt, count in model_server.counts.items()}
        assert all(asked[prompt] == 1 for prompt in arena.Replays().by_prompt), "every input is asked exactly once"

        refused_before_closing(installation, slug)
        installation.run("open_rating", slug, "--release-flagged")
        links = installation.facts("invite", slug, "--raters", "3")
        done = [
            RaterBrowser(link["url"].replace("http://127.0.0.1:8000", address)).rate_all(Mood(start))
            for start, link in enumerate(links)
        ]
        assert done == [50, 50, 50]
        refused_before_closing(installation, slug)
        installation.run("close", slug)
        the_report_agrees_with_the_votes(installation, slug, tmp_path)


def refused_before_closing(installation: Installation, slug: str) -> None:
    for words in (("report", slug, "--format", "json"), ("export", slug, "--format", "csv")):
        with pytest.raises(CommandFailed) as refusal:
            installation.run(*words)
        assert refusal.value.code == 3
        assert refusal.value.line.count("\n") == 0


def the_report_agrees_with_the_votes(installation: Installation, slug: str, folder: Path) -> None:
    report = json.loads(installation.run("report", slug, "--format", "json"))
    assert report["counts"]["judgments"] == 150
    assert report["counts"]["raters"] == 3
    [pair] = report["pairs"]
    assert (pair["candidate"], pair["baseline"], pair["inputs"]) == ("candidate", "api", 50)
    votes = list(csv.DictReader(io.StringIO(installation.run("export", slug, "--format", "csv"))))
    tally = Counter(result_of(vote) for vote in votes)
    assert {name: pair[name] for name in ("wins", "losses", "both_good", "both_bad")} == tally
    score = (tally["wins"] + (tally["both_good"] + tally["both_bad"]) / 2) / 150
    assert pair["score"]["panel"]["value"] == pytest.approx(score)
    assert pair["noninferiority"]["scope"] == "panel", "three raters are a panel, not a population"
    latency = next(system["latency"] for system in report["systems"] if system["name"] == "candidate")
    assert latency["n"] == 50
    assert 10 < latency["e2e_p50"]["value"] < latency["e2e_p95"]["value"]
    for name in ("md", "html"):
        installation.run("report", slug, "--format", name, "-o", str(folder / f"report.{name}"))
        assert "candidate" in (folder / f"report.{name}").read_text()


def result_of(vote: dict[str, str]) -> str:
    """What a row of the CSV export says of the candidate: wins, losses, both_good or both_bad."""
    if vote["verdict"] in {"both_good", "both_bad"}:
        return vote["verdict"]
    return "wins" if vote[vote["verdict"]] == "candidate" else "losses"
