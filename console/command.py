"""What every command of ours shares: finding an experiment, printing facts, and refusing in one clear line."""

import json
import sys
from abc import abstractmethod
from datetime import date
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from accounts.actions import escaped
from config.versions import refuse_newer
from experiments.models import Experiment
from experiments.refusals import Refused
from reports.unblinding import StillBlind

STILL_BLIND = 3
INTERRUPTED = 130


class Refusal(CommandError):
    """A command that cannot do what it was asked; `returncode` is what the shell sees."""


class Command(BaseCommand):
    """Base of our commands: no question is asked, facts go to stdout, refusals to stderr with an exit code.

    A subclass says `refuses_with` where its refusals have an exit code of their own, and fills in `run`.
    """

    refuses_with = 1
    prints_json = True
    takes_experiment = False
    requires_system_checks: list[str] = []
    stealth_options = ("json",)

    def add_arguments(self, parser: CommandParser) -> None:
        """EXPERIMENT and --json where the command takes them; a subclass adds its own in `add_options`."""
        if self.takes_experiment:
            parser.add_argument("experiment", metavar="EXPERIMENT", help="its id or slug")
        if self.prints_json:
            parser.add_argument("--json", action="store_true", help="print the facts as JSON")
        self.add_options(parser)

    def add_options(self, parser: CommandParser) -> None:
        """Further arguments of a subclass."""

    @abstractmethod
    def run(self, **options: Any) -> None:
        """What the command does; raises Refused (or a subclass) where it cannot."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Called by Django."""
        make_tables()
        self.as_json = bool(options.get("json"))
        self.run(**options)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run, and turn what a user can cause into one line and an exit code, never a traceback."""
        try:
            return super().execute(*args, **options)
        except (Refused, CommandError, ImproperlyConfigured, DatabaseError, OSError) as error:
            self._refuse(self._sentence(error), getattr(error, "returncode", self.refuses_with), error)
        except StillBlind as error:
            self._refuse(str(error), STILL_BLIND, error)
        except KeyboardInterrupt as error:
            self._refuse("stopped.", INTERRUPTED, error)
        return None

    def say(self, *lines: str) -> None:
        """Lines for people on stdout; silent with --json."""
        if not self.as_json:
            for line in lines:
                self.stdout.write(harmless(line))

    def warn(self, *lines: str) -> None:
        """Lines on stderr, whatever the format."""
        for line in lines:
            self.stderr.write(harmless(f"warning: {line}"))

    def facts(self, facts: object) -> None:
        """The facts as one JSON document on stdout; silent without --json."""
        if self.as_json:
            self.stdout.write(harmless(json.dumps(facts, ensure_ascii=False, indent=2, default=_plain)))

    def _sentence(self, error: BaseException) -> str:
        if isinstance(error, OSError) and error.filename:
            return f"{error.filename}: {error.strerror}."
        if isinstance(error, DatabaseError):
            return f"the database refused ({str(error).strip().splitlines()[0]}). Try again; `doctor` looks closer."
        return str(error)

    def _refuse(self, sentence: str, code: int, error: BaseException) -> None:
        if not getattr(self, "_called_from_command_line", False):
            raise Refusal(sentence, returncode=code) from error
        self.stderr.write(harmless(f"blindpair: {sentence}"))
        sys.exit(code)


class ExperimentCommand(Command):
    """A command about one experiment, named by id or slug."""

    takes_experiment = True

    def run(self, **options: Any) -> None:
        """Find the experiment and hand it on."""
        self.run_on(find(options.pop("experiment")), **options)

    @abstractmethod
    def run_on(self, experiment: Experiment, **options: Any) -> None:
        """What the command does to the experiment."""


class NoSuchExperiment(Refused):
    """No experiment has this id or slug."""

    returncode = 1


def harmless(text: str) -> str:
    """Lines as a terminal shows them: names, and what a server says, may hold what it would act on instead.

    What is JSON stays the same JSON: it writes such characters the same way.
    """
    return "\n".join(map(escaped, text.split("\n")))


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def find(name: str) -> Experiment:
    """The experiment with this slug or id (a slug wins); raises NoSuchExperiment, naming some that exist."""
    found = sorted(Experiment.objects.named(name), key=lambda one: one.slug != name)
    if found:
        return found[0]
    known = list(Experiment.objects.order_by("-pk").values_list("slug", flat=True)[:5])
    there = f"There are: {', '.join(known)}." if known else "There is none yet: add one with add_experiment."
    raise NoSuchExperiment(f"no experiment is called {name!r}. {there}")


def make_tables() -> None:
    """Make the tables of an embedded database that has none yet, so that any command can be the first one.

    Raises NewerDatabase where a later version was here.
    """
    refuse_newer()
    if settings.SCALED or Experiment._meta.db_table in connection.introspection.table_names():
        return
    call_command("migrate", verbosity=0, interactive=False)
