"""A bundle as a file: a zip whose members are those of its manifest, byte for byte; read without ever unpacking it."""

import hashlib
import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from experiments.refusals import Refused
from experiments.typed_records import Record
from reports.exports.bundle import SCHEMA

MANIFEST = "manifest.json"
NEEDED = (
    "experiment.json",
    "inputs.jsonl",
    "systems.jsonl",
    "outputs.jsonl",
    "completions.jsonl",
    "load_runs.jsonl",
    "raters.jsonl",
    "comparisons.jsonl",
    "assignments.jsonl",
    "judgments.jsonl",
    "guesses.jsonl",
    "assumptions.jsonl",
    "benchmarks.jsonl",
)
CHUNK = 1_000_000
LARGEST_MANIFEST = 1_000_000
LONGEST_LINE = 30_000_000
LARGEST = 4_000_000_000  # bytes of all members together
# JSON lines of like rows shrink to a thirtieth; what shrinks to a thousandth was made to fill a disk.
MOST_SHRUNK, SMALL = 200, 10_000_000


class BadBundle(Refused):
    """A file that is no bundle, or a damaged one; nothing was written."""


class Bundle:
    """A bundle whose every byte was checked."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path, self._archive = path, archive

    def document(self, name: str) -> Record:
        """A member that is one JSON object."""
        with self._archive.open(name) as member:
            return Record.read(member.read(LONGEST_LINE), f"{self._path.name}, {name}")

    def records(self, name: str) -> Iterator[Record]:
        """A member that has one JSON object a line."""
        with self._archive.open(name) as member:
            number = 0
            while line := member.readline(LONGEST_LINE):
                number += 1
                yield Record.read(line, f"{self._path.name}, {name}, line {number}")


@contextmanager
def opened(path: Path) -> Iterator[Bundle]:
    """The bundle, checked against its manifest first. Raises BadBundle, naming the member that is wrong."""
    if not path.is_file():
        raise BadBundle(f"{path} {'is no file' if path.exists() else 'does not exist'}.")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise BadBundle(f"{path.name} is no bundle: it is cut off, or no zip file ({error}).") from error
    with archive:
        for name, said in _manifest(path, archive).items():
            _check(path, archive, name, said)
        yield Bundle(path, archive)


def _manifest(path: Path, archive: zipfile.ZipFile) -> dict[str, dict[str, Any]]:
    names = archive.namelist()
    if MANIFEST not in names:
        raise BadBundle(f"{path.name} is a zip file, but no bundle: it has no {MANIFEST}.")
    try:
        with archive.open(MANIFEST) as member:
            values = json.loads(member.read(LARGEST_MANIFEST))
        schema, files = values["schema"], dict(values["files"])
        sound = all(isinstance(one["bytes"], int) and isinstance(one["sha256"], str) for one in files.values())
    except (*_UNREADABLE, ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadBundle(f"{path.name}, {MANIFEST} is damaged, or not as `export --format bundle` writes it.") from error
    if schema != SCHEMA or not sound:
        raise BadBundle(f"{path.name}, {MANIFEST}: {schema!r} is not {SCHEMA!r}; another version made it.")
    if missing := [name for name in (*NEEDED, *files) if name not in names or name not in files]:
        raise BadBundle(f"{path.name}: {missing[0]} is missing.")
    if stray := [name for name in names if name not in files and name != MANIFEST] or _twice(names):
        raise BadBundle(f"{path.name}: {stray[0]!r} is not in its manifest, or is there twice.")
    if sum(one["bytes"] for one in files.values()) > LARGEST:
        raise BadBundle(f"{path.name}: it would unpack to more than {LARGEST:,} bytes.")
    return files


def _twice(names: list[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]


def _check(path: Path, archive: zipfile.ZipFile, name: str, said: dict[str, Any]) -> None:
    """Size and checksum; what is larger than it says, or shrank too well, is not read to its end."""
    packed = archive.getinfo(name).compress_size
    if said["bytes"] > max(SMALL, packed * MOST_SHRUNK):
        raise BadBundle(f"{path.name}, {name}: {packed:,} bytes would unpack to {said['bytes']:,}; it is not read.")
    digest, size = hashlib.sha256(), 0
    try:
        with archive.open(name) as member:
            while size <= said["bytes"] and (part := member.read(CHUNK)):
                digest.update(part)
                size += len(part)
    except _UNREADABLE as error:
        raise BadBundle(f"{path.name}, {name} is damaged ({error}).") from error
    if size != said["bytes"] or digest.hexdigest() != said["sha256"]:
        raise BadBundle(f"{path.name}, {name} is damaged or was changed: it is not what the manifest lists.")


# RuntimeError: encrypted; NotImplementedError: a compression that we do not write.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)
