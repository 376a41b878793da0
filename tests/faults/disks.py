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


@contextmanager
def a_real_disk(place: Path, *, megabytes: int) -> Iterator[Path]:
    """An ext4 of its own, mounted at `place`; it becomes read-only where the kernel finds an error in it."""
    place.mkdir(exist_ok=True)
    image = place.with_suffix(".image")
    with image.open("wb") as file:
        file.truncate(megabytes * 1_000_000)
    made = subprocess.run(["mkfs.ext4", "-q", str(image)], capture_output=True, text=True, check=False)
    words = ["mount", "-o", "loop,errors=remount-ro", str(image), str(place)]
    mounted = made.returncode or subprocess.run(words, capture_output=True, text=True, check=False).returncode
    if mounted:
        needs.missing(f"no ext4 can be made and mounted here ({made.stderr.strip()})")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def break_off(place: Path) -> None:
    """Have the kernel find an error in the file system: from now on it is read-only, also for files that are open."""
    found = subprocess.run(["findmnt", "-no", "SOURCE", str(place)], capture_output=True, text=True, check=True)
    Path(f"/sys/fs/ext4/{Path(found.stdout.strip()).name}/trigger_fs_error").write_text("1")


@contextmanager
def immutable(*paths: Path) -> Iterator[None]:
    """Files that nobody can write to, root and whoever has them open included, for as long as the block lasts."""
    there = [str(path) for path in paths if path.exists()]
    subprocess.run(["chattr", "+i", *there], check=True)
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", *there], check=True)


def make_read_only(place: Path) -> None:
    """From now on nobody writes to it."""
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
