"""How collecting threads use the database: a connection only while it is needed, and patience when it is away."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TypeVar

from django.conf import settings
from django.db import Error, connection

from config.outage import is_away

Result = TypeVar("Result")
_log = logging.getLogger(__name__)


@contextmanager
def database_turn(*, last: bool = False) -> Iterator[None]:
    """Use the database, then give a pooled connection back, since a call to a model takes long.

    A SQLite connection stays with its thread until the `last` turn: opening it costs more than a query.
    """
    try:
        yield
    finally:
        if (settings.SCALED or last) and not connection.in_atomic_block:
            connection.close()


def patiently(work: Callable[[], Result], *, seconds: float, keep: bool = False) -> Result:
    """What `work` gives; while the database is away it is tried again each second, for an answer was paid for.

    `keep`: the connection stays with this thread, which closes it in a last turn of its own.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            with nullcontext() if keep else database_turn():
                return work()
        except Error as error:
            if not is_away(error) or time.monotonic() > deadline:
                raise
            _log.warning("the database is away, an answer waits to be saved (%s)", type(error).__name__)
            connection.close()
            time.sleep(1.0)
