"""`restore`: a backup back into place, or only looked at."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from console.backup import check, restore
from console.command import Command as Base


class Command(Base):
    """Looks at every byte before anything is changed."""

    help = "Put a backup into the place of this (empty) installation, or check it with --check."

    def add_options(self, parser: CommandParser) -> None:
        """The file, and how far to go."""
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--check", action="store_true", help="only say whether it is whole")
        parser.add_argument("--replace", action="store_true", help="even where that removes what is here")

    def run(self, **options: Any) -> None:
        """Check, or restore."""
        path: Path = options["file"]
        if options["check"]:
            manifest, lost = check(path), []
            self.say(f"{path} is whole: {manifest.rows} rows of {len(manifest.counts)} tables, {manifest.made_at}.")
        else:
            back = restore(path, replace=options["replace"])
            manifest, lost = back.manifest, back.unreadable
            self.say(f"Everything is as it was at {manifest.made_at}: {manifest.rows} rows.")
        if lost:
            self.warn(
                f"no key of the ring opens the stored key of {', '.join(lost)}: "
                "bring the old encryption keys back, or enter them again."
            )
        facts = {"rows": manifest.rows, "made_at": manifest.made_at, "database": manifest.kind}
        self.facts({"file": path, "restored": not options["check"], **facts, "tables": manifest.counts})
