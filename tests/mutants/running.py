"""Takes one control out of a copy of the project and runs the tests that stand guard over it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOMS = ("accounts", "backends", "config", "console", "experiments", "ratings", "reports")
BESIDE = ("static", "templates", "tests", "docs", "samples")
NEEDLESS = ("-p", "no:cacheprovider", "-p", "no:unraisableexception")  # the latter would look through all of memory
OPTIONS = ("-q", *NEEDLESS, "--nomigrations", "--tb=line", "--show-capture=no")
PASSED, FAILED = 0, 1


@dataclass(frozen=True, slots=True)
class Mutant:
    """A control (`name`) that goes out of `file` by writing `new` for `old`; `guards` are tests that must notice."""

    name: str
    file: str
    old: str
    new: str
    guards: tuple[str, ...]


class Copy:
    """The project as it stands, in a folder of its own, one control less at a time."""

    def __init__(self, checkout: Path, folder: Path) -> None:
        self.folder, self.log = folder, folder / "log"
        leave = shutil.ignore_patterns("golden", ".hypothesis")
        for name in (*ROOMS, *BESIDE):
            shutil.copytree(checkout / name, folder / name, ignore=leave)
        for name in ("pyproject.toml", "manage.py"):
            shutil.copy2(checkout / name, folder / name)
        # Nothing of the run around it is handed on.
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "BLINDPAIR"))}
        self.server = subprocess.Popen(
            [sys.executable, "-m", "tests.mutants.server"],
            cwd=folder,
            # What is compiled is taken along; of a changed file it is not kept, lest it pass for the next change.
            env=ours | {"OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def without(self, mutant: Mutant) -> tuple[int, str]:
        """Run the mutant's guards where its control is missing: pytest's exit code, and what it said."""
        file = self.folder / mutant.file
        text, times = file.read_text(), file.stat()
        if text.count(mutant.old) != 1:
            raise AssertionError(f"{mutant.name}: {mutant.file} holds {mutant.old!r} {text.count(mutant.old)} times")
        file.write_text(text.replace(mutant.old, mutant.new))
        try:
            return self.run(mutant.guards, "-x")
        finally:
            file.write_text(text)
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))

    def run(self, tests: Iterable[str], *options: str) -> tuple[int, str]:
        """Run tests of the copy: pytest's exit code, and what it said."""
        assert self.server.stdin
        assert self.server.stdout
        self.server.stdin.write(json.dumps({"log": str(self.log), "words": [*OPTIONS, *options, *tests]}) + "\n")
        self.server.stdin.flush()
        code = int(self.server.stdout.readline())
        return code, self.log.read_text()

    def close(self) -> None:
        """End the server."""
        self.server.communicate(timeout=180)
