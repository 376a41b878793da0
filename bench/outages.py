"""Redis gone or frozen, Postgres away: how fast work goes on, how long anybody waits, how soon it is over (R6, R7, R8).

    .venv/bin/python bench/outages.py [--completions 400] [--rounds 7] [--seconds 30] [--voters 16] [--only R6]

Everything runs scaled on throw-away servers. Completions are worked off by one worker at concurrency 8 from a server
whose first token takes 50 ms: in turns with Redis and without, so that what else the machine does meets both; the
share is the median over the rounds, each beside its neighbour, and the worker's processor time for an answer is told
as well, which hardly depends on who else is there. Voters vote all the time, so every request is one that matters.
"""

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))
from tests.fakes.model_server import ModelServer  # noqa: E402 - after the path is set
from tests.faults.asked import OURS, add_asked, fetch_again, fetched, polite  # noqa: E402
from tests.faults.assault import rows  # noqa: E402
from tests.faults.killable import Postgres, Redis, Web, Worker, folders, scaled, started, until  # noqa: E402
from tests.faults.scene import set_up  # noqa: E402
from tests.faults.voters import Tally, vote_together  # noqa: E402
from tests.journeys.drivers import Installation  # noqa: E402

PAIRS, EXPERIMENTS, CONCURRENCY = 50, 24, 8
FROZEN_SECONDS = 10
NAMES = ("rate", "cpu")


def main() -> int:
    """A line a goal; the exit code is 1 where one is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--completions", type=int, default=400, help="in each round")
    parser.add_argument("--rounds", type=int, default=7, help="with Redis, and as many without")
    parser.add_argument("--only", choices=["R6"])
    parser.add_argument("--seconds", type=float, default=30, help="how long Postgres is away")
    parser.add_argument("--voters", type=int, default=16)
    given = parser.parse_args()
    with folders("here", "postgres", "redis") as (folder, at_postgres, at_redis):
        postgres, broker = Postgres(at_postgres, "max_connections=150"), Redis(at_redis)
        with started(postgres, broker):
            here = scaled(folder, postgres, broker)
            here.run("migrate", "--verbosity", "0")
            reached = [True] if given.only else voted(here, postgres, broker, given.voters, given.seconds)
            reached.append(redis_gone(here, broker, given.completions, given.rounds))
    return 0 if all(reached) else 1


def voted(here: Installation, postgres: Postgres, broker: Redis, voters: int, seconds: float) -> list[bool]:
    """R7 and R8, one after the other on the same server."""
    made = set_up(here, experiments=EXPERIMENTS, inputs=PAIRS, raters=voters)
    web = Web(here)
    seats = [list(links) for links in zip(*made, strict=True)]
    third = EXPERIMENTS // 3
    with started(web):
        frozen = redis_frozen(web, broker, [links[:third] for links in seats])
        return [frozen, postgres_away(web, postgres, [links[third:] for links in seats], seconds)]


def redis_frozen(web: Web, broker: Redis, seats: list[list[str]]) -> bool:
    """R7: the longest request while Redis is stopped in the middle of whatever it does."""
    with broker.frozen():
        tally = voting(web, seats, lambda: time.sleep(FROZEN_SECONDS))
    longest = max(tally.seconds)
    print(f"R7  Redis frozen: {len(tally.seconds)} votes, longest {longest:.2f} s (at most 1.5 s)", flush=True)
    return longest <= 1.5 and not tally.refusals


def postgres_away(web: Web, postgres: Postgres, seats: list[list[str]], seconds: float) -> bool:
    """R8: what is answered while Postgres is away, and how soon votes are taken again."""
    back: list[float] = []

    def outage() -> None:
        time.sleep(2)
        postgres.kill()
        time.sleep(seconds)
        postgres.start()
        back.append(time.monotonic())
        time.sleep(15)

    tally = voting(web, seats, outage)
    longest = max((one.seconds for one in tally.refusals), default=0.0)
    late = max((one.at for one in tally.refusals), default=back[0]) - back[0]
    good = bool(tally.refusals) and all(one.status == 503 and "retry-after" in one.headers for one in tally.refusals)
    print(
        f"R8  Postgres away {seconds:.0f} s: {len(tally.refusals)} requests refused, all 503 with Retry-After: {good}, "
        f"longest {longest:.2f} s (at most 5 s), last refusal {late:.1f} s after its return (at most 5 s)",
        flush=True,
    )
    return good and longest <= 5 and late <= 5


def voting(web: Web, seats: list[list[str]], meanwhile: Callable[[], None]) -> Tally:
    """Everybody votes for as long as the other takes."""
    over: list[bool] = []

    async def both() -> Tally:
        votes = asyncio.ensure_future(vote_together(web.port, seats, go_on=lambda: not over))
        await asyncio.to_thread(meanwhile)
        over.append(True)
        return await votes

    return asyncio.run(both())


@dataclass(frozen=True)
class Round:
    """Answers a second from the first to the last, and the worker's processor time for each, in milliseconds."""

    rate: float
    cpu: float


def redis_gone(here: Installation, broker: Redis, completions: int, rounds: int) -> bool:
    """R6: the rate of completions without Redis beside the rate with it."""
    there, gone = [], []
    with asked(here, completions) as worker, started(worker):
        measured(here, worker, completions)  # what is slow only once is over
        for number in range(rounds):
            for without in (False, True) if number % 2 else (True, False):
                if without:
                    broker.kill()
                (gone if without else there).append(measured(here, worker, completions))
                if without:
                    broker.start()
    share = statistics.median(one.rate / other.rate for one, other in zip(gone, there, strict=True))
    rates, times = ([statistics.median(getattr(one, name) for one in some) for some in (gone, there)] for name in NAMES)
    print(
        f"R6  Redis gone: {rates[0]:.1f} completions/s instead of {rates[1]:.1f}/s, {share:.3f} in the median of "
        f"{rounds} rounds (at least 0.95); {times[0]:.2f} ms of processor time for each instead of {times[1]:.2f}",
        flush=True,
    )
    return share >= 0.95


@contextmanager
def asked(here: Installation, completions: int) -> Iterator[Worker]:
    """The experiment collected once, and a worker to do it again."""
    with ModelServer(partial(polite, ttft=0.05)) as server:
        add_asked(here, server.base_url, inputs=completions, concurrency=CONCURRENCY)
        here.run("collect", "asked", "--wait")
        yield Worker(here)


def measured(here: Installation, worker: Worker, completions: int) -> Round:
    """Every answer once more."""
    until(lambda: fetched(here) == completions)
    fetch_again(here)
    busy = processor_seconds(worker)
    while fetched(here) < completions:
        time.sleep(0.1)
    spent = processor_seconds(worker) - busy
    sql = f"SELECT extract(epoch FROM max(finished_at) - min(finished_at)) FROM backends_completion WHERE {OURS}"
    return Round(rate=(completions - 1) / float(rows(here, sql)[0][0]), cpu=1000 * spent / completions)


def processor_seconds(worker: Worker) -> float:
    """What the worker has used so far, with its children."""
    ticks = 0
    for pid in worker.family():
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(words[11]) + int(words[12])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
