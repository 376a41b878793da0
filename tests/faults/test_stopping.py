"""Asked to stop while eight calls run that would take far longer: nothing new is taken, and all are given back.

By the engine itself, within its own time: neither a request that never ends nor a broker that is gone holds it up.
"""

import runpy
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from backends.collecting import GIVE_BACK_SECONDS, STOP_SECONDS
from tests.fakes.model_server import Asked, ModelServer, Reply
from tests.faults.asked import add_asked, fetched, polite
from tests.faults.assault import rows
from tests.faults.killable import (
    PATIENCE_SECONDS,
    Postgres,
    Redis,
    Server,
    Web,
    Worker,
    folders,
    scaled,
    started,
    until,
)
from tests.journeys.drivers import Installation
from tests.needs import CHECKOUT

pytestmark = [pytest.mark.processes, pytest.mark.postgres, pytest.mark.redis]
CALLS, INPUTS = 8, 12
LONG_SECONDS = 300.0
GOAL_SECONDS = 20.0
OURS = "system_id IN (SELECT id FROM backends_system WHERE name = 'asked')"


def endless(asked: Asked) -> Reply:
    """Longer than anybody waits who stops a server; what is looked at before is answered at once."""
    return polite(asked, ttft=LONG_SECONDS if asked.prompt.startswith("Question") else 0.0)


class House:
    """What collects, and the server that it asks."""

    def __init__(self, here: Installation, at_work: Server, server: ModelServer) -> None:
        self.here, self.at_work, self.server = here, at_work, server

    def questions(self) -> Counter[str]:
        return Counter(one.prompt for one in self.server.posts if one.prompt.startswith("Question"))

    def states(self) -> dict[str, int]:
        return dict(rows(self.here, f"SELECT state, count(*) FROM backends_completion WHERE {OURS} GROUP BY state"))


@contextmanager
def collecting() -> Iterator[list[House]]:
    """The embedded server and a worker of the scaled footing, each with eight calls under way."""
    with ExitStack() as stack:
        places = stack.enter_context(folders("one", "other", "postgres", "redis"))
        servers = [stack.enter_context(ModelServer(endless)) for _ in range(2)]
        postgres, broker = Postgres(places[2]), Redis(places[3])
        stack.enter_context(started(postgres, broker))
        embedded, several = Installation(places[0]), scaled(places[1], postgres, broker)
        houses = [House(embedded, Web(embedded), servers[0]), House(several, Worker(several), servers[1])]
        for house in houses:
            house.here.make_ready()
            add_asked(house.here, house.server.base_url, inputs=INPUTS, concurrency=CALLS)
            stack.enter_context(started(house.at_work))
            house.here.run("collect", "asked")
        broker.kill()  # before, while or after the worker has reached it: the rows are found all the same
        for house in houses:
            until(lambda: sum(house.questions().values()) == CALLS)  # noqa: B023 - called at once
        yield houses


@pytest.mark.once
def test_the_times_to_stop_in_add_up_to_less_than_the_goal() -> None:
    assert STOP_SECONDS + GIVE_BACK_SECONDS < GOAL_SECONDS
    web: dict[str, object] = runpy.run_path(str(CHECKOUT / "config" / "gunicorn.py"))
    assert STOP_SECONDS + GIVE_BACK_SECONDS < float(str(web["graceful_timeout"])) < GOAL_SECONDS


@contextmanager
def a_request_that_never_ends(web: Web) -> Iterator[None]:
    """A form of which the last byte is missing."""
    with socket.create_connection(("127.0.0.1", web.port)) as wire:
        head = f"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\nContent-Length: 9\r\n\r\n"
        wire.sendall(f"{head}email=a".encode())
        yield


def test_calls_are_given_back_and_asked_once_more_after_the_next_start() -> None:
    with collecting() as houses, ExitStack() as stack:
        for house in houses:
            if isinstance(house.at_work, Web):
                stack.enter_context(a_request_that_never_ends(house.at_work))
            assert house.at_work.process is not None
            house.at_work.process.send_signal(signal.SIGTERM)
        for house in houses:
            assert house.at_work.process is not None
            until(lambda: house.states() == {"pending": INPUTS})  # noqa: B023 - called at once
            assert house.at_work.process.wait(PATIENCE_SECONDS) == 0, "by itself"
            assert house.states() == {"pending": INPUTS}, "every row waits again, none for a lease to run out"
            assert sum(house.questions().values()) == CALLS, "nothing new was taken"
            cut_off = set(house.questions())
            house.server.script = polite
            house.at_work.start()  # the worker without a broker, which is still gone
            until(lambda: fetched(house.here) == INPUTS)  # noqa: B023 - called at once
            asked = house.questions()
            assert {name: asked[name] for name in cut_off} == dict.fromkeys(cut_off, 2)
            assert set(asked.values()) == {1, 2}
            assert len(asked) == INPUTS
