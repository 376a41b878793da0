"""What many tests begin with is made once a run, by the product's own commands, and copied for each of them."""

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

PLACE = "BLINDPAIR_TESTS_PREPARED"  # processes that are started from here on look for it in the same folder


def place_for_all() -> None:
    """Unless whoever started this process has one: a folder that lasts as long as this process."""
    if PLACE in os.environ:
        return
    os.environ[PLACE] = tempfile.mkdtemp(prefix="blindpair-prepared-")
    atexit.register(shutil.rmtree, os.environ[PLACE], ignore_errors=True)


def once(name: str, make: Callable[[Path], None]) -> Path:
    """The folder of this name, which whoever needs it first fills while the others wait."""
    place_for_all()
    place = Path(os.environ[PLACE]) / name
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            unfinished = place.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(place)
    return place
