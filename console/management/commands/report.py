"""`report`: the decision report of a closed experiment."""

import gc
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from console.command import ExperimentCommand
from console.files import sink
from experiments.models import Experiment
from experiments.refusals import Refused
from reports.formats import WRITERS, write
from reports.formats.pdf import PdfUnavailable
from reports.report import current


class Command(ExperimentCommand):
    """Refuses (exit 3) until the experiment is closed."""

    help = "Write the report of a closed experiment."
    prints_json = False

    def add_options(self, parser: CommandParser) -> None:
        """Format and file."""
        parser.add_argument("--format", choices=list(WRITERS), default="md")
        parser.add_argument("--json", action="store_const", dest="format", const="json", help="short for --format json")
        parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write to a file")

    def run_on(self, experiment: Experiment, **options: Any) -> None:
        """Compute, write."""
        gc.freeze()  # what is loaded stays: with a million rows, looking through it again and again takes half a second
        try:
            written = write(current(experiment), options["format"])
        except PdfUnavailable as error:
            raise Refused(str(error)) from error
        finally:
            gc.unfreeze()
        with sink(options["output"], self.stdout, binary=isinstance(written, bytes)) as stream:
            stream.write(written.encode() if isinstance(written, str) else written)
