"""`cancel EXPERIMENT [--system NAME]`: give up the answers that are not there yet."""

from typing import Any

from django.core.management.base import CommandParser

from backends.actions import cancel
from backends.queries import progress
from console.command import ExperimentCommand
from experiments.models import Experiment


class Command(ExperimentCommand):
    """What is saved stays; collect --retry-failed fetches the rest after all."""

    help = "Give up every answer that is not there yet; what is saved stays."

    def add_options(self, parser: CommandParser) -> None:
        """--system."""
        parser.add_argument("--system", metavar="NAME", help="only this one")

    def run_on(self, experiment: Experiment, **options: Any) -> None:
        """Cancel, and say what was given up."""
        given_up = cancel(experiment=experiment, system_name=options["system"])
        self.say(f"Gave up {given_up} answers of {experiment.slug}. collect --retry-failed fetches them after all.")
        self.facts({"cancelled": given_up, "completions": progress(experiment).as_json()})
