"""`open_rating`: seal an experiment and let raters in."""

from typing import Any

from django.core.management.base import CommandParser

from console.actions import open_for_rating
from console.command import ExperimentCommand
from experiments.models import Experiment


class Command(ExperimentCommand):
    """Seals and opens; refuses (exit 2) while answers are being fetched or flags are undecided."""

    help = "Seal an experiment and open it for rating."
    refuses_with = 2

    def add_options(self, parser: CommandParser) -> None:
        """What to do with answers that name their maker and were not decided about."""
        flagged = parser.add_mutually_exclusive_group()
        flagged.add_argument("--release-flagged", dest="flagged", action="store_const", const="release")
        flagged.add_argument("--withhold-flagged", dest="flagged", action="store_const", const="withhold")

    def run_on(self, experiment: Experiment, **options: Any) -> None:
        """Open, and say what the owner should know."""
        opened = open_for_rating(experiment=experiment, by=None, flagged=options["flagged"])
        experiment.refresh_from_db()
        self.warn(*opened.warnings)
        self.say(
            f"{experiment.slug} is open for rating: {opened.comparisons} pairs, "
            f"{experiment.ratings_per_pair} judgments wanted for each.",
            f"Seal: {experiment.seal}",
            f"Next: ./blindpair invite {experiment.slug} --raters {experiment.planned_raters}",
        )
        self.facts(
            {
                "status": experiment.status,
                "seal": experiment.seal,
                "comparisons": opened.comparisons,
                "warnings": opened.warnings,
            }
        )
