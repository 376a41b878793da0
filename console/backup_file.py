"""The file that a backup is: a zip of one copy of the database and a manifest that says what must be in it."""

import hashlib
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from experiments.refusals import Refused

SCHEMA = "blindpair.backup/1"
MANIFEST, CONTENT = "manifest.json", "database"
LARGEST_MANIFEST = 1_000_000
CHUNK = 1_000_000
KINDS = {"sqlite": "the SQLite footing", "postgresql": "the Postgres footing"}


class BadBackup(Refused):
    """A file that is no backup, or a damaged one; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What is in a backup: the kind of database, the migrations it stands at, and its rows by table."""

    kind: str
    made_at: str
    migrations: Mapping[str, list[str]]
    counts: Mapping[str, int]
    sha256: str = ""
    bytes: int = 0
    schema: str = SCHEMA

    @property
    def rows(self) -> int:
        """In all tables."""
        return sum(self.counts.values())


def pack(path: Path, content: Path, manifest: Manifest) -> None:
    """Write a backup that only this user can read; it takes the place of an older one when it is whole."""
    if path.is_dir():
        raise BadBackup(f"{path} is a folder: name a file.")
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with (
            open(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive,
        ):
            with content.open("rb") as source, archive.open(CONTENT, "w", force_zip64=True) as member:
                digest, size = _copied(source, member)
            values = asdict(manifest) | {"sha256": digest, "bytes": size}
            archive.writestr(MANIFEST, json.dumps(values, indent=1))
        _to_disk(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def unpacked(path: Path, *, within: Path) -> Iterator[tuple[Manifest, Path]]:
    """The manifest, and the copy of the database as a file in a folder of its own that goes away again.

    Raises BadBackup unless every byte is as it was written.
    """
    if not path.is_file():
        raise BadBackup(f"{path} {'is no file' if path.exists() else 'does not exist'}.")
    with TemporaryDirectory(prefix="restoring-", dir=within) as folder:
        target = Path(folder) / CONTENT
        try:
            with zipfile.ZipFile(path) as archive:
                manifest = _manifest(path, archive)
                _extract(path, archive, manifest, target)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise BadBackup(f"{path.name} is damaged, or no backup made by `backup` ({error}).") from error
        yield manifest, target


def _manifest(path: Path, archive: zipfile.ZipFile) -> Manifest:
    if sorted(archive.namelist()) != sorted([MANIFEST, CONTENT]):
        raise BadBackup(f"{path.name} is a zip file, but no backup made by `backup`.")
    with archive.open(MANIFEST) as member:
        text = member.read(LARGEST_MANIFEST + 1)
    try:
        values: dict[str, Any] = json.loads(text[:LARGEST_MANIFEST])
        manifest = Manifest(**values)
        known = manifest.schema == SCHEMA and manifest.kind in KINDS
        sound = isinstance(manifest.bytes, int) and all(isinstance(n, int) for n in manifest.counts.values())
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BadBackup(f"{path.name}, {MANIFEST}: not as `backup` writes it.") from error
    if not known or not sound:
        raise BadBackup(f"{path.name}, {MANIFEST}: made by another program, or by a newer version of this one.")
    return manifest


def _extract(path: Path, archive: zipfile.ZipFile, manifest: Manifest, target: Path) -> None:
    free = shutil.disk_usage(target.parent).free
    if manifest.bytes > free:
        raise BadBackup(f"{path.name} unpacks to {manifest.bytes:,} bytes, but {free:,} are free in {target.parent}.")
    with archive.open(CONTENT) as member, target.open("wb") as out:
        digest, size = _copied(member, out, most=manifest.bytes)
    if (digest, size) != (manifest.sha256, manifest.bytes):
        raise BadBackup(f"{path.name} is damaged: the database in it is not the one that was written.")


def _copied(source: IO[bytes], target: IO[bytes], most: int | None = None) -> tuple[str, int]:
    """SHA-256 and size of what was copied; stops soon after `most` bytes."""
    digest, size = hashlib.sha256(), 0
    while (most is None or size <= most) and (part := source.read(CHUNK)):
        digest.update(part)
        size += len(part)
        target.write(part)
    return digest.hexdigest(), size


def _to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
