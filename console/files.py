"""Where a command puts a file: standard output, or a path that is there whole or not at all."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from experiments.refusals import Refused


@contextmanager
def sink(path: Path | None, stdout: Any, *, binary: bool = False) -> Iterator[BinaryIO]:
    """A stream of bytes that ends up in `path`, or on `stdout`; nothing is left of it where writing fails."""
    if path is not None:
        with _whole(path) as stream:
            yield stream
        return
    if binary and sys.stdout.isatty():
        raise Refused("this format is no text: name a file with -o.")
    with tempfile.TemporaryFile() as waiting:
        yield waiting
        waiting.seek(0)
        _copy(waiting, stdout)


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    if path.is_dir():
        raise Refused(f"{path} is a folder: name a file with -o.")
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with _opened(draft, path) as stream:
            yield stream
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _opened(draft: Path, path: Path) -> BinaryIO:
    try:
        return draft.open("wb")
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error


def _copy(source: Any, stdout: Any) -> None:
    """To the bytes beneath Django's wrapper where there are any: a CSV keeps its line ends, a ZIP its bytes."""
    beneath = getattr(getattr(stdout, "_out", stdout), "buffer", None)
    while part := source.read(1_000_000):
        if beneath is None:
            stdout.write(part.decode(), ending="")
        else:
            beneath.write(part)
    stdout.flush()
