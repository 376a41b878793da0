"""Kills servers while raters vote, and compares what was acknowledged with what is stored."""

import asyncio
import random
import sqlite3
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from tests.faults.killable import Server
from tests.faults.voters import Tally, Voter
from tests.journeys.drivers import Installation

STORED = """
    SELECT j.key, a.token, j.verdict, j.judged_at FROM ratings_judgment j JOIN ratings_assignment a
    ON a.id = j.assignment_id
"""


@dataclass(frozen=True)
class Outcome:
    """Of all votes: acknowledged ones that are not stored, stored more often than once or without having been sent,
    counted otherwise than stored; and sent again although they had been stored."""

    acknowledged: int
    lost: int
    doubled: int
    drift: int
    absorbed: int


def kill_while_voting(
    port: int, links: list[list[str]], victims: Sequence[Server], *, votes: int, cut_share: float = 0.0, seed: int = 1
) -> Tally:
    """Let a rater for each list of links judge all they get; kill the victims one after the other, evenly over the
    votes to be expected, and start each again."""
    tally, draw = Tally(), random.Random(seed)
    voters = [Voter(port, one, tally, seed=number, cut_share=cut_share) for number, one in enumerate(links)]

    async def assault() -> None:
        voting = asyncio.gather(*(voter.vote(lambda: True) for voter in voters))
        for number, victim in enumerate(victims, 1):
            due = votes * (number - draw.uniform(0.2, 0.8)) / len(victims)
            while len(tally.acknowledged) < due and not voting.done():
                await asyncio.sleep(0.002)
            await asyncio.to_thread(victim.kill)
            await asyncio.to_thread(victim.start)
        await voting

    # In a thread of its own: Playwright's driver keeps a running loop in the thread of the tests.
    with ThreadPoolExecutor(1) as apart:
        apart.submit(lambda: asyncio.run(assault())).result()
    return tally


def compare(installation: Installation, tally: Tally) -> Outcome:
    """What is stored beside what was acknowledged."""
    found = stored(installation)
    acknowledged = {vote.key: vote for vote in tally.acknowledged}
    assert len(acknowledged) == len(tally.acknowledged)
    lost = [
        key for key, vote in acknowledged.items() if found.get(key, ("", ""))[:2] != (vote.assignment, vote.verdict)
    ]
    counts = Counter(assignment for assignment, _, _ in found.values())
    strange = found.keys() - acknowledged.keys()
    absorbed = [key for key, vote in acknowledged.items() if key in found and found[key][2] < vote.sent_at]
    experiments = [str(pk) for (pk,) in rows(installation, "SELECT id FROM experiments_experiment")]
    done = sum(installation.facts("status", pk)["judgments"]["done"] for pk in experiments)
    return Outcome(
        acknowledged=len(acknowledged),
        lost=len(lost),
        doubled=sum(count - 1 for count in counts.values()) + len(strange),
        drift=abs(done - len(found)),
        absorbed=len(absorbed),
    )


def stored(installation: Installation) -> dict[str, tuple[str, str, float]]:
    """Key -> handle of the pair, verdict, and when it was judged by the wall clock."""
    return {
        str(UUID(str(key))): (str(UUID(str(token))), verdict, _at(at))
        for key, token, verdict, at in rows(installation, STORED)
    }


def rows(installation: Installation, sql: str) -> list[tuple[Any, ...]]:
    """Ask the installation's database past the product."""
    if url := installation.environment.get("DATABASE_URL"):
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return list(cursor.fetchall()) if cursor.description else []
    path = f"{installation.environment['BLINDPAIR_DATA']}/blindpair.sqlite3"
    with closing(sqlite3.connect(path, timeout=20)) as file, file:
        return list(file.execute(sql).fetchall())


def _at(stored_at: datetime | str) -> float:
    if isinstance(stored_at, str):
        stored_at = datetime.fromisoformat(stored_at).replace(tzinfo=UTC)
    return stored_at.timestamp()
