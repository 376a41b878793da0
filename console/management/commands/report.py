"""`report`: the decision report of a closed experiment."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from console.command import ExperimentCommand
from experiments.models import Experiment
from experiments.refusals import Refused
from reports.formats import WRITERS, write
from reports.formats.pdf import PdfUnavailable
from reports.report import current
from reports.unblinding import StillBlind


class StillOpen(Refused):
    """Names and results stay closed until the experiment is."""

    returncode = 3


class Command(ExperimentCommand):
    """Refuses (exit 3) until the experiment is closed."""

    help = "Write the report of a closed experiment."
    prints_json = False

    def add_options(self, parser: CommandParser) -> None:
        """Format and file."""
        parser.add_argument("--format", choices=sorted(WRITERS), default="md")
        parser.add_argument("--json", action="store_const", dest="format", const="json", help="short for --format json")
        parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write to a file")

    def run_on(self, experiment: Experiment, **options: Any) -> None:
        """Compute, write."""
        path: Path | None = options["output"]
        try:
            written = write(current(experiment), options["format"])
        except StillBlind as error:
            raise StillOpen(str(error)) from error
        except PdfUnavailable as error:
            raise Refused(str(error)) from error
        data = written.encode() if isinstance(written, str) else written
        if path:
            path.write_bytes(data)
            return
        if isinstance(written, bytes) and sys.stdout.isatty():
            raise Refused("a PDF is no text: name a file with -o.")
        self._put(data)

    def _put(self, data: bytes) -> None:
        raw = getattr(self.stdout, "buffer", None)
        if raw is None:
            self.stdout.write(data.decode(), ending="")
        else:
            raw.write(data)
