"""`close`: end the rating of an experiment."""

from typing import Any

from console.actions import close
from console.command import ExperimentCommand
from experiments.models import Experiment


class Command(ExperimentCommand):
    """Ends rating; from then on the report names the systems."""

    help = "End the rating of an experiment."

    def run_on(self, experiment: Experiment, **options: Any) -> None:
        """Close."""
        closed = close(experiment=experiment, by=None)
        self.say(f"{closed.slug} is closed.", f"Next: ./blindpair report {closed.slug} --format md")
        self.facts({"status": closed.status, "closed_at": closed.closed_at})
