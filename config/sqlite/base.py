"""SQLite as Blindpair uses it: write transactions of one process queue on a lock instead of on the file.

SQLite lets one writer in at a time and makes the others poll. Queueing them in the process keeps the order fair and the
wait short; another process (a command beside the server) still waits on the file through the busy timeout.
Connections stay open, so each statement first makes sure that the file is still the one that was opened: what is
written to a deleted file would be gone with the process.
"""

import os
import sqlite3
import threading
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base, operations

_writing = threading.RLock()
_opened: dict[str, tuple[int, int]] = {}


class DatabaseOperations(operations.DatabaseOperations):
    """Django's, and `flush` empties guarded tables too: triggers that refuse a deletion stand aside for it."""

    def sql_flush(self, style: Any, tables: Any, *, reset_sequences: bool = False, allow_cascade: bool = False) -> Any:
        """Django's statements between those that take the triggers away and those that put them back."""
        statements = super().sql_flush(style, tables, reset_sequences=reset_sequences, allow_cascade=allow_cascade)
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
        aside = [f"DROP TRIGGER {self.quote_name(name)}" for name, _ in triggers]
        return [*aside, *statements, *(sql for _, sql in triggers)]


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's SQLite with one write lock a process around every transaction."""

    ops_class = DatabaseOperations
    _holds_lock = False

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Open the file that this process knows, or the one that it meets first."""
        self._check_file()
        path = str(self.settings_dict["NAME"])
        try:
            connection = super().get_new_connection(conn_params)
        except sqlite3.OperationalError as error:
            if _is_read_only(os.path.dirname(path)):
                raise OperationalError(f"the disk of {path} is read-only") from error
            raise
        if (found := _identity(path)) is not None:
            _opened.setdefault(path, found)
            self.errors_occurred = not os.access(path, os.W_OK)  # it will not write either when the file may be again
        return connection

    def is_usable(self) -> bool:
        """Asked at the end of a request that met an error: the next one opens the file anew."""
        return False

    def create_cursor(self, name: str | None = None) -> Any:
        """Where every statement begins."""
        self._check_file()
        return super().create_cursor(name)

    def _check_file(self) -> None:
        path = str(self.settings_dict["NAME"])
        if path in _opened and _identity(path) != _opened[path]:
            raise OperationalError(f"the database file {path} was removed or replaced while it was in use")

    def _start_transaction_under_autocommit(self) -> None:
        if not _writing.acquire(timeout=self.settings_dict["OPTIONS"]["timeout"]):
            raise OperationalError("database is locked: another transaction of this process holds it")
        self._holds_lock = True
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # a hook that the stubs leave out
        except BaseException:
            self._release()
            raise

    def _commit(self) -> Any:
        result = super()._commit()  # type: ignore[misc]  # a hook that the stubs leave out
        self._release()
        return result

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]  # a hook that the stubs leave out
        finally:
            self._release()

    def _close(self) -> Any:
        try:
            return super()._close()  # type: ignore[misc]  # a hook that the stubs leave out
        finally:
            self._release()

    def _release(self) -> None:
        if self._holds_lock:
            self._holds_lock = False
            _writing.release()


def _is_read_only(folder: str) -> bool:
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _identity(path: str) -> tuple[int, int] | None:
    """Device and number of the file; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
