"""`sweep`: delete experiments whose retention is over, now."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from console.command import Command as Base
from console.retention import overdue, sweep


class Command(Base):
    """The server does the same once an hour."""

    help = "Delete closed experiments that are past their retention days."

    def add_options(self, parser: CommandParser) -> None:
        """Whether only to look."""
        parser.add_argument("--dry-run", action="store_true", help="only name them")

    def run(self, **options: Any) -> None:
        """Delete, or name."""
        only_named = options["dry_run"]
        slugs = [one.slug for one in overdue(timezone.now())] if only_named else sweep()
        word = "would be deleted" if only_named else "deleted with everything"
        self.say(*(f"{slug}: {word}." for slug in slugs), *([] if slugs else ["Nothing is past its retention."]))
        self.facts({"deleted": [] if only_named else slugs, "overdue": slugs if only_named else []})
