"""`resume EXPERIMENT [--system NAME]`: go on asking."""

from typing import Any

from django.core.management.base import CommandParser

from backends.actions import resume
from backends.queries import progress
from console.command import ExperimentCommand
from experiments.models import Experiment


class Command(ExperimentCommand):
    """Also where a key, a model or money had stopped a system."""

    help = "Go on asking where collecting was paused or a system was stopped."

    def add_options(self, parser: CommandParser) -> None:
        """--system."""
        parser.add_argument("--system", metavar="NAME", help="only this one")

    def run_on(self, experiment: Experiment, **options: Any) -> None:
        """Resume, and say what waits."""
        waiting = resume(experiment=experiment, system_name=options["system"])
        self.say(f"{waiting} answers of {experiment.slug} wait to be fetched; the server fetches them.")
        self.facts({"waiting": waiting, "completions": progress(experiment).as_json()})
