"""Turns within one process: Python runs one thread at a time, and what takes turns is not interrupted in the middle.

Sixteen raters who answer at once took turns at every statement, each handing the interpreter to the next with locks of
the database in hand. On SQLite two at a time (one computes while the other's disk writes) get through a third more. On
Postgres, where others pass over the pairs whose rows are locked, three at a time do; of six, threads that wait for the
interpreter hold up those that have it.
"""

import threading
from collections import deque
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.conf import settings

AT_ONCE = 3 if settings.SCALED else 2
PATIENCE_SECONDS = 4.0
P = ParamSpec("P")
T = TypeVar("T")


class Turns:
    """So many calls at a time, first come, first served; who has waited `patience` seconds goes as well, for the others
    may wait for a database that is silent or locked, and waiting after one another would be for ever."""

    def __init__(self, at_once: int, patience: float) -> None:
        self._free, self._patience = at_once, patience
        self._waiting: deque[threading.Lock] = deque()  # each held until its turn comes
        self._door = threading.Lock()

    def __call__(self, work: Callable[P, T]) -> Callable[P, T]:
        """The same work, in turn."""

        @wraps(work)
        def turn(*args: P.args, **kwargs: P.kwargs) -> T:
            mine = self._take()
            try:
                return work(*args, **kwargs)
            finally:
                if mine:
                    self._pass_on()

        return turn

    @property
    def waiting(self) -> int:
        """How many calls wait for their turn."""
        return len(self._waiting)

    def _take(self) -> bool:
        with self._door:
            if self._free:
                self._free -= 1
                return True
            called = threading.Lock()
            called.acquire()
            self._waiting.append(called)
        if called.acquire(timeout=self._patience):
            return True
        with self._door:
            if called not in self._waiting:  # just now
                return True
            self._waiting.remove(called)
        return False

    def _pass_on(self) -> None:
        with self._door:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


in_turn = Turns(AT_ONCE, PATIENCE_SECONDS)
