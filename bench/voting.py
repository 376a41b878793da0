"""How many votes a second are taken and how long each takes, from raters who never pause (R1, R2, R3).

    .venv/bin/python bench/voting.py [--only embedded-16|embedded-100|scaled-200] [--votes N] [--seconds S]

Every leg serves experiments of 50 pairs, which all its raters judge, from gunicorn as the product starts it: on
SQLite (synchronous=FULL and the write lock), or on a throw-away Postgres with Redis and four processes. The voters
share one thread of this process, send forms as the page does, and take gzip. A leg ends after so many votes or seconds.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))
from tests.faults.killable import Postgres, Redis, Web, folders, scaled, started  # noqa: E402 - after the path is set
from tests.faults.scene import set_up  # noqa: E402
from tests.faults.voters import Tally, vote_together  # noqa: E402
from tests.journeys.drivers import Installation  # noqa: E402

PAIRS = 50


@dataclass(frozen=True)
class Leg:
    """A footing with so many raters, and what is to be reached."""

    goal: str
    voters: int
    votes: int
    least_rate: float
    longest_p99: float
    processes: int = 0


LEGS = {
    "embedded-16": Leg("R1", 16, 50_000, 120, 0.3),
    "embedded-100": Leg("R2", 100, 10_000, 120, 1.0),
    "scaled-200": Leg("R3", 200, 20_000, 150, 1.2, processes=4),
}


def main() -> int:
    """A line a leg; the exit code is 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=LEGS)
    parser.add_argument("--votes", type=int, help="of a leg, instead of its own number")
    parser.add_argument("--seconds", type=float, default=420, help="the longest a leg may vote")
    given = parser.parse_args()
    print("goal  leg            votes    votes/s (at least)   p50      p99 (at most)       5xx   locked")
    reached = [
        run(name, leg, given.votes or leg.votes, given.seconds)
        for name, leg in LEGS.items()
        if given.only in (None, name)
    ]
    return 0 if all(reached) else 1


def run(name: str, leg: Leg, votes: int, seconds: float) -> bool:
    """Serve, vote, print."""
    with serving(leg, votes) as (here, web, links):
        began = time.monotonic()
        tally = asyncio.run(until_enough(web.port, links, votes, began + seconds))
        taken = time.monotonic() - began
        locked = (here.folder / "log").read_text().count("database is locked")
    rate, p99 = len(tally.acknowledged) / taken, tally.quantile(0.99)
    failed = sum(count for status, count in tally.statuses.items() if status >= 500)
    print(
        f"{leg.goal:5} {name:13} {len(tally.acknowledged):6}   {rate:7.1f} ({leg.least_rate:.0f})"
        f"        {tally.quantile(0.5) * 1000:6.0f} ms {p99 * 1000:6.0f} ms ({leg.longest_p99 * 1000:.0f} ms)"
        f"  {failed:6} {locked:7}",
        flush=True,
    )
    return rate >= leg.least_rate and p99 <= leg.longest_p99 and failed == locked == 0


async def until_enough(port: int, links: list[list[str]], votes: int, deadline: float) -> Tally:
    """Everybody votes until there are enough, or it is late."""
    tally = Tally()

    def go_on() -> bool:
        return len(tally.acknowledged) < votes and time.monotonic() < deadline

    return await vote_together(port, links, go_on=go_on, tally=tally)


@contextmanager
def serving(leg: Leg, votes: int) -> Iterator[tuple[Installation, Web, list[list[str]]]]:
    """The leg's servers, and for each voter the links to judge one after the other."""
    experiments = votes // (leg.voters * PAIRS) + 1
    with folders("here", "postgres", "redis") as (folder, at_postgres, at_redis):
        servers: list[Postgres | Redis] = []
        here = Installation(folder)
        if leg.processes:
            postgres, broker = Postgres(at_postgres, "max_connections=150"), Redis(at_redis)
            servers = [postgres, broker]
            here = scaled(folder, postgres, broker, WEB_CONCURRENCY=str(leg.processes))
        with started(*servers):
            made = set_up(here, experiments=experiments, inputs=PAIRS, raters=leg.voters)
            web = Web(here)
            with started(web):
                yield here, web, [list(links) for links in zip(*made, strict=True)]


if __name__ == "__main__":
    sys.exit(main())
