"""Turns within one process: Python runs one thread at a time, and what takes turns is not interrupted in the middle.

Sixteen raters who answer at once took turns at every statement, each handing the interpreter to the next with locks of
the database in hand. On SQLite two at a time (one computes while the other's disk writes) get through a third more. On
Postgres, where others pass over the pairs whose rows are locked, six at a time get through half as many more.
"""

import threading
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.conf import settings

AT_ONCE = 6 if settings.SCALED else 2
PATIENCE_SECONDS = 4.0
P = ParamSpec("P")
T = TypeVar("T")


class Turns:
    """So many calls at a time; who has waited `patience` seconds goes as well, for the others may wait for a database
    that is silent or locked, and waiting after one another would be for ever."""

    def __init__(self, at_once: int, patience: float) -> None:
        self._free = threading.BoundedSemaphore(at_once)
        self._patience = patience

    def __call__(self, work: Callable[P, T]) -> Callable[P, T]:
        """The same work, in turn."""

        @wraps(work)
        def turn(*args: P.args, **kwargs: P.kwargs) -> T:
            mine = self._free.acquire(timeout=self._patience)
            try:
                return work(*args, **kwargs)
            finally:
                if mine:
                    self._free.release()

        return turn


in_turn = Turns(AT_ONCE, PATIENCE_SECONDS)
