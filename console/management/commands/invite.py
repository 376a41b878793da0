"""`invite`: make personal links for raters."""

from typing import Any

from django.core.management.base import CommandParser

from accounts.actions import log
from console.command import ExperimentCommand
from experiments.models import Experiment
from experiments.refusals import Refused
from ratings.links import invite

MOST = 1000


class Command(ExperimentCommand):
    """One personal link a line; each is shown this once."""

    help = "Make personal links for raters, one a line."

    def add_options(self, parser: CommandParser) -> None:
        """How many, or who."""
        wanted = parser.add_mutually_exclusive_group(required=True)
        wanted.add_argument("--raters", type=int, metavar="N", help="how many links")
        wanted.add_argument("--label", action="append", metavar="NAME", help="a link for somebody by name; repeatable")

    def run_on(self, experiment: Experiment, **options: Any) -> None:
        """Make the links."""
        count, labels = options["raters"], options["label"]
        if count is not None and not 1 <= count <= MOST:
            raise Refused(f"--raters must be from 1 to {MOST}, not {count}.")
        links = invite(experiment=experiment, labels=labels) if labels else invite(experiment=experiment, count=count)
        log(None, "invited raters", f"experiment {experiment.slug}", raters=len(links))
        for link in links:
            self.say(link.url)
        self.facts([{"label": link.label, "url": link.url, "expires": link.expires} for link in links])
