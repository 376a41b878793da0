"""Votes while servers are killed with SIGKILL: what is lost, doubled, miscounted, sent again in vain (R4).

    .venv/bin/python bench/kills.py [--votes 10000] [--kills 5] [--only embedded|scaled]

Scaled, web, worker, Redis and Postgres are killed so often each; embedded, the one server is killed as often as all of
them together. Goal: 0 lost, 0 doubled, 0 drift, and more than 0 absorbed (or sending again was not needed).
"""

import argparse
import random
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))
from tests.faults.assault import Outcome, compare, kill_while_voting  # noqa: E402 - after the path is set
from tests.faults.killable import Postgres, Redis, Server, Web, Worker, folders, scaled, started  # noqa: E402
from tests.faults.scene import set_up  # noqa: E402
from tests.journeys.drivers import Installation  # noqa: E402

VOTERS, PAIRS = 16, 50


def main() -> int:
    """A line a footing; the exit code is 1 where something was lost or doubled, or the proof is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--votes", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=5, help="of each of the four servers")
    parser.add_argument("--only", choices=["embedded", "scaled"])
    given = parser.parse_args()
    legs = {"embedded": embedded, "scaled": on_postgres}
    found = [leg(given.votes, given.kills) for name, leg in legs.items() if given.only in (None, name)]
    return 0 if all(one.lost == one.doubled == one.drift == 0 and one.absorbed for one in found) else 1


def embedded(votes: int, kills: int) -> Outcome:
    """One process tree on SQLite."""
    with folders("here") as (folder,):
        here = Installation(folder)
        links = seats(here, votes)
        web = Web(here)
        with started(web):
            return assault(here, web, links, victims=[web] * (4 * kills), votes=votes)


def on_postgres(votes: int, kills: int) -> Outcome:
    """Everything of the scaled footing."""
    with folders("here", "postgres", "redis") as (folder, at_postgres, at_redis):
        postgres, broker = Postgres(at_postgres), Redis(at_redis)
        with started(postgres, broker):
            here = scaled(folder, postgres, broker)
            links = seats(here, votes)
            web, worker = Web(here), Worker(here)
            with started(web, worker):
                victims: list[Server] = [web, worker, broker, postgres] * kills
                random.Random(7).shuffle(victims)
                return assault(here, web, links, victims=victims, votes=votes)


def seats(here: Installation, votes: int) -> list[list[str]]:
    """For each voter the links to judge one after the other."""
    made = set_up(here, experiments=-(-votes // (VOTERS * PAIRS)), inputs=PAIRS, raters=VOTERS)
    return [list(links) for links in zip(*made, strict=True)]


def assault(here: Installation, web: Web, links: list[list[str]], *, victims: list[Server], votes: int) -> Outcome:
    """Vote, kill, compare, print."""
    name = "scaled" if "DATABASE_URL" in here.environment else "embedded"
    began = time.monotonic()
    tally = kill_while_voting(web.port, links, victims, votes=votes)
    taken = time.monotonic() - began
    outcome = compare(here, tally)
    print(
        f"{name:9} {outcome.acknowledged} votes acknowledged in {taken:.0f} s, {len(victims)} kills: "
        f"lost {outcome.lost}, doubled {outcome.doubled}, drift {outcome.drift}, "
        f"sent again though stored {outcome.absorbed}; broken lines {tally.broken}, apologies {len(tally.refusals)}, "
        f"other errors {sum(n for status, n in tally.statuses.items() if status >= 400 and status != 503)}",
        flush=True,
    )
    return outcome


if __name__ == "__main__":
    sys.exit(main())
