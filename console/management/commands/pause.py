"""`pause EXPERIMENT [--system NAME]`: ask nothing more for now."""

from typing import Any

from django.core.management.base import CommandParser

from backends.actions import pause
from backends.queries import progress
from console.command import ExperimentCommand
from experiments.models import Experiment


class Command(ExperimentCommand):
    """Answers under way are still saved."""

    help = "Ask nothing more until resume; answers under way are still saved."

    def add_options(self, parser: CommandParser) -> None:
        """--system."""
        parser.add_argument("--system", metavar="NAME", help="only this one")
        parser.add_argument("--reason", default="Paused by its owner.", help="shown beside the progress")

    def run_on(self, experiment: Experiment, **options: Any) -> None:
        """Pause, and say what was paused."""
        paused = pause(experiment=experiment, system_name=options["system"], reason=options["reason"])
        self.say(f"Paused {paused} systems of {experiment.slug}.")
        self.facts({"paused": paused, "completions": progress(experiment).as_json()})
