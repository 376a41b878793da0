"""SQLite as Blindpair uses it: write transactions of one process queue on a lock instead of on the file.

SQLite lets one writer in at a time and makes the others poll. Queueing them in the process keeps the order fair and the
wait short; another process (a command beside the server) still waits on the file through the busy timeout.
"""

import threading
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

PATIENCE_SECONDS = 20
_writing = threading.RLock()


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's SQLite with one write lock a process around every transaction."""

    _holds_lock = False

    def _start_transaction_under_autocommit(self) -> None:
        if not _writing.acquire(timeout=PATIENCE_SECONDS):
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
