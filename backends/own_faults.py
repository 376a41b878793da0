"""Faults of our own code while a system is collected: told without flooding the log, and not repeated for ever."""

import logging
import threading

from backends import trouble
from backends.turns import database_turn

MOST_IN_A_ROW = 5
SHOWN_WHOLE = 3  # in a row; after that a line each
_log = logging.getLogger(__name__)


class OwnFaults:
    """Counts faults in a row, over all threads of one drain or engine."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._in_a_row = 0

    def tell(self, error: Exception, what: str) -> int:
        """Into the log; how many there were in a row, this one included."""
        with self._lock:
            self._in_a_row += 1
            count = self._in_a_row
        shown = error if count <= SHOWN_WHOLE else None
        _log.error("%s failed for a reason of our own (%s), %d in a row", what, _name(error), count, exc_info=shown)
        return count

    def stop_at_last(self, error: Exception, *, system_id: int, what: str) -> None:
        """The same, and after so many in a row the system is stopped, for no further try would end otherwise."""
        if self.tell(error, what) < MOST_IN_A_ROW:
            return
        with database_turn():
            trouble.stop(system_id=system_id, kind="internal", sentence=_sentence(error))

    def forget(self) -> None:
        """Something went well."""
        with self._lock:
            self._in_a_row = 0


def _sentence(error: Exception) -> str:
    return (
        f"Collecting stopped: Blindpair itself failed {MOST_IN_A_ROW} times in a row ({_name(error)}); "
        "no answer that was saved is lost. The server's log says where it failed: report it, then resume."
    )


def _name(error: Exception) -> str:
    return type(error).__name__
