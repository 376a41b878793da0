"""A small disk of its own for a test: a tmpfs where mounting is allowed."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import needs


@contextmanager
def a_small_disk(place: Path, *, megabytes: int) -> Iterator[Path]:
    """A file system with so much room, mounted at `place` for as long as the block lasts."""
    place.mkdir(exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(place)]
    mounted = subprocess.run(words, capture_output=True, text=True, check=False)
    if mounted.returncode:
        needs.missing(f"no disk can be mounted here ({mounted.stderr.strip()})")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def make_read_only(place: Path) -> None:
    """From now on nobody writes to it."""
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
