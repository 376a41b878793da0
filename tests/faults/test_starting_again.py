"""What a kill, an older program or a second start finds: migrations go on, a newer database is refused."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.faults.assault import rows
from tests.faults.killable import SECRETS, Postgres, Server, Web, Worker, folders, started, until
from tests.faults.scene import set_up
from tests.journeys.drivers import CommandFailed, Installation
from tests.needs import CHECKOUT

pytestmark = pytest.mark.processes
REMEDY = "Update the program, or restore a backup of this version."
KILLED_BEFORE_THE_NOTE = """
import os
from django.core.management import execute_from_command_line
from django.db.migrations.recorder import MigrationRecorder
note = MigrationRecorder.record_applied
MigrationRecorder.record_applied = lambda self, app, name: os._exit(9) if app == "accounts" else note(self, app, name)
execute_from_command_line(["manage.py", "migrate"])
"""


@contextmanager
def empty(footing: str) -> Iterator[Installation]:
    """An installation whose database has no table yet."""
    with folders("here", "postgres") as (folder, place):
        if footing == "sqlite":
            yield Installation(folder)
            return
        postgres = Postgres(place)
        with started(postgres):
            yield Installation(folder, DATABASE_URL=postgres.url, **SECRETS)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def here(request: pytest.FixtureRequest) -> Iterator[Installation]:
    with empty(request.param) as installation:
        yield installation


def applied(here: Installation) -> int:
    try:
        return int(rows(here, "SELECT count(*) FROM django_migrations")[0][0])
    except (sqlite3.DatabaseError, psycopg.Error):
        return 0


def alone(here: Installation) -> bool:
    """Whether Postgres has noticed that nobody else is there: it may still commit what a killed process sent last."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    return "DATABASE_URL" not in here.environment or rows(here, others) == [(0,)]


def test_a_migration_killed_twice_is_finished_by_the_next_run(here: Installation) -> None:
    words = [sys.executable, "manage.py", "migrate"]
    for enough in (3, 12):
        process = Server(words, environment=here.environment, folder=here.folder)
        process.start()
        until(lambda: applied(here) >= enough)  # noqa: B023 - called at once
        process.kill()
        until(lambda: alone(here))
    here.run("migrate")
    here.run("migrate", "--check")
    here.run("collectstatic", "--no-input")
    assert here.facts("doctor")
    set_up(here, inputs=1, raters=1)
    assert rows(here, "SELECT count(*) FROM ratings_comparison") == [(1,)]


def test_a_migration_killed_before_it_is_noted_is_made_again(here: Installation) -> None:
    words = [sys.executable, "-c", KILLED_BEFORE_THE_NOTE]
    environment = here.environment | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    killed = subprocess.run(words, cwd=CHECKOUT, env=environment, capture_output=True, check=False, timeout=120)
    assert killed.returncode == 9
    until(lambda: alone(here))
    here.run("migrate")
    here.run("migrate", "--check")


def test_a_newer_database_is_refused_by_whatever_starts(here: Installation) -> None:
    here.run("migrate")
    rows(here, "INSERT INTO django_migrations (app, name, applied) VALUES ('ratings', '0099_unheard_of', '2026-01-01')")
    with pytest.raises(CommandFailed, match="database is of a newer version") as refused:
        here.run("status", "any")
    assert "(ratings 0099_unheard_of)" in refused.value.line
    assert len(refused.value.line.splitlines()) == 1
    web = Web(here)
    web.words += ["--check-config"]
    ended = subprocess.run(
        web.words, cwd=CHECKOUT, env=web.environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode != 0
    assert "database is of a newer version" in ended.stderr
    assert "Traceback" not in ended.stderr
    worker = Worker(here)
    ended = subprocess.run(
        worker.words, cwd=CHECKOUT, env=worker.environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 1
    said = [line for line in ended.stderr.splitlines() if "database is of a newer version" in line]
    assert said == ["blindpair: the database is of a newer version (ratings 0099_unheard_of). " + REMEDY]
    assert "Traceback" not in ended.stderr


def test_a_second_server_on_the_same_file_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    here = Installation(tmp_path)
    set_up(here, inputs=1, raters=1)
    first = Web(here)
    with started(first):
        with pytest.raises(CommandFailed, match="already served by process") as refused:
            here.run("up", "--port", "0")
        assert len(refused.value.line.splitlines()) == 1
        second = Web(here)
        ended = subprocess.run(
            second.words,
            cwd=CHECKOUT,
            env=second.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert ended.returncode != 0
        assert "already served by process" in ended.stderr
        assert first.ready()
        with closing(sqlite3.connect(Path(here.environment["BLINDPAIR_DATA"]) / "blindpair.sqlite3")) as file:
            assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        os.kill(first.family()[0], 0)
