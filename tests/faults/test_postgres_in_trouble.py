"""Postgres killed, frozen, full of clients, read-only or hanging up: 503 with a word on when to come again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import psycopg
import pytest

from tests.faults.assault import rows
from tests.faults.at_the_desk import SittingOnPostgres, apologises
from tests.faults.killable import Postgres, Web, folders, scaled, started, until
from tests.faults.scene import set_up
from tests.journeys.drivers import Installation, RaterBrowser

pytestmark = [pytest.mark.processes, pytest.mark.postgres]
LOOKS = 24
CONNECTIONS = 14  # as many as Postgres takes here


class Desk(SittingOnPostgres):
    """A rater in front of a pair, and the servers behind it. There is no Redis at all."""

    def saved_once(self, before: int) -> None:
        """The pair on the screen gets its judgment, sent as often as it takes, and keeps one."""
        until(lambda: self.vote().status_code == 303)
        settled(self.web)
        assert self.vote().status_code == 303
        assert self.judgments() == before + 1

    def ready(self) -> dict[str, str]:
        return ready(self.web)


def ready(web: Web) -> dict[str, str]:
    answer = httpx.get(f"{web.address}/readyz", timeout=60)
    assert (answer.status_code == 200) == answer.json()["ready"]
    return dict(answer.json()["parts"])


def settled(web: Web) -> None:
    """Each process finds the database again by itself; one of so many looks in a row meets each of them."""
    until(lambda: all(ready(web)["database"] == "ok" for _ in range(LOOKS)))


@pytest.fixture(scope="module")
def house() -> Iterator[tuple[Installation, Postgres, Web, Iterator[str]]]:
    with folders("here", "postgres") as (folder, place), ExitStack() as stack:
        postgres = Postgres(place, f"max_connections={CONNECTIONS}", "superuser_reserved_connections=0")
        stack.enter_context(started(postgres))
        here = scaled(folder, postgres, None)
        (links,) = set_up(here, inputs=6, raters=8)
        web = Web(here)
        stack.enter_context(started(web))
        yield here, postgres, web, iter(links)


@pytest.fixture
def desk(house: tuple[Installation, Postgres, Web, Iterator[str]]) -> Desk:
    here, postgres, web, links = house
    settled(web)
    return Desk(here, web, RaterBrowser(web.address + next(links)), postgres)


def test_killed_and_started_again(desk: Desk) -> None:
    before = desk.judgments()
    desk.postgres.kill()
    apologises(desk.vote())
    for path in ("/rate/", "/", "/login/", "/rate/done/"):
        answer = desk.rater.client.get(f"{desk.web.address}{path}", timeout=60)
        assert answer.status_code in {200, 503}, path  # what asks no database needs none
    assert desk.ready()["database"] == "the database does not answer"
    assert httpx.get(f"{desk.web.address}/healthz", timeout=60).status_code == 200
    desk.postgres.start()
    desk.saved_once(before)  # and every process is ready


def test_frozen_in_the_middle(desk: Desk) -> None:
    before = desk.judgments()
    with desk.postgres.frozen():
        apologises(desk.vote())
        apologises(desk.vote())
    desk.saved_once(before)


def test_every_idle_connection_hung_up_is_not_even_noticed(desk: Desk) -> None:
    before = desk.judgments()
    desk.hang_up()
    assert desk.vote().status_code == 303
    assert desk.judgments() == before + 1


def test_a_connection_hung_up_in_the_middle_of_a_vote_costs_a_second_try(desk: Desk) -> None:
    before = desk.judgments()
    with psycopg.connect(desk.postgres.url) as holder, ThreadPoolExecutor(1) as elsewhere:
        holder.execute("SELECT * FROM ratings_rater FOR UPDATE")  # the vote waits for it, and is hung up on meanwhile
        waiting = elsewhere.submit(desk.vote)
        blocked = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        until(lambda: bool(rows(desk.here, blocked)))
        rows(desk.here, f"SELECT pg_terminate_backend(pid) FROM ({blocked}) AS waiting")
        until(lambda: bool(rows(desk.here, blocked)))  # it came back by itself
        holder.rollback()
        assert waiting.result().status_code == 303
    assert desk.judgments() == before + 1


def test_no_room_for_one_more_client(desk: Desk) -> None:
    before = desk.judgments()
    with ExitStack() as others:
        desk.hang_up()

        def full() -> bool:
            try:
                others.enter_context(psycopg.connect(desk.postgres.url))
            except psycopg.OperationalError:
                return True
            return False

        until(full)
        answer = desk.vote()
        if answer.status_code != 303:  # whoever kept a connection goes on
            apologises(answer)
    desk.saved_once(before)


def test_a_server_that_only_reads(desk: Desk) -> None:
    before = desk.judgments()
    rows(desk.here, "ALTER SYSTEM SET default_transaction_read_only = on")
    rows(desk.here, "SELECT pg_reload_conf()")
    desk.hang_up()
    try:
        until(lambda: rows(desk.here, "SHOW default_transaction_read_only") == [("on",)])
        apologises(desk.vote())
    finally:
        with psycopg.connect(desk.postgres.url, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute("ALTER SYSTEM RESET default_transaction_read_only")
            connection.execute("SELECT pg_reload_conf()")
    desk.saved_once(before)
