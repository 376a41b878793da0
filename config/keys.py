"""The installation's own secrets: read from the environment, else made once in the data folder."""

import base64
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

SHORTEST_KEY = 32


def read_or_make(name: str, path: Path, *, scaled: bool) -> str:
    """The secret called `name`: the environment's, else the one kept in `path`, made on first use (mode 600).

    Raises ImproperlyConfigured on the scaled footing without the variable: several machines must share one secret.
    """
    if value := os.environ.get(name, "").strip():
        return value
    if scaled:
        raise ImproperlyConfigured(
            f"{name} is not set. With DATABASE_URL every process must share it: "
            f"make one with `python -c 'import secrets; print(secrets.token_urlsafe(48))'` and set {name} everywhere."
        )
    return _kept_in(path)


def check_ring(text: str) -> list[str]:
    """The keys of a comma-separated list. Raises ImproperlyConfigured where there is none, or one is too short."""
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    if not entries:
        raise ImproperlyConfigured("BLINDPAIR_ENCRYPTION_KEYS is empty: give at least one key.")
    for number, entry in enumerate(entries, start=1):
        if len(entry) < SHORTEST_KEY:
            raise ImproperlyConfigured(
                f"Key {number} of BLINDPAIR_ENCRYPTION_KEYS has {len(entry)} characters; it needs {SHORTEST_KEY}. "
                "Make one with `python -c 'import secrets; print(secrets.token_urlsafe(48))'`."
            )
    return entries


def encryption_key() -> str:
    """32 random bytes in URL-safe base64: one key of the ring."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def ring_file(folder: Path) -> Path | None:
    """The file that holds the key ring; None where the environment holds it."""
    return None if os.environ.get("BLINDPAIR_ENCRYPTION_KEYS", "").strip() else folder / "encryption.keys"


def write_ring(path: Path, keys: Sequence[str]) -> None:
    """Put a whole new ring into the place of the old one (mode 600): a reader finds one or the other."""
    draft = _draft(path, ",".join(keys))
    draft.replace(path)


def _draft(path: Path, text: str) -> Path:
    """A file beside `path` that nobody else can read, written down to the disk."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _kept_in(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = _draft(path, secrets.token_urlsafe(48))
        try:
            os.link(draft, path)  # whole or not at all, and the first of two processes wins
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
