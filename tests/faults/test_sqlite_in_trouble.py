"""The file locked, its disk full or read-only, the file gone: a clear sentence, nothing spoilt, no restart needed."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.faults.assault import rows
from tests.faults.at_the_desk import Sitting, apologises
from tests.faults.disks import a_real_disk, a_small_disk, break_off, immutable, make_read_only
from tests.faults.killable import Web, folders, started, until
from tests.faults.scene import set_up
from tests.journeys.drivers import Installation, RaterBrowser
from tests.needs import CHECKOUT

pytestmark = pytest.mark.processes
MEGABYTES = 40
THREADS = 16


class Desk(Sitting):
    """A rater in front of a pair, on a disk that is easily filled."""

    def __init__(self, here: Installation, web: Web, link: str) -> None:
        super().__init__(here, web, RaterBrowser(web.address + link))
        self.file = Path(here.environment["BLINDPAIR_DATA"]) / "blindpair.sqlite3"
        self.before = self.judgments()

    def saved_once(self) -> None:
        until(lambda: self.vote().status_code == 303)
        assert self.vote().status_code == 303
        assert self.judgments() == self.before + 1
        assert rows(self.here, "PRAGMA integrity_check") == [("ok",)]

    def reads(self, _: int) -> int:
        page = f"{self.web.address}/rate/done/"
        return httpx.get(page, cookies=self.rater.client.cookies, timeout=60).status_code

    def part(self, name: str) -> str:
        answer = httpx.get(f"{self.web.address}/readyz", timeout=60)
        said = str(answer.json()["parts"][name])
        assert said == "ok" or answer.status_code == 503, "a probe looks at the number"
        return said


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installation, Web, Iterator[str]]]:
    with folders("here") as (folder,), a_small_disk(folder / "disk", megabytes=MEGABYTES) as disk:
        here = Installation(folder, BLINDPAIR_DATA=str(disk), SQLITE_PATIENCE="2")
        (links,) = set_up(here, inputs=6, raters=4)
        web = Web(here)
        with started(web):
            yield here, web, iter(links)


@pytest.fixture
def desk(house: tuple[Installation, Web, Iterator[str]]) -> Desk:
    here, web, links = house
    return Desk(here, web, next(links))


def fill(path: Path) -> None:
    """Take all the room there is."""
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


@contextmanager
def served_from(disk: Path, folder: Path) -> Iterator[Desk]:
    """An installation of its own on this disk."""
    here = Installation(folder, BLINDPAIR_DATA=str(disk), SQLITE_PATIENCE="20")
    ((link,),) = set_up(here, inputs=2, raters=1)
    web = Web(here)
    with started(web):
        yield Desk(here, web, link)


def test_locked_by_another_tool(desk: Desk) -> None:
    with closing(sqlite3.connect(desk.file)) as tool:
        tool.execute("BEGIN IMMEDIATE")
        apologises(desk.vote(), 503)
        assert desk.rater.client.get(f"{desk.web.address}/rate/done/").status_code == 200, "reading goes on"
    desk.saved_once()


def test_the_disk_full(desk: Desk) -> None:
    filler = desk.file.parent / "filler"
    with pytest.raises(OSError, match="No space left"):
        fill(filler)
    apologises(desk.vote(), 507)
    assert "full" in desk.part("room")
    filler.unlink()
    desk.saved_once()
    assert desk.part("room") == "ok"


def test_the_file_removed_while_it_is_served(desk: Desk) -> None:
    elsewhere = desk.file.with_name("elsewhere")
    desk.file.rename(elsewhere)
    apologises(desk.vote(), 503)
    assert "removed or replaced" in desk.part("database")
    assert not desk.file.exists(), "no empty database in its place"
    elsewhere.rename(desk.file)
    desk.saved_once()


def test_a_read_only_disk_is_refused_at_the_start_in_one_sentence(tmp_path: Path) -> None:
    with a_small_disk(tmp_path / "disk", megabytes=MEGABYTES) as disk:
        here = Installation(tmp_path, BLINDPAIR_DATA=str(disk))
        set_up(here, inputs=1, raters=1)
        make_read_only(disk)
        ended = subprocess.run(
            [sys.executable, "manage.py", "up"],
            cwd=CHECKOUT,
            env=here.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode != 0
        assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr
        assert "read-only" in ended.stderr.lower()


def test_files_made_read_only_while_they_are_served_and_then_given_back(tmp_path: Path) -> None:
    with a_real_disk(tmp_path / "disk", megabytes=MEGABYTES) as disk, served_from(disk, tmp_path) as desk:
        files = [desk.file.with_name(desk.file.name + ending) for ending in ("", "-wal", "-shm")]
        with immutable(*files):
            apologises(desk.vote(), 503)
            assert desk.part("database") == "the database can only be read"
            with ThreadPoolExecutor(THREADS) as elsewhere:  # every thread of the server opens the file as it is now
                assert set(elsewhere.map(desk.reads, range(4 * THREADS))) == {200}, "reading goes on"
        assert desk.part("database") == "ok"
        desk.saved_once()
        for _ in range(2 * THREADS):
            assert desk.vote().status_code == 303, "and whichever thread is asked"


def test_a_disk_that_turns_read_only_under_the_server_is_told_and_nothing_is_spoilt(tmp_path: Path) -> None:
    with a_real_disk(tmp_path / "disk", megabytes=MEGABYTES) as disk:
        with served_from(disk, tmp_path) as desk:
            assert desk.vote().status_code == 303
            desk.rater.page = desk.rater.client.get(f"{desk.web.address}/rate/")
            break_off(disk)
            apologises(desk.vote(), 503)
            assert desk.part("room") == "the data folder is read-only"
            assert httpx.get(f"{desk.web.address}/healthz", timeout=60).status_code == 200
        copy = tmp_path / "copy.sqlite3"
        for ending in ("", "-wal"):
            copy.with_name(copy.name + ending).write_bytes(desk.file.with_name(desk.file.name + ending).read_bytes())
        with closing(sqlite3.connect(copy)) as file:
            assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert file.execute("SELECT count(*) FROM ratings_judgment").fetchone() == (1,)
