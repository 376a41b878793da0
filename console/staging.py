"""Uploaded files between their preview and the moment they are taken: in the data folder, never served back."""

import re
import secrets
import time
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from experiments.models import Experiment

KEPT_SECONDS = 24 * 3600.0
_HANDLE = re.compile(r"[A-Za-z0-9_-]{22}\Z")


def keep(experiment: Experiment, chunks: Iterable[bytes]) -> str:
    """Write the file down and return its handle, good for this experiment and a day."""
    sweep(now=time.time())
    handle = secrets.token_urlsafe(16)
    path = _path(experiment.pk, handle)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        path.chmod(0o600)
        for chunk in chunks:
            file.write(chunk)
    return handle


def kept(experiment: Experiment, handle: str) -> Path | None:
    """Where the file is; None for a handle that is unknown, of another experiment, or too old."""
    if not _HANDLE.match(handle):
        return None
    path = _path(experiment.pk, handle)
    return path if path.is_file() else None


def drop(experiment_id: int, handle: str = "*") -> None:
    """Remove the file, or all of the experiment."""
    for path in _folder().glob(f"{experiment_id}.{handle}.upload"):
        path.unlink(missing_ok=True)


def sweep(*, now: float) -> None:
    """Remove what was never taken."""
    for path in _folder().glob("*.upload"):
        try:
            if now - path.stat().st_mtime > KEPT_SECONDS:
                path.unlink()
        except FileNotFoundError:
            continue  # another process swept it


def _path(experiment_id: int, handle: str) -> Path:
    return _folder() / f"{experiment_id}.{handle}.upload"


def _folder() -> Path:
    return Path(settings.FILE_UPLOAD_TEMP_DIR)
