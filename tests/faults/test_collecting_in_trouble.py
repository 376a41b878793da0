"""The database in trouble while answers are on their way: they are kept until it is well, and nothing stops."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.fakes.model_server import Asked, ModelServer, Reply, Until, chunk, stream
from tests.faults.asked import add_asked, fetch_again, fetched, polite
from tests.faults.assault import rows
from tests.faults.at_the_desk import hang_up
from tests.faults.disks import a_small_disk
from tests.faults.killable import Postgres, Server, Web, Worker, folders, scaled, started, until
from tests.faults.test_sqlite_in_trouble import fill
from tests.journeys.drivers import Installation

pytestmark = pytest.mark.processes
INPUTS, CALLS, MEGABYTES = 6, 4, 40
READ_ONLY, AWAY = "default_transaction_read_only", "database is away"
Felt = Iterator[Callable[[], bool]]


Trouble = Callable[["House"], AbstractContextManager[Callable[[], bool]]]


class House:
    """What collects, the server it asks, and the file or the Postgres that it saves to."""

    def __init__(self, here: Installation, server: ModelServer, store: Postgres | Path) -> None:
        self.here, self.server, self.store = here, server, store

    def survives(self, trouble: Trouble) -> None:
        """Every answer that was on its way when the trouble began is stored once it is over, and so are the others."""
        gate, before = threading.Event(), len(self.server.posts)
        self.server.script = held(gate)
        fetch_again(self.here)
        until(lambda: sum(self.asked(before).values()) == CALLS)
        with trouble(self) as felt:
            gate.set()
            until(felt)
        until(lambda: fetched(self.here) == INPUTS)
        assert self.asked(before) == Counter(f"Question {number}?" for number in range(INPUTS)), "each paid for once"
        stopped = "SELECT paused_at, trouble_kind FROM backends_system WHERE name = 'asked'"
        assert rows(self.here, stopped) == [(None, "")]

    def asked(self, since: int) -> Counter[str]:
        posts = self.server.posts[since:]
        return Counter(one.prompt for one in posts if one.prompt.startswith("Question"))


def says_more(log: Path, words: str) -> Callable[[], bool]:
    """Whether these words were written since."""
    before = log.read_text(errors="replace").count(words)
    return lambda: log.read_text(errors="replace").count(words) > before


def held(gate: threading.Event) -> Callable[[Asked], Reply]:
    """Answers that begin at once and end when the gate is opened."""

    def script(asked: Asked) -> Reply:
        if not asked.prompt.startswith("Question"):
            return polite(asked)
        said = chunk(f"You said: {asked.prompt}")
        return stream(chunk("", role="assistant"), Until(gate), said, chunk(finish="stop"))

    return script


@contextmanager
def collected(here: Installation, at_work: Server, store: Postgres | Path) -> Iterator[House]:
    with ModelServer(polite) as server:
        here.make_ready()
        add_asked(here, server.base_url, inputs=INPUTS, concurrency=CALLS)
        with started(at_work):
            here.run("collect", "asked")
            until(lambda: fetched(here) == INPUTS)
            yield House(here, server, store)


@pytest.fixture(scope="module")
def on_postgres() -> Iterator[House]:
    """A worker; there is no Redis at all."""
    with folders("here", "postgres") as (folder, place), ExitStack() as stack:
        postgres = Postgres(place)
        stack.enter_context(started(postgres))
        here = scaled(folder, postgres, None)
        yield stack.enter_context(collected(here, Worker(here), postgres))


@pytest.fixture(scope="module")
def on_sqlite() -> Iterator[House]:
    with folders("here") as (folder,), a_small_disk(folder / "disk", megabytes=MEGABYTES) as disk:
        here = Installation(folder, BLINDPAIR_DATA=str(disk), SQLITE_PATIENCE="2")
        with collected(here, Web(here), disk / "blindpair.sqlite3") as house:
            yield house


@contextmanager
def killed(house: House) -> Felt:
    assert isinstance(house.store, Postgres)
    house.store.kill()
    yield says_more(house.here.folder / "log", AWAY)
    house.store.start()


@contextmanager
def frozen(house: House) -> Felt:
    assert isinstance(house.store, Postgres)
    with house.store.frozen():
        yield lambda: True  # it refuses nothing: who asks it waits


@contextmanager
def only_read(house: House) -> Felt:
    assert isinstance(house.store, Postgres)
    rows(house.here, f"ALTER SYSTEM SET {READ_ONLY} = on")
    rows(house.here, "SELECT pg_reload_conf()")
    until(lambda: rows(house.here, f"SHOW {READ_ONLY}") == [("on",)])
    hang_up(house.here)
    yield says_more(house.store.folder / "log", "cannot execute UPDATE in a read-only transaction")
    with psycopg.connect(house.store.url, autocommit=True) as connection:
        connection.execute(f"SET {READ_ONLY} = off")
        connection.execute(f"ALTER SYSTEM RESET {READ_ONLY}")
        connection.execute("SELECT pg_reload_conf()")


@contextmanager
def locked(house: House) -> Felt:
    assert isinstance(house.store, Path)
    with closing(sqlite3.connect(house.store)) as tool:
        tool.execute("BEGIN IMMEDIATE")
        yield says_more(house.here.folder / "log", AWAY)


@contextmanager
def full(house: House) -> Felt:
    assert isinstance(house.store, Path)
    filler = house.store.parent / "filler"
    with pytest.raises(OSError, match="No space left"):
        fill(filler)
    yield says_more(house.here.folder / "log", AWAY)
    filler.unlink()


@pytest.mark.postgres
@pytest.mark.parametrize("trouble", [killed, frozen, only_read])
def test_a_worker_outlives_a_postgres(on_postgres: House, trouble: Trouble) -> None:
    on_postgres.survives(trouble)


@pytest.mark.parametrize("trouble", [locked, full])
def test_the_one_server_outlives_a_sqlite_file(on_sqlite: House, trouble: Trouble) -> None:
    on_sqlite.survives(trouble)
