"""The ring of keys that endpoint secrets are encrypted under, and how it turns: a new key first, old ones behind it."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from accounts.actions import log
from backends.actions import rotate_secrets
from backends.encryption import ring
from backends.endpoints import unreadable
from config.keys import encryption_key, ring_file, write_ring
from experiments.refusals import Refused


class CannotRotate(Refused):
    """The ring cannot turn now; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """How many secrets were encrypted anew, how many keys the ring holds, and the file it is kept in (if any)."""

    secrets: int
    keys: int
    file: Path | None


def rotate(*, forget_old: bool = False) -> Rotated:
    """Put a new key first where the ring is a file, then encrypt every secret under the first key, in one transaction.

    Where the environment holds the ring, only the second is done: what to set there is for the operator.
    `forget_old` leaves nothing but the new key in the file: older backups then open no secret. Raises CannotRotate.
    """
    if lost := unreadable():
        raise CannotRotate(
            f"the stored key of {', '.join(lost)} opens under no key of the ring: "
            "enter it again at the endpoint, then rotate. Nothing was changed."
        )
    path = ring_file(settings.DATA_DIR)
    if path is None and forget_old:
        raise CannotRotate("the ring is in BLINDPAIR_ENCRYPTION_KEYS: take the old keys out of it there.")
    if path is not None:
        _keep(path, [encryption_key(), *_entries()])
    changed = rotate_secrets()
    if path is not None and forget_old:
        _keep(path, _entries()[:1])
    keys = len(ring(settings.ENCRYPTION_KEYS))
    log(None, "rotated keys", "installation", secrets=changed, keys=keys)
    return Rotated(secrets=changed, keys=keys, file=path)


def _entries() -> list[str]:
    return [entry.strip() for entry in settings.ENCRYPTION_KEYS.split(",") if entry.strip()]


def _keep(path: Path, entries: list[str]) -> None:
    """The file first: a secret is never encrypted under a key that is not on the disk."""
    write_ring(path, entries)
    settings.ENCRYPTION_KEYS = ",".join(entries)
