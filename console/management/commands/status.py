"""`status`: how far an experiment is."""

from typing import Any

from console.command import ExperimentCommand
from console.progress import of
from experiments.models import Experiment


class Command(ExperimentCommand):
    """Progress, never direction."""

    help = "Say how far an experiment is."

    def run_on(self, experiment: Experiment, **options: Any) -> None:
        """Print it."""
        facts = of(experiment)
        done, judged = facts["completions"], facts["judgments"]
        self.say(
            f"{experiment.slug}: {facts['status']}",
            f"completions  {done['done']} done, {done['failed']} failed, {done['pending']} to do",
            f"judgments    {judged['done']} of {judged['wanted']} wanted",
            *(
                f"failed       {one['system']}, input {one['input']}: {one['sentence']}"
                for one in facts["failures"][:20]
            ),
        )
        self.facts(facts)
