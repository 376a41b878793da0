"""What an error says of the database or the disk: away, full, or a conflict that a second try would not meet."""

import errno
from collections.abc import Callable, Iterator
from typing import TypeVar

from django.db import InterfaceError, OperationalError
from django.db.transaction import atomic

SERIALIZATION, DEADLOCK, SHUT_DOWN, READ_ONLY, FULL = "40001", "40P01", "57P01", "25006", "53100"
T = TypeVar("T")


def is_full(error: BaseException | None) -> bool:
    """Whether something could not be written for want of room."""
    return any(
        (isinstance(one, OSError) and one.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
        or getattr(one, "sqlstate", None) == FULL
        or (isinstance(one, OperationalError) and "disk is full" in str(one))
        for one in _told(error)
    )


def is_away(error: BaseException | None) -> bool:
    """Whether the database does not answer, or takes nothing at the moment; nothing of the request was kept."""
    return any(
        isinstance(one, OperationalError | InterfaceError) or getattr(one, "sqlstate", None) == READ_ONLY
        for one in _told(error)
    )


def once_more(work: Callable[[], T]) -> T:
    """Do it in a transaction, and a second time where the first met another one or lost its connection.

    Only for work that may safely happen twice: an answer that was lost on its way may have been kept.
    """
    try:
        with atomic():
            return work()
    except (OperationalError, InterfaceError) as error:
        if not _passes(error):
            raise
    with atomic():
        return work()


def _passes(error: BaseException) -> bool:
    """Of Postgres only: SQLite's own wait for a lock was long enough."""
    server = [one for one in _told(error) if hasattr(one, "sqlstate")]
    return any(one.sqlstate in (SERIALIZATION, DEADLOCK, SHUT_DOWN, None) for one in server)


def _told(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
