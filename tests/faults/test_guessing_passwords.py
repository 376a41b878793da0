"""The eleventh try within five minutes is refused on both footings, also after a restart and with an emptied Redis."""

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
import redis

from tests.faults.killable import Postgres, Redis, Web, folders, scaled, started
from tests.faults.owners import make_owner, sign_in
from tests.journeys.drivers import Installation

pytestmark = pytest.mark.processes
TRIES = 10


@pytest.fixture(params=["embedded", pytest.param("scaled", marks=[pytest.mark.postgres, pytest.mark.redis])])
def house(request: pytest.FixtureRequest) -> Iterator[tuple[Installation, Redis | None]]:
    with folders("here", "postgres", "redis") as (folder, at_postgres, at_redis), ExitStack() as stack:
        here, broker = Installation(folder), None
        if request.param == "scaled":
            postgres, broker = Postgres(at_postgres), Redis(at_redis)
            stack.enter_context(started(postgres, broker))
            here = scaled(folder, postgres, broker)
        here.make_ready()
        make_owner(here)
        yield here, broker


def test_the_eleventh_try_is_refused_and_stays_refused(house: tuple[Installation, Redis | None]) -> None:
    here, broker = house
    web = Web(here)

    def refused() -> bool:
        with httpx.Client(base_url=web.address, timeout=60) as client:  # a new browser, with the right password
            answer = sign_in(client)
            assert answer.status_code in {302, 429}
            assert answer.status_code == 302 or 0 < int(answer.headers["Retry-After"]) <= 300
            return answer.status_code == 429

    with started(web), httpx.Client(base_url=web.address, timeout=60) as guesser:
        assert [sign_in(guesser, f"guess number {number}").status_code for number in range(TRIES)] == [200] * TRIES
        assert refused()
        if broker is not None:
            with redis.Redis(port=broker.port) as client:
                client.flushall()
            assert refused()
        web.kill()
        web.start()
        assert refused()
