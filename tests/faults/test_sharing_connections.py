"""Web processes share the connections that browsers keep: none of them holds all while its siblings sleep."""

import http.client
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.faults.killable import Postgres, Redis, Web, folders, scaled, started, until

pytestmark = [pytest.mark.processes, pytest.mark.postgres, pytest.mark.redis, pytest.mark.once]
PROCESSES, BROWSERS, THREADS = 3, 60, 4
ROOM = 4  # more than a fair share that a process may keep


@contextmanager
def served() -> Iterator[Web]:
    with folders("here", "postgres", "redis") as (here, at_postgres, at_redis):
        postgres, broker = Postgres(at_postgres), Redis(at_redis)
        with started(postgres, broker):
            at = scaled(here, postgres, broker, WEB_CONCURRENCY=str(PROCESSES), WEB_THREADS=str(THREADS))
            at.run("migrate")
            web = Web(at)
            with started(web):
                yield web


def held_by(web: Web) -> list[int]:
    """How many connections of its port each process holds."""
    inodes = {
        line.split()[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{web.port:04X}") and line.split()[3] == "01"
    }
    return [len(inodes & sockets_of(process)) for process in children_of(web)]


def children_of(web: Web) -> list[int]:
    assert web.process is not None
    parent = web.process.pid
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def sockets_of(process: int) -> set[str]:
    found = set()
    for place in Path(f"/proc/{process}/fd").iterdir():
        try:
            found.add(os.readlink(place).removeprefix("socket:[").removesuffix("]"))
        except FileNotFoundError:  # closed meanwhile
            continue
    return found


def test_a_process_that_took_every_connection_gives_up_those_above_its_share() -> None:
    with served() as web, ExitStack() as stack:
        browsers = [http.client.HTTPConnection("127.0.0.1", web.port, timeout=30) for _ in range(BROWSERS)]
        for browser in browsers:
            stack.callback(browser.close)

        def asked_once_more() -> list[int]:
            for browser in browsers:
                browser.request("GET", "/healthz")
            for browser in browsers:
                answer = browser.getresponse()
                assert answer.status == 200
                answer.read()
            return held_by(web)

        _, *others = children_of(web)
        for other in others:
            os.kill(other, signal.SIGSTOP)
        for browser in browsers:
            browser.connect()
        until(lambda: sorted(held_by(web)) == [0, 0, BROWSERS])
        for other in others:
            os.kill(other, signal.SIGCONT)
        until(lambda: spread(asked_once_more()))


def spread(held: list[int]) -> bool:
    """Nobody has more than a fair share, and every connection is kept."""
    return sum(held) == BROWSERS and max(held) <= BROWSERS / PROCESSES + ROOM
