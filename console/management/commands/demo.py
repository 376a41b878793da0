"""`demo`: the server with sample experiments, to look around in."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from backends.discovery import USUAL_PORTS, find_local
from console import demo
from console.command import Command as Base
from console.serving import make_ready, serve
from experiments.refusals import Refused

HOST = "127.0.0.1"


class Command(Base):
    """Makes the sample experiments and prints the links; the demo endpoint lives as long as the server."""

    help = "Start Blindpair with sample experiments."
    prints_json = False

    def add_options(self, parser: CommandParser) -> None:
        """Where to listen, and whether to begin anew."""
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--reset", action="store_true", help="make the sample experiments anew")

    def run(self, **options: Any) -> None:
        """Make ready, make the samples, say where everything is, and become the server."""
        if settings.SCALED:
            raise Refused("demo needs no database of yours: unset DATABASE_URL, or use `up` and add_experiment.")
        port = options["port"]
        address = make_ready(HOST, port)
        endpoint = demo.start_endpoint()
        user = demo.owner()
        made = demo.make(user, endpoint, reset=options["reset"])
        slugs = {kind: one.slug for kind, one in made.experiments.items()}
        self.say(
            "",
            f"Blindpair is at {address}/ (Ctrl+C ends it).",
            "",
            f"  Owner   {demo.way_in(user, address)}",
            f"  Rater   {demo.raters_link(made.experiments['rating'])}",
            "",
            f"  To collect  {slugs['draft']}: ./blindpair collect {slugs['draft']} --wait",
            f"              its answers come from a demo endpoint at {endpoint}",
            f"  To rate     {slugs['rating']}",
            f"  To read     {slugs['closed']}: its judgments are synthetic",
        )
        self._say_what_is_nearby(port, endpoint)
        self.say("")
        serve(HOST, port, address)

    def _say_what_is_nearby(self, port: int, endpoint: str) -> None:
        own = {port, int(endpoint.rpartition(":")[2].partition("/")[0])}
        for found in find_local(tuple(usual for usual in USUAL_PORTS if usual not in own)):
            models = ", ".join(found.models[:3])
            self.say("", f"  Found on this machine: {found.preset} at {found.base_url} ({models})")
