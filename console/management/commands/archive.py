"""`archive`: put an experiment away."""

from typing import Any

from django.core.management.base import CommandParser

from console.actions import archive
from console.command import ExperimentCommand
from experiments.models import Experiment


class Command(ExperimentCommand):
    """Puts an experiment away, or takes it out again; nothing is lost."""

    help = "Put an experiment away (--undo takes it out again)."

    def add_options(self, parser: CommandParser) -> None:
        """The way back."""
        parser.add_argument("--undo", action="store_true", help="take it out of the archive")

    def run_on(self, experiment: Experiment, **options: Any) -> None:
        """Put it away."""
        stored = archive(experiment=experiment, by=None, undo=options["undo"])
        self.say(f"{stored.slug} is {'in use again' if options['undo'] else 'put away'}.")
        self.facts({"slug": stored.slug, "archived_at": stored.archived_at})
