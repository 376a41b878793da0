"""`delete`: remove an experiment with everything."""

from typing import Any

from console.actions import delete
from console.command import ExperimentCommand
from experiments.models import Experiment


class Command(ExperimentCommand):
    """Removes inputs, answers, raters, judgments and reports; the audit log remembers only the slug."""

    help = "Remove an experiment with its inputs, answers, raters and judgments, for good."

    def run_on(self, experiment: Experiment, **options: Any) -> None:
        """Remove it."""
        slug, pk = experiment.slug, experiment.pk
        delete(experiment=experiment, by=None)
        self.say(f"{slug} was removed with everything.", "Backups made earlier still hold it.")
        self.facts({"id": pk, "slug": slug, "deleted": True})
