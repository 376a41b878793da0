"""`backup`: a consistent copy of everything, while votes come in."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from console.backup import backup
from console.command import Command as Base


class Command(Base):
    """The keys are not in it: without them a thief reads no endpoint key."""

    help = "Write a consistent copy of the database to a file; the server may run meanwhile."

    def add_options(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument("file", type=Path, metavar="FILE")

    def run(self, **options: Any) -> None:
        """Write it, and say what is in it."""
        path: Path = options["file"]
        made = backup(path)
        size = path.stat().st_size
        self.say(
            f"{path}: {made.rows} rows of {len(made.counts)} tables, {size / 1e6:.1f} MB. Everybody's texts are in it.",
            "The encryption keys are not: keep a copy of them, apart from this file.",
        )
        self.facts({"file": path, "bytes": size, "rows": made.rows, "made_at": made.made_at, "database": made.kind})
