"""Copies of the Postgres database through pg_dump and pg_restore, where they are installed."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import IO

from django.db import connection, transaction

from console.backup_file import BadBackup
from experiments.refusals import Refused

WAIT_FOR_LOCKS = "-c lock_timeout=20s"
_COPY = re.compile(rb"COPY (?:[\w\"]+\.)?\"?(\w+)\"? \(")


def copy_out(target: Path) -> dict[str, int]:
    """A dump of one moment, and its rows by table at that same moment."""
    program = _program("pg_dump")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        snapshot = cursor.fetchone()[0]
        counts = {name: _count(name) for name in sorted(connection.introspection.table_names())}
        words = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={target}"]
        _run([program, *words], _login())
    return counts


def check(copy: Path) -> dict[str, int]:
    """Rows by table of a dump, counted as they would be restored; raises BadBackup where it cannot be read."""
    words = [_program("pg_restore"), "--data-only", "--file=-", str(copy)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101  # it was asked for
        assert process.stderr is not None  # noqa: S101  # likewise
        counts = _counted(process.stdout)
        said = process.stderr.read().decode(errors="replace")
    if process.returncode:
        raise BadBackup(f"pg_restore cannot read the dump: {_last(said)}")
    return counts


def copy_in(copy: Path) -> None:
    """Everything in the database is replaced by the dump in one transaction; on failure nothing is."""
    login = _login()
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # the stubs know the base wrapper only
    words = ["--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
    _run([_program("pg_restore"), *words, f"--dbname={login['PGDATABASE']}", str(copy)], login)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Refused(
            f"{name} is not installed here: install the Postgres client of the server's version "
            "(Debian: apt install postgresql-client), or run it where it is."
        )
    return found


def _login() -> dict[str, str]:
    """How this process itself is connected, as libpq's variables: a password is never among a program's words."""
    connection.ensure_connection()
    info = connection.connection.info
    given = {"PGHOST": info.host, "PGPORT": info.port, "PGUSER": info.user, "PGPASSWORD": info.password}
    tls = {f"PG{name.upper()}": info.get_parameters().get(name) for name in ("sslmode", "sslrootcert")}
    found = {name: str(value) for name, value in {**given, **tls, "PGDATABASE": info.dbname}.items() if value}
    return found | {"PGOPTIONS": WAIT_FOR_LOCKS}


def _run(words: list[str], login: dict[str, str]) -> None:
    ended = subprocess.run(words, env={**os.environ, **login}, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise Refused(f"{Path(words[0]).name} failed: {_last(ended.stderr)}")


def _last(said: str) -> str:
    lines = [line for line in said.strip().splitlines() if "error" in line.lower()]
    return (lines or said.strip().splitlines() or ["it gave no reason."])[0]


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608  # quoted, from Postgres
        return int(cursor.fetchone()[0])


def _counted(stream: IO[bytes]) -> dict[str, int]:
    """Rows between COPY and its full stop, table by table."""
    counts: dict[str, int] = {}
    table = ""
    for line in stream:
        if table and line == b"\\.\n":
            table = ""
        elif table:
            counts[table] += 1
        elif found := _COPY.match(line):
            table = found.group(1).decode()
            counts[table] = 0
    return counts
