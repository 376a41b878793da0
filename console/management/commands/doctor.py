"""`doctor`: whether everything that Blindpair stands on is in order."""

from typing import Any

from console.command import Command as Base
from console.examination import examine
from experiments.refusals import Refused


class Command(Base):
    """Exit 1 where something that is needed is missing."""

    help = "Examine database, broker, worker, disk and versions."

    def run(self, **options: Any) -> None:
        """Print a line a part."""
        findings = examine()
        for one in findings:
            self.say(f"{'ok  ' if one.fine else 'BAD '} {one.part:<11} {one.words}")
        self.facts([{"part": one.part, "ok": one.fine, "words": one.words} for one in findings])
        bad = [one.part for one in findings if not one.fine]
        if bad:
            raise Refused(f"not in order: {', '.join(bad)}.")
