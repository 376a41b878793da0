"""Transactions that really meet in Postgres: a vote is tried once more, or told not to be saved; and lands once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from tests.faults.assault import kill_while_voting, rows, stored
from tests.faults.at_the_desk import SittingOnPostgres, apologises, hang_up
from tests.faults.killable import Postgres, Web, folders, scaled, started, until
from tests.faults.scene import set_up
from tests.journeys.drivers import Installation, RaterBrowser

pytestmark = [pytest.mark.processes, pytest.mark.postgres]
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND state = 'active'"
RATER, PAIR = "SELECT 1 FROM ratings_rater FOR UPDATE", "SELECT 1 FROM ratings_assignment FOR UPDATE"
FREE = f"SELECT count(*) FROM ({RATER} SKIP LOCKED) AS free"
HELD = f"SELECT count(*) - ({FREE}) FROM ratings_rater"
CHANGE = "UPDATE ratings_rater SET label = label"
CHANGE_PAIRS = "UPDATE ratings_assignment SET position = position"
CONFLICT = "could not serialize access"
ISOLATION = "default_transaction_isolation"


class Desk(SittingOnPostgres):
    """A rater in front of a pair, and somebody else in the same database."""

    def met(self, what: str) -> int:
        """How often Postgres says in its own log that it ended something for this reason."""
        return (self.postgres.folder / "log").read_text(errors="replace").count(what)

    def lands_once(self, before: int) -> None:
        until(lambda: self.vote().status_code == 303)
        assert self.vote().status_code == 303
        assert self.judgments() == before + 1


@pytest.fixture(scope="module")
def house() -> Iterator[tuple[Installation, Postgres, Web, Iterator[str]]]:
    with folders("here", "postgres") as (folder, place):
        postgres = Postgres(place, "deadlock_timeout=4s")  # looked for once a wait: the crossing must be there by then
        with started(postgres):
            here = scaled(folder, postgres, None)
            (links,) = set_up(here, inputs=6, raters=6)
            web = Web(here)
            with started(web):
                yield here, postgres, web, iter(links)


@pytest.fixture
def desk(house: tuple[Installation, Postgres, Web, Iterator[str]]) -> Desk:
    here, postgres, web, links = house
    return Desk(here, web, RaterBrowser(web.address + next(links)), postgres)


@contextmanager
def rival(desk: Desk) -> Iterator[psycopg.Connection[Any]]:
    """Another transaction, which leaves it to the vote to find out about a deadlock."""
    settings = "-c deadlock_timeout=5min -c default_transaction_isolation=read\\ committed"
    with psycopg.connect(desk.postgres.url, options=settings) as made:
        yield made


def waits(desk: Desk, many: int) -> None:
    until(lambda: rows(desk.here, WAITING) == [(many,)])


def wants_the_pair(desk: Desk) -> bool:
    """Whether the vote holds its rater already, and waits."""
    return rows(desk.here, HELD) == [(1,)] and rows(desk.here, WAITING) == [(1,)]


def test_a_real_deadlock_costs_the_vote_a_second_try(desk: Desk) -> None:
    before, met = desk.judgments(), desk.met("deadlock detected")
    with ThreadPoolExecutor(2) as elsewhere, rival(desk) as first:
        first.execute(PAIR)
        voting = elsewhere.submit(desk.vote)
        until(lambda: wants_the_pair(desk))
        crossing = elsewhere.submit(first.execute, RATER)  # this one holds the pair and wants the rater
        until(lambda: desk.met("deadlock detected") == met + 1)  # the vote gave way; either may have the rater now
        while not wait([crossing], timeout=0.1).done:
            first.cancel()
        first.rollback()
        assert voting.result().status_code == 303
    assert desk.met("deadlock detected") == met + 1
    assert desk.judgments() == before + 1


def test_a_deadlock_met_again_in_the_second_try_is_told_and_the_answer_lands_once(desk: Desk) -> None:
    before, met = desk.judgments(), desk.met("deadlock detected")
    with ThreadPoolExecutor(1) as elsewhere, rival(desk) as first:
        first.execute(PAIR)
        first.execute("SAVEPOINT without_the_rater")
        voting = elsewhere.submit(desk.vote)
        while not wait([voting], timeout=0.02).done:
            if wants_the_pair(desk):
                first.execute(RATER)  # until the vote has given way, once or, where it is quick, twice
                first.execute("ROLLBACK TO without_the_rater")
        first.rollback()
        apologises(voting.result())
    assert desk.met("deadlock detected") == met + 2
    assert desk.judgments() == before
    desk.lands_once(before)


@pytest.fixture
def strict(house: tuple[Installation, Postgres, Web, Iterator[str]]) -> Iterator[None]:
    """Every new connection of the role is SERIALIZABLE, as an operator may have set it."""
    here = house[0]
    rows(here, f"ALTER ROLE postgres SET {ISOLATION} = 'serializable'")
    hang_up(here)
    yield
    rows(here, f"ALTER ROLE postgres RESET {ISOLATION}")
    hang_up(here)


def test_a_real_serialization_failure_costs_the_vote_a_second_try(desk: Desk, strict: None) -> None:
    before, met = desk.judgments(), desk.met(CONFLICT)
    with ThreadPoolExecutor(1) as elsewhere, rival(desk) as first:
        first.execute(CHANGE)
        voting = elsewhere.submit(desk.vote)
        waits(desk, 1)
        first.commit()  # what the vote waits for is another row than the one it saw
        assert voting.result().status_code == 303
    assert desk.met(CONFLICT) == met + 1
    assert desk.judgments() == before + 1


def test_a_serialization_failure_in_both_tries_is_told_and_the_answer_lands_once(desk: Desk, strict: None) -> None:
    before, met = desk.judgments(), desk.met(CONFLICT)
    with ThreadPoolExecutor(1) as elsewhere, rival(desk) as first, rival(desk) as second:
        first.execute(CHANGE)  # in the way of whoever holds the rater
        second.execute(CHANGE_PAIRS)  # and of whoever saves a judgment
        voting = elsewhere.submit(desk.vote)
        waits(desk, 1)
        first.commit()
        until(lambda: desk.met(CONFLICT) == met + 1)
        waits(desk, 1)
        second.commit()
        apologises(voting.result())
    assert desk.met(CONFLICT) == met + 2
    assert desk.judgments() == before
    desk.lands_once(before)


def test_raters_together_on_a_serializable_database_lose_and_double_nothing(
    house: tuple[Installation, Postgres, Web, Iterator[str]], strict: None
) -> None:
    here, _, web, _ = house
    (links,) = set_up(here, inputs=12, raters=6)
    before = stored(here).keys()
    tally = kill_while_voting(web.port, [[one] for one in links], [], votes=72)
    assert len(tally.acknowledged) == 72
    assert set(tally.statuses) <= {200, 303, 503}
    found = {key: vote[:2] for key, vote in stored(here).items() if key not in before}
    assert found == {vote.key: (vote.assignment, vote.verdict) for vote in tally.acknowledged}
