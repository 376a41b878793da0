"""What a kill, an older program or a second start finds: migrations go on, a newer database is refused."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.faults.asked import add_asked
from tests.faults.assault import rows
from tests.faults.killable import SECRETS, Postgres, Server, Web, Worker, folders, started, until
from tests.faults.owners import EMAIL, make_owner, sign_in
from tests.faults.scene import set_up
from tests.journeys.drivers import CommandFailed, Form, Installation
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
        postgres = Postgres(place, empty=True)
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
    here.make_ready()
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


def arriving(web: Web) -> list[int]:
    """How much of each upload that is on its way in the processes have written down, in files without a name."""
    sizes = []
    for pid in web.family():
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                if "/uploads/" in os.readlink(link):
                    sizes.append(link.stat().st_size)
            except FileNotFoundError:
                continue  # closed meanwhile
    return sizes


def an_upload(owner: httpx.Client, web: Web, draft: int) -> bytes:
    """A form with a file of some megabytes, byte by byte."""
    page = f"/experiments/{draft}/inputs/new/"
    token = Form(owner.get(page).text).fields["csrfmiddlewaretoken"]
    lines = [json.dumps({"id": f"row {number}", "input": "words " * 100}) for number in range(9000)]
    field = 'Content-Disposition: form-data; name="'
    form = f'--XX\r\n{field}csrfmiddlewaretoken"\r\n\r\n{token}\r\n--XX\r\n{field}file"; filename="many.jsonl"\r\n'
    body = f"{form}\r\n" + "\n".join(lines) + "\r\n--XX--\r\n"
    cookies = "; ".join(f"{name}={value}" for name, value in owner.cookies.items())
    head = f"POST {page} HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\nConnection: close\r\nCookie: {cookies}\r\n"
    head += f"Content-Type: multipart/form-data; boundary=XX\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


def test_killed_in_the_middle_of_an_upload_which_then_never_was(tmp_path: Path) -> None:
    here = Installation(tmp_path)
    here.make_ready()
    make_owner(here)
    add_asked(here, "http://127.0.0.1:9/v1", inputs=1, owner=EMAIL)
    ((draft,),) = rows(here, "SELECT id FROM experiments_experiment")
    uploads = Path(here.environment["BLINDPAIR_DATA"]) / "uploads"
    web = Web(here)

    def nothing_is_there() -> bool:
        staged = rows(here, "SELECT count(*) FROM experiments_staged")[0][0]
        return (
            not list(uploads.iterdir())
            and rows(here, "SELECT count(*) FROM experiments_input") == [(1,)]
            and not staged
        )

    with started(web), httpx.Client(base_url=web.address, timeout=60) as owner:
        sign_in(owner)
        whole = an_upload(owner, web, draft)
        with socket.create_connection(("127.0.0.1", web.port)) as wire:
            wire.sendall(whole[: len(whole) * 2 // 3])
            until(lambda: any(size > 1_000_000 for size in arriving(web)))
            web.kill()
        assert nothing_is_there()
        web.start()
        assert nothing_is_there()
        with socket.create_connection(("127.0.0.1", web.port)) as wire:
            wire.sendall(whole)
            assert wire.makefile("rb").readline().split()[1] == b"302", "sent again, it goes on to the preview"
        assert rows(here, "SELECT count(*) FROM experiments_staged") == [(1,)]
        assert list(uploads.iterdir()) == []


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
