"""`import_judgments`: add judgments that were made elsewhere."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from console.actions import import_judgments
from console.command import ExperimentCommand
from experiments.models import Experiment
from experiments.uploads import read_judgments


class Command(ExperimentCommand):
    """All or nothing; every bad row is named by line."""

    help = "Add judgments made elsewhere from a table of input, rater, left, right, verdict."

    def add_options(self, parser: CommandParser) -> None:
        """The file, and its encoding where it is not UTF-8."""
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--encoding", help="of the file, where it is not UTF-8")

    def run_on(self, experiment: Experiment, **options: Any) -> None:
        """Import, and count."""
        path: Path = options["file"]
        rows = read_judgments(path, name=path.name, encoding=options["encoding"])
        imported = import_judgments(experiment=experiment, rows=rows, file=path.name, by=None)
        if imported.ties:
            self.warn(f"{imported.ties} verdicts 'tie' were read as both_good.")
        self.say(
            f"{imported.judgments} judgments added ({imported.superseded} of them or before them superseded), "
            f"{imported.criteria} criterion verdicts, {imported.raters} new raters."
        )
        self.facts(
            {
                "judgments": imported.judgments,
                "superseded": imported.superseded,
                "criteria": imported.criteria,
                "raters": imported.raters,
                "comparisons": imported.comparisons,
                "ties": imported.ties,
            }
        )
