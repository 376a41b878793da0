"""`export`: the data of a closed experiment as a file."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accounts.actions import log
from console.command import ExperimentCommand
from console.files import sink
from experiments.models import Experiment
from experiments.refusals import Refused
from reports.exports import FORMATS, write
from reports.exports.tables import PyarrowMissing, TooLong
from reports.unblinding import require_closed

BINARY = ("xlsx", "parquet", "bundle")


class Command(ExperimentCommand):
    """Refuses (exit 3) until the experiment is closed."""

    help = "Write judgments, training pairs or everything of a closed experiment."
    prints_json = False

    def add_options(self, parser: CommandParser) -> None:
        """Format and file."""
        parser.add_argument("--format", choices=list(FORMATS), default="csv")
        parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write to a file")

    def run_on(self, experiment: Experiment, **options: Any) -> None:
        """Write it as it is read."""
        name = options["format"]
        require_closed(experiment)
        try:
            with sink(options["output"], self.stdout, binary=name in BINARY) as stream:
                write(experiment, name, stream)
        except (PyarrowMissing, TooLong) as error:
            raise Refused(str(error)) from error
        log(None, "exported", f"experiment {experiment.slug}", format=name)
