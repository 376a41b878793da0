"""`up`: the web server and its worker in one process tree."""

from typing import Any

from django.core.management.base import CommandParser

from accounts.actions import invite
from accounts.models import User
from console.command import Command as Base
from console.serving import LOOPBACK, make_ready, serve
from experiments.models import Experiment


class Command(Base):
    """Serves the data folder; on an empty database prints a one-time link that makes the first staff account."""

    help = "Start Blindpair: web server and worker, embedded."
    prints_json = False

    def add_options(self, parser: CommandParser) -> None:
        """Where to listen."""
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default="127.0.0.1")

    def run(self, **options: Any) -> None:
        """Make ready, say how to get in, and become the server."""
        host, port = options["host"], options["port"]
        address = make_ready(host, port)
        if host not in LOOPBACK and "127.0.0.1" in address:
            self.warn("links begin with a loopback address: set PUBLIC_URL to the address that raters reach.")
        self.say(*self.way_in(address))
        serve(host, port, address)

    def way_in(self, address: str) -> list[str]:
        """Where the server is, and the link that makes the first account."""
        lines = [f"Blindpair is at {address}/ (Ctrl+C ends it)."]
        first = User.objects.filter(is_staff=True, is_active=True).order_by("pk").first()
        if first is None:
            link = invite(staff=True)
            return [*lines, f"Make the first account, once: {link.url}"]
        for experiment in Experiment.objects.filter(owners=None):
            # Added from the command line before there was an account: nobody could see it in the browser.
            experiment.owners.add(first)
        return lines
