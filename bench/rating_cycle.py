"""The rating cycle (a verdict is saved, the next pair comes back) beside an honest bare Django application.

    .venv/bin/python bench/rating_cycle.py [--only sqlite|postgres] [--cycles 40] [--rounds 3] [--raters 1,16]

The bare application (bench/bare) has session, CSRF, login and gzip; its one view reads one row, writes one and renders
five kilobytes. Both run in the same gunicorn with the same settings, on the same database server, one process with the
engine in it on SQLite as `up` starts it, four on Postgres. The load client is a process of its own. Rounds alternate,
so that a busy machine is as busy for both: only the ratios mean something. Goals: with 1 rater at most 2 times the bare
server time a cycle, with 16 raters at least 0.5 of its cycles a second. Exit 1 where a goal is missed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))
from tests.faults.killable import SECRETS  # noqa: E402 - after the path is set
from tests.journeys.drivers import Form, Installation  # noqa: E402
from tests.servers import postgres  # noqa: E402

SAMPLES = CHECKOUT / "samples"
INPUTS = 150
WARMING_UP = 8
MOST_TIMES, LEAST_SHARE = 2.0, 0.5
EXPERIMENT = """
title = "Bench"
question = "Which answer would you rather send?"
inputs = "inputs.jsonl"
baseline = "one"
ratings_per_pair = 16
control_share = 0.1
repeat_share = 0.1
[systems.one]
outputs = "one.jsonl"
[systems.other]
outputs = "other.jsonl"
"""


@dataclass
class Side:
    """One of the two applications: where it listens, its seats, and what was measured of them."""

    port: int
    seats: list[dict[str, Any]]
    times: list[float] = field(default_factory=list)
    span: float = 0.0

    def click(self, cycles: int) -> None:
        """A round of so many cycles a seat, measured."""
        result = clicked(self.port, self.seats, cycles)
        self.times += result["times"]
        self.span += result["span"]

    def warm_up(self) -> None:
        """A few cycles that count for nothing: every process has its caches then."""
        clicked(self.port, self.seats, WARMING_UP)

    @property
    def milliseconds(self) -> float:
        """Of one cycle, at the median."""
        return 1000 * median(self.times)

    @property
    def per_second(self) -> float:
        """Cycles of all seats together."""
        return len(self.times) / self.span


def main() -> int:
    """Print a line for each database and number of raters."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    parser.add_argument("--cycles", type=int, default=40, help="of each rater in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--raters", default="1,16")
    given = parser.parse_args()
    missed = 0
    for name in [given.only] if given.only else ["sqlite", "postgres"]:
        with postgres() if name == "postgres" else nullcontext("") as url:
            for raters in map(int, given.raters.split(",")):
                with tempfile.TemporaryDirectory(prefix="blindpair-bench-") as folder:
                    sides = measured(Path(folder), url, raters, given)
                missed += not shown(name, raters, *sides)
    return 1 if missed else 0


def measured(folder: Path, url: str, raters: int, given: argparse.Namespace) -> tuple[Side, Side]:
    """Ours and the bare one, with so many raters, in turn."""
    with (
        bare(folder, fresh(url, f"bare{raters}"), raters) as other,
        product(folder, fresh(url, f"ours{raters}"), raters) as ours,
    ):
        for side in (other, ours):
            side.warm_up()
        for _ in range(given.rounds):
            other.click(given.cycles)
            ours.click(given.cycles)
    return ours, other


def shown(name: str, raters: int, ours: Side, other: Side) -> bool:
    """Print the line; whether the goal is reached."""
    times, share = ours.milliseconds / other.milliseconds, ours.per_second / other.per_second
    good = times <= MOST_TIMES if raters == 1 else share >= LEAST_SHARE
    print(
        f"{name:9} {raters:3} raters: a cycle {ours.milliseconds:6.2f} ms, bare {other.milliseconds:6.2f} ms, "
        f"{times:.2f} times; {ours.per_second:5.0f} cycles/s, bare {other.per_second:5.0f}/s, {share:.2f} of it"
        f"{'' if good else '  MISSED'}",
        flush=True,
    )
    return good


def clicked(port: int, seats: list[dict[str, Any]], cycles: int) -> dict[str, Any]:
    """Let the load client click, in a process of its own; seats go on where they were."""
    words = [sys.executable, str(CHECKOUT / "bench" / "clicking.py")]
    given = json.dumps({"port": port, "seats": seats, "cycles": cycles})
    done = subprocess.run(words, input=given, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    for seat, fields in zip(seats, result["fields"], strict=True):
        seat["fields"] = fields
    return result


def fresh(url: str, name: str) -> str:
    """A new database of this name on the same server; nothing for SQLite."""
    if not url:
        return ""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
        connection.execute(f'CREATE DATABASE "{name}"')
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def installation(folder: Path, url: str, **more: str) -> Installation:
    """The product's environment in a folder of its own; four web processes on Postgres."""
    scaled = {"DATABASE_URL": url, "WEB_CONCURRENCY": "4", **SECRETS} if url else {}
    return Installation(folder, **scaled, **more)


@contextmanager
def product(folder: Path, url: str, raters: int) -> Iterator[Side]:
    """Blindpair with the samples' texts open for rating, and raters who have begun."""
    (folder / "ours").mkdir()
    ours = installation(folder / "ours", url)
    ours.run("migrate", "--verbosity", "0")
    ours.run("collectstatic", "--no-input", "--verbosity", "0")
    write_files(folder / "ours")
    experiment = str(ours.facts("add_experiment", str(folder / "ours" / "bench.toml"))["id"])
    ours.run("open_rating", experiment, "--release-flagged")
    command = [] if not url else ["-m", "gunicorn", "-c", "config/gunicorn.py", "-b", "127.0.0.1:PORT", "config.wsgi"]
    with ours.serving(*command) as address:
        links = ours.facts("invite", experiment, "--raters", str(raters))
        yield Side(httpx.URL(address).port or 0, [seated(address, link["url"]) for link in links])


def seated(address: str, link: str) -> dict[str, Any]:
    """A rater's cookies and the first pair's form."""
    with httpx.Client(follow_redirects=True, timeout=30) as client:
        mine = address + link[link.index("/r/") :]
        client.post(mine, data=Form(client.get(mine).text).fields)
        fields = Form(client.get(f"{address}/rate/").text, "pair").fields
        return {"path": "/rate/", "cookies": cookies_of(client), "fields": fields}


def cookies_of(client: httpx.Client) -> str:
    """As a header."""
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


@contextmanager
def bare(folder: Path, url: str, users: int) -> Iterator[Side]:
    """The bare application with users who are signed in."""
    (folder / "bare").mkdir()
    name = "bare" if url else str(folder / "bare" / "bare.sqlite3")
    if url:  # of its own: two applications cannot keep their notes on migrations in one database
        with psycopg.connect(url, autocommit=True) as server:
            server.execute("DROP DATABASE IF EXISTS bare WITH (FORCE)")
            server.execute("CREATE DATABASE bare")
    other = installation(folder / "bare", url, DJANGO_SETTINGS_MODULE="bench.bare.settings", BARE_DATABASE=name)
    words = [sys.executable, "-m", "bench.bare.seats", str(users)]
    made = subprocess.run(words, cwd=CHECKOUT, env=other.environment, stdout=subprocess.PIPE, text=True, check=True)
    command = ["-m", "gunicorn", "-c", "bench/bare/gunicorn.py", "-b", "127.0.0.1:PORT", "bench.bare.wsgi"]
    with other.serving(*command) as address:
        seats = []
        for key in json.loads(made.stdout):
            with httpx.Client(cookies={"sessionid": key}) as client:
                fields = Form(client.get(f"{address}/").text).fields
                seats.append({"path": "/", "cookies": cookies_of(client), "fields": fields})
        yield Side(httpx.URL(address).port or 0, seats)


def write_files(folder: Path) -> None:
    """The samples' requests and answers, as often as pairs are needed."""
    for name, source in (("inputs", "inputs"), ("one", "hosted"), ("other", "managed")):
        rows = [json.loads(line) for line in (SAMPLES / f"{source}.jsonl").open()]
        repeated = [{**rows[n % len(rows)], "id": f"{n}-{rows[n % len(rows)]['id']}"} for n in range(INPUTS)]
        (folder / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in repeated))
    (folder / "bench.toml").write_text(EXPERIMENT)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUTF8", "1")
    sys.exit(main())
