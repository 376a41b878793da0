"""Each thing that `doctor` looks at, in order and out of order."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from backends.actions import add_endpoint
from config import health
from config.keys import encryption_key
from console import examination
from console.examination import Finding, examine
from tests.backends.scenes import a_collecting_experiment
from tests.conftest import ON_POSTGRES
from tests.faults.scene import set_up
from tests.journeys.drivers import Installation
from tests.servers import free_port

pytestmark = pytest.mark.django_db
NOBODY = "http://127.0.0.1:9/v1"


class Change:
    """What a planted fault may change: settings, names of modules, and a folder of its own."""

    def __init__(self, settings: Any, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self.settings, self.patch, self.folder = settings, patch, folder


@pytest.fixture
def change(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Change:
    settings.ENDPOINT_HOSTS = ["127.0.0.1"]
    return Change(settings, monkeypatch, tmp_path)


def found(part: str) -> Finding:
    (one,) = (one for one in examine() if one.part == part)
    return one


def the_database_is_away(change: Change) -> None:
    def away() -> None:
        raise DatabaseError("gone")

    change.patch.setattr(health.connection, "cursor", away)


def a_migration_is_missing(change: Change) -> None:
    MigrationRecorder.Migration.objects.filter(app="ratings").delete()


def redis_is_away(change: Change) -> None:
    change.settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"


def there_is_no_room(change: Change) -> None:
    change.patch.setattr(health, "LEAST_FREE_BYTES", 10**18)


def the_clock_is_wrong(change: Change) -> None:
    now = timezone.now() + timedelta(hours=1)
    change.patch.setattr(examination.timezone, "now", lambda: now)


def the_log_is_large(change: Change) -> None:
    change.patch.setattr(examination, "MOST_LOG_BYTES", -1)


def nobody_works(change: Change) -> None:
    a_collecting_experiment(NOBODY)
    change.settings.SCALED = True
    change.patch.setattr(examination, "MOST_SECONDS_UNTOUCHED", -1.0)


def the_ring_was_lost(change: Change) -> None:
    add_endpoint(name="ours", dialect="openai", base_url=NOBODY, secret="sk-something")
    change.settings.ENCRYPTION_KEYS = encryption_key()


def others_can_read_a_key(change: Change) -> None:
    change.settings.DATA_DIR = change.folder
    (change.folder / "secret.key").touch(mode=0o644)


def others_can_see_everything(change: Change) -> None:
    change.settings.DEBUG, change.settings.PUBLIC_URL = True, "https://rate.example.org"


def static_files_are_not_collected(change: Change) -> None:
    change.settings.SCALED = True
    storage = ManifestStaticFilesStorage(location=change.folder)
    change.patch.setattr(examination, "staticfiles_storage", storage)


def the_mail_server_is_away(change: Change) -> None:
    mail_at(change, free_port())


def the_disk_is_nearly_full(change: Change) -> None:
    change.patch.setattr(examination, "LEAST_FREE_BYTES", 10**18)


def mail_at(change: Change, port: int) -> None:
    change.settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
    change.settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    change.settings.EMAIL_HOST, change.settings.EMAIL_PORT = "127.0.0.1", port


# By part: what is planted, and what doctor says to do about it.
BAD: dict[str, tuple[Callable[[Change], None], str]] = {
    "database": (the_database_is_away, "does not answer"),
    "migrations": (a_migration_is_missing, "not applied; run `./blindpair migrate`"),
    "broker": (redis_is_away, "Redis does not answer; work goes on"),
    "room": (there_is_no_room, "the disk is full; make room"),
    "clock": (the_clock_is_wrong, "s apart from the database's: set up NTP"),
    "log file": (the_log_is_large, "something reads for very long; restart the server"),
    "worker": (nobody_works, "nobody works: start a worker"),
    "keys": (the_ring_was_lost, "no key of the ring opens the key of ours: enter it again"),
    "folder": (others_can_read_a_key, "others can read secret.key: chmod 600"),
    "settings": (others_can_see_everything, "DEBUG is on"),
    "static": (static_files_are_not_collected, "not collected: run `python manage.py collectstatic --no-input`"),
    "e-mail": (the_mail_server_is_away, "the server of EMAIL_URL does not answer"),
    "disk": (the_disk_is_nearly_full, "GB free"),
}
ELSEWHERE = {"log file"} if ON_POSTGRES else {"clock"}  # what cannot be wrong on this database
HAS_ITS_OWN = {"footing"}  # a spoilt file, below
ONLY_TELLS = {"versions"}


@pytest.mark.parametrize("part", sorted(BAD.keys() - ELSEWHERE))
def test_each_part_is_fine_until_a_fault_is_planted_and_then_is_named_with_its_remedy(
    part: str, change: Change
) -> None:
    plant, words = BAD[part]
    assert found(part).fine
    plant(change)
    said = found(part)
    assert not said.fine
    assert words in said.words


def test_every_part_has_its_fault() -> None:
    assert {one.part for one in examine()} == BAD.keys() | HAS_ITS_OWN | ONLY_TELLS
    assert all(one.fine for one in examine())


def test_what_cannot_be_wrong_on_this_database_says_why() -> None:
    reasons = {"log file": "kept by Postgres", "clock": "one clock: the database is a file of this machine"}
    for part in ELSEWHERE:
        assert found(part).words == reasons[part]
    assert found("versions").words.count("Python ") == 1


@contextmanager
def a_mail_server() -> Iterator[int]:
    """Takes connections, and says what a mail server says."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client, client.makefile("rwb", buffering=0) as wire:
                wire.write(b"220 here\r\n")
                while line := wire.readline():
                    wire.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 well\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@pytest.mark.once
def test_a_mail_server_that_answers_is_fine(change: Change) -> None:
    with a_mail_server() as port:
        mail_at(change, port)
        assert found("e-mail") == Finding("e-mail", fine=True, words="the server answers")


@pytest.mark.once
def test_collected_files_a_worker_at_work_and_a_ring_that_opens_are_fine(change: Change) -> None:
    add_endpoint(name="ours", dialect="openai", base_url=NOBODY, secret="sk-something")
    assert found("keys").words.endswith("every stored key opens")
    change.settings.SCALED = True
    assert found("worker").words.endswith("nothing waits untouched")
    (change.folder / "staticfiles.json").write_text('{"version": "1.1", "paths": {"a.css": "a.1.css"}, "hash": "1"}')
    change.patch.setattr(examination, "staticfiles_storage", ManifestStaticFilesStorage(location=change.folder))
    assert found("static").words == "1 files collected"


@pytest.mark.processes
def test_a_spoilt_file_is_found_by_the_command_which_exits_with_1(tmp_path: Path, checkout: Path) -> None:
    here = Installation(tmp_path)
    set_up(here, inputs=6, raters=1)
    assert {one["part"]: one["ok"] for one in here.facts("doctor")}["footing"]
    path = tmp_path / "var" / "blindpair.sqlite3"
    size = path.stat().st_size
    with path.open("r+b") as file:
        for place in range(size // 2 // 4096 * 4096, size, 8 * 4096):
            file.seek(place)
            file.write(os.urandom(2048))
    words = [sys.executable, "manage.py", "doctor"]
    ended = subprocess.run(
        words, cwd=checkout, env=here.environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 1
    assert "BAD  footing" in ended.stdout
    assert "not in order: footing" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert connection.vendor  # the test's own database is another one
