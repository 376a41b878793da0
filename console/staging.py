"""Uploaded files between their preview and the moment they are taken: in the database, which every web process sees."""

import re
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import BinaryIO

from django.db import transaction
from django.utils import timezone

from experiments.models import Experiment, Staged, StagedPart

KEPT = timedelta(days=1)
PART_BYTES = 1_000_000
_HANDLE = re.compile(r"[A-Za-z0-9_-]{22}\Z")


@transaction.atomic
def keep(experiment: Experiment, chunks: Iterable[bytes]) -> str:
    """Write the file down and return its handle, good for this experiment and a day."""
    sweep(now=timezone.now())
    staged = Staged.objects.create(experiment=experiment, handle=secrets.token_urlsafe(16))
    for number, content in enumerate(_parts(chunks)):
        StagedPart.objects.create(staged=staged, number=number, content=content)
    return staged.handle


def kept(experiment: Experiment, handle: str) -> BinaryIO | None:
    """The file, to be closed by the caller; None for a handle that is unknown, of another experiment, or too old."""
    if not _HANDLE.match(handle):
        return None
    parts = StagedPart.objects.filter(staged__experiment=experiment, staged__handle=handle).order_by("number")
    if not Staged.objects.filter(experiment=experiment, handle=handle).exists():
        return None
    # A file without a name: nothing of it is left, however the process ends.
    file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
    for content in parts.values_list("content", flat=True).iterator(chunk_size=1):
        file.write(content)
    file.seek(0)
    return file


def drop(experiment: Experiment, handle: str) -> None:
    """Remove the file. Those that nobody took go after a day, at the seal, and with their experiment."""
    Staged.objects.filter(experiment=experiment, handle=handle).delete()


def sweep(*, now: datetime) -> None:
    """Remove what was never taken."""
    Staged.objects.filter(kept_at__lt=now - KEPT).delete()


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= PART_BYTES:
            yield bytes(waiting[:PART_BYTES])
            del waiting[:PART_BYTES]
    if waiting:
        yield bytes(waiting)
