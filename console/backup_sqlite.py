"""Copies of the SQLite database by SQLite's own backup call: whole while others write, in and out."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import connection

from console.backup_file import BadBackup
from experiments.refusals import Refused

PATIENCE_SECONDS = 20
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"


def copy_out(target: Path) -> dict[str, int]:
    """A copy of everything committed by now, in one step; its rows by table. Writers do not wait."""
    with _opened(_database()) as source, _opened(target) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        return _examined(copy)


def check(copy: Path) -> dict[str, int]:
    """Rows by table of a copy; raises BadBackup where it is not sound."""
    with _opened(copy) as database:
        return _examined(database)


def copy_in(copy: Path) -> None:
    """Everything in the database is replaced by the copy, in one step: a crash leaves the old or the new."""
    connection.close()
    with _opened(copy) as source, _opened(_database()) as target:
        source.backup(target)
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _database() -> Path:
    return Path(str(connection.settings_dict["NAME"]))


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE_SECONDS)) as opened:
            yield opened
    except sqlite3.DatabaseError as error:
        raise Refused(f"SQLite refused ({error}).") from error


def _examined(database: sqlite3.Connection) -> dict[str, int]:
    try:
        said = [row[0] for row in database.execute("PRAGMA integrity_check(5)")]
        orphans = database.execute("PRAGMA foreign_key_check").fetchone()
        tables = [row[0] for row in database.execute(TABLES)]
        counts = {name: _count(database, name) for name in tables}
    except sqlite3.DatabaseError as error:
        raise BadBackup(f"the database is not sound: {error}.") from error
    if said != ["ok"] or orphans:
        raise BadBackup(f"the database is not sound: {said[0] if said != ['ok'] else f'orphans in {orphans[0]}'}.")
    return counts


def _count(database: sqlite3.Connection, table: str) -> int:
    quoted = table.replace('"', '""')
    return int(database.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()[0])  # noqa: S608  # quoted, from SQLite
