"""Answers fetched while servers are killed with SIGKILL: what is lost, stored twice, asked for in vain (R5).

    .venv/bin/python bench/collecting_kills.py [--completions 5000] [--kills 20] [--only embedded|scaled]

Scaled, two workers, Redis and Postgres are killed; embedded, the one server is. The kills come at random places. The
last one strikes whatever collects, both workers at once, while as many calls are under way as may be and none is
answered: every one of their leases has to run out, and what follows is what such a kill costs, half a minute.
Goal: 0 lost, 0 stored twice, at most as many calls in vain as were under way (and at least those of the last kill, or
nothing was proven), all there a lease and 2 s after the last kill.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))
from tests.fakes.model_server import Asked, Hang, ModelServer, Reply  # noqa: E402 - after the path is set
from tests.faults.asked import add_asked, fetched, polite  # noqa: E402
from tests.faults.assault import rows  # noqa: E402
from tests.faults.killable import Postgres, Redis, Server, Web, Worker, folders, scaled, started, until  # noqa: E402
from tests.journeys.drivers import Installation  # noqa: E402

CONCURRENCY, LEASE_SECONDS, TTFT = 8, 30, 0.05
ANSWERED = """
    SELECT i.external_id, c.state, c.raw_text FROM backends_completion c JOIN experiments_input i ON i.id = c.input_id
    JOIN backends_system s ON s.id = c.system_id WHERE s.name = 'asked'
"""
STORED = "SELECT input_id FROM experiments_output WHERE text LIKE 'You said%'"


def main() -> int:
    """A line a footing; the exit code is 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--completions", type=int, default=5_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--only", choices=["embedded", "scaled"])
    given = parser.parse_args()
    legs = {"embedded": embedded, "scaled": on_postgres}
    reached = [leg(given.completions, given.kills) for name, leg in legs.items() if given.only in (None, name)]
    return 0 if all(reached) else 1


def embedded(completions: int, kills: int) -> bool:
    """One process tree on SQLite."""
    with folders("here") as (folder,):
        here = Installation(folder)
        with asked(here, completions) as server:
            web = Web(here)
            with started(web):
                return survived("embedded", here, server, victims=[[web]] * kills, completions=completions)


def on_postgres(completions: int, kills: int) -> bool:
    """Everything that collects on the scaled footing; the last to be killed are the workers."""
    with folders("here", "postgres", "redis") as (folder, at_postgres, at_redis):
        postgres, broker = Postgres(at_postgres), Redis(at_redis)
        with started(postgres, broker):
            here = scaled(folder, postgres, broker)
            with asked(here, completions) as server:
                workers = [Worker(here, name) for name in ("one", "two")]
                every: list[Server] = [*workers, broker, postgres]
                victims = [[every[number % len(every)]] for number in range(kills - 1)]
                random.Random(7).shuffle(victims)
                with started(*workers):
                    return survived("scaled", here, server, victims=[*victims, workers], completions=completions)


@contextmanager
def asked(here: Installation, completions: int) -> Iterator[ModelServer]:
    """A server of answers, and an experiment whose rows wait for it."""
    with ModelServer(partial(polite, ttft=TTFT)) as server:
        here.run("migrate", "--verbosity", "0")
        here.run("collectstatic", "--noinput", "--verbosity", "0")
        add_asked(here, server.base_url, inputs=completions, concurrency=CONCURRENCY)
        here.run("collect", "asked")
        yield server


def survived(
    name: str, here: Installation, server: ModelServer, *, victims: Sequence[Sequence[Server]], completions: int
) -> bool:
    """Kill, wait, count, print."""
    began = time.monotonic()
    last = kill_while_collecting(here, server, victims, completions)
    until(lambda: fetched(here) == completions)
    end = time.monotonic()
    asked_for = Counter(one.prompt for one in server.posts if one.prompt.startswith("Question"))
    wasted = sum(asked_for.values()) - len(asked_for)
    answered = rows(here, ANSWERED)
    good = {
        item
        for item, state, text in answered
        if (state, text) == ("done", f"You said: Question {item.removeprefix('in')}?")
    }
    outputs = Counter(item for (item,) in rows(here, STORED))
    lost = completions - min(len(good), len(outputs))
    doubled = len(answered) - completions + sum(outputs.values()) - len(outputs)
    print(
        f"{name:9} {completions} answers in {end - began:.0f} s, {len(victims)} kills: lost {lost}, stored twice "
        f"{doubled}, calls in vain {wasted} ({CONCURRENCY} to {CONCURRENCY * len(victims)}), all there "
        f"{end - last:.1f} s after the last kill, which struck {CONCURRENCY} calls (at most {LEASE_SECONDS + 2} s)",
        flush=True,
    )
    in_time = end - last <= LEASE_SECONDS + 2
    return lost == doubled == 0 and CONCURRENCY <= wasted <= CONCURRENCY * len(victims) and in_time


def kill_while_collecting(
    here: Installation, server: ModelServer, victims: Sequence[Sequence[Server]], completions: int
) -> float:
    """Kill each group and start it again, evenly over the answers; when the last kill was, in the middle of calls."""
    # Early enough that as many can be asked as may be, though the leases of all earlier kills may still run.
    draw, last = random.Random(1), completions - (len(victims) + 1) * CONCURRENCY
    for number, group in enumerate(victims, 1):
        is_last = number == len(victims)
        due = last if is_last else last * (number - draw.uniform(0.2, 0.8)) / len(victims)
        until(lambda: fetched(here) >= due)  # noqa: B023 - called at once
        if is_last:
            hold_calls(server)
        for victim in group:
            victim.kill()
        killed = time.monotonic()
        server.script = partial(polite, ttft=TTFT)
        for victim in group:
            victim.start()
    return killed


def hold_calls(server: ModelServer) -> None:
    """No question is answered any more; returns when as many wait as may be under way."""
    waiting: list[str] = []

    def script(asked: Asked) -> Reply:
        if not asked.prompt.startswith("Question"):
            return polite(asked)
        waiting.append(asked.prompt)
        return Reply([Hang()])

    server.script = script
    until(lambda: len(waiting) == CONCURRENCY)


if __name__ == "__main__":
    sys.exit(main())
