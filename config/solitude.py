"""One web process a database file on the embedded footing, held by a file lock that dies with the process."""

import fcntl
import os
from typing import IO

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_held: list[IO[str]] = []


class AlreadyServed(ImproperlyConfigured):
    """Another web process serves this data folder."""


def claim() -> None:
    """Take the data folder for this process; nothing to do on the scaled footing. Raises AlreadyServed."""
    if settings.SCALED or _held:
        return
    path = settings.DATA_DIR / "server.lock"
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise AlreadyServed(
            f"{settings.DATA_DIR} is already served by process {holder}. SQLite serves one web process: "
            "stop the other one, choose another folder with BLINDPAIR_DATA, or set DATABASE_URL for Postgres."
        ) from error
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
    _held.append(file)
