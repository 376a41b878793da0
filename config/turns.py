"""Turns within one process: Python runs one thread at a time, and what takes turns is not interrupted in the middle.

Sixteen raters who answer at once took turns at every statement, each handing the interpreter to the next with the
database's write lock in hand; two at a time (one computes while the other's disk writes) get through a third more.
"""

import threading
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.conf import settings

AT_ONCE = 2
P = ParamSpec("P")
T = TypeVar("T")
_turns = threading.BoundedSemaphore(AT_ONCE)


def in_turn(work: Callable[P, T]) -> Callable[P, T]:
    """Two calls at a time on SQLite, which one process serves; Postgres has several, and waits of its own."""

    @wraps(work)
    def turn(*args: P.args, **kwargs: P.kwargs) -> T:
        if settings.SCALED:
            return work(*args, **kwargs)
        with _turns:
            return work(*args, **kwargs)

    return turn
