"""Redis killed, emptied, frozen, slow or full: raters and owners notice nothing, and work is found all the same."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
import redis

from tests.fakes.model_server import ModelServer
from tests.faults.asked import add_asked, fetch_again, fetched, polite
from tests.faults.assault import rows
from tests.faults.killable import Postgres, Redis, Web, Worker, folders, scaled, started, until
from tests.faults.scene import set_up
from tests.journeys.drivers import Installation, RaterBrowser
from tests.servers import free_port

pytestmark = [pytest.mark.processes, pytest.mark.postgres, pytest.mark.redis]
INPUTS = 6
LATENCY_SECONDS = 0.3


class Slow:
    """A way to Redis on which every word takes its time."""

    def __init__(self, port: int) -> None:
        self.behind, self.port = port, free_port()
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.late = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.behind))
            except OSError:
                if self.listener.fileno() == -1:
                    return
                client.close()
                continue
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while words := source.recv(65536):
                if self.late.is_set():
                    time.sleep(LATENCY_SECONDS)
                target.sendall(words)
        except OSError:
            pass
        source.close()
        target.close()


class House:
    """Everything of the scaled footing: an experiment that is being rated, and one whose answers are fetched."""

    def __init__(
        self, here: Installation, *, broker: Redis, way: Slow, web: Web, worker: Worker, links: list[str]
    ) -> None:
        self.here, self.broker, self.way, self.web, self.worker = here, broker, way, web, worker
        self.raters = iter(links)

    def goes_on(self) -> None:
        """Votes are taken and pages shown at once, and rows that wait are worked off."""
        assert fetched(self.here) == INPUTS
        rater = RaterBrowser(self.web.address + next(self.raters))
        form = rater.pair()
        assert form is not None
        fields = form.fields | {"verdict": "left"}
        before = rows(self.here, "SELECT count(*) FROM ratings_judgment")[0][0]
        assert rater.client.post(f"{self.web.address}/rate/", data=fields, follow_redirects=False).status_code == 303
        assert rows(self.here, "SELECT count(*) FROM ratings_judgment")[0][0] == before + 1
        assert httpx.get(f"{self.web.address}/login/", timeout=60).status_code == 200
        fetch_again(self.here)
        until(lambda: fetched(self.here) == INPUTS)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with folders("here", "postgres", "redis") as (folder, at_postgres, at_redis), ExitStack() as stack:
        server = stack.enter_context(ModelServer(polite))
        postgres, broker = Postgres(at_postgres), Redis(at_redis)
        stack.enter_context(started(postgres, broker))
        way = Slow(broker.port)
        here = scaled(folder, postgres, broker, REDIS_URL=f"redis://127.0.0.1:{way.port}/0")
        (links,) = set_up(here, inputs=4, raters=8)
        add_asked(here, server.base_url, inputs=INPUTS)
        web, worker = Web(here), Worker(here)
        stack.enter_context(started(web, worker))
        here.run("collect", "asked")
        until(lambda: fetched(here) == INPUTS)
        yield House(here, broker=broker, way=way, web=web, worker=worker, links=links)
        way.listener.close()


@contextmanager
def killed(house: House) -> Iterator[None]:
    house.broker.kill()
    yield
    house.broker.start()


@contextmanager
def restarted(house: House) -> Iterator[None]:
    house.broker.kill()
    house.broker.start()
    yield


@contextmanager
def emptied(house: House) -> Iterator[None]:
    with redis.Redis(port=house.broker.port) as client:
        client.flushall()
    yield


@contextmanager
def frozen(house: House) -> Iterator[None]:
    with house.broker.frozen():
        yield


@contextmanager
def slow(house: House) -> Iterator[None]:
    house.way.late.set()
    yield
    house.way.late.clear()


@contextmanager
def full(house: House) -> Iterator[None]:
    with redis.Redis(port=house.broker.port) as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1kb")
        yield
        client.config_set("maxmemory", "0")


def test_a_load_balancer_keeps_the_web_process_while_redis_is_away(house: House) -> None:
    with killed(house):
        answer = httpx.get(f"{house.web.address}/readyz", timeout=30)
        assert (answer.status_code, answer.json()["degraded"]) == (200, True)
    until(lambda: not httpx.get(f"{house.web.address}/readyz", timeout=30).json()["degraded"])


def test_a_worker_is_called_healthy_without_redis_and_ill_when_it_stands_still(house: House) -> None:
    with killed(house):
        long_ago(house.worker)
        until(house.worker.healthy)
        with house.worker.frozen():
            long_ago(house.worker)
            assert not house.worker.healthy()
        until(house.worker.healthy)


def long_ago(worker: Worker) -> None:
    """As if it had shown its last sign of life two minutes ago."""
    then = time.time() - 120
    os.utime(worker.heartbeat, (then, then))


@pytest.mark.parametrize("trouble", [emptied, full, slow, frozen, restarted, killed])
def test_nobody_notices(house: House, trouble: object) -> None:
    with trouble(house):  # type: ignore[operator]
        house.goes_on()
