"""`add_experiment`: a draft from a TOML file, or from a closed experiment as a regression check."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.core.validators import validate_email
from django.db import transaction

from accounts.actions import invite, owner_called
from accounts.models import User
from backends.queries import progress
from console import pricing
from console.actions import add_experiment
from console.command import Command as Base
from console.command import find, harmless
from console.experiment_file import read_toml
from console.experiment_rows import read_rows
from console.personal import warning
from console.regression import Candidate, follow, parameter
from experiments.models import Experiment
from experiments.refusals import Refused

OF_A_FILE = ("replace", "encoding")
OF_A_CHECK = ("candidate", "accepted", "like", "parameter", "system_prompt", "title")


class Command(Base):
    """Validates everything, then writes all or nothing."""

    help = "Add an experiment as a draft: from a TOML file, or on the inputs of a closed one (--from)."

    def add_options(self, parser: CommandParser) -> None:
        """The file, or the closed experiment; who owns it, and what to do where it is there already."""
        parser.add_argument("file", type=Path, nargs="?", metavar="FILE.toml")
        parser.add_argument("--owner", metavar="EMAIL", help="whose it is; an account is made where there is none")
        parser.add_argument("--replace", action="store_true", help="in the place of an unopened one of the same title")
        parser.add_argument("--encoding", help="of the files it names, where they are not UTF-8")
        check = parser.add_argument_group("regression check")
        check.add_argument("--from", dest="source", metavar="EXPERIMENT", help="a closed one: its inputs and protocol")
        check.add_argument("--candidate", metavar="NAME=MODEL@ENDPOINT", help="the new version")
        check.add_argument("--accepted", metavar="NAME", help="the system in use (default: the baseline)")
        check.add_argument("--like", metavar="NAME", help="whose settings the candidate takes")
        check.add_argument("--parameter", action="append", metavar="KEY=VALUE", help="change one; KEY= removes it")
        check.add_argument("--system-prompt", metavar="TEXT", help="of the candidate, where it changed")
        check.add_argument("--title", help="of the new experiment")

    def run(self, **options: Any) -> None:
        """Either way, as its own options say."""
        if (options["file"] is None) == (options["source"] is None):
            raise Refused("name a file, or a closed experiment with --from.")
        stray = [name for name in (OF_A_FILE if options["source"] else OF_A_CHECK) if options[name]]
        if stray:
            word = stray[0].replace("_", "-")
            raise Refused(f"--{word} does not go with {'--from' if options['source'] else 'a file'}.")
        if options["source"]:
            self._check(**options)
        else:
            self._from_file(**options)

    def _from_file(self, **options: Any) -> None:
        spec = read_toml(options["file"])
        rows = read_rows(spec, encoding=options["encoding"])
        with transaction.atomic():
            owners = self._owners(options["owner"])
            experiment = add_experiment(spec=spec, rows=rows, owners=owners, replace=options["replace"])
        self._link_to(options["owner"], owners)
        self.warn(*rows.warnings, *pricing.warnings(spec), *warning(experiment))
        self._added(experiment, f"{len(rows.inputs)} inputs, {len(spec.systems)} systems.")

    def _check(self, **options: Any) -> None:
        if not options["candidate"]:
            raise Refused("--from needs the new version: --candidate NAME=MODEL@ENDPOINT.")
        changed = dict(parameter(text) for text in options["parameter"] or [])
        candidate = Candidate.read(options["candidate"])
        with transaction.atomic():
            owners = self._owners(options["owner"]) if options["owner"] else None
            made = follow(
                source=find(options["source"]),
                candidate=replace(candidate, parameters=changed, system_prompt=options["system_prompt"]),
                accepted=options["accepted"],
                like=options["like"],
                title=options["title"] or "",
                owners=owners,
            )
        self._link_to(options["owner"], owners or [])
        self.stderr.write(harmless(f"Accepted system: {made.accepted} ({made.why})."))
        self.stderr.write(harmless(f"{candidate.name} is asked as {made.like} was, but for what you changed."))
        self.warn(*made.warnings)
        self._added(made.experiment, f"{made.experiment.inputs.count()} inputs, 2 systems.")

    def _added(self, experiment: Experiment, what: str) -> None:
        self.say(
            f"Added {experiment.slug} (id {experiment.pk}): {what}",
            f"Next: ./blindpair {_next(experiment)}",
        )
        self.facts({"id": experiment.pk, "slug": experiment.slug})

    def _owners(self, email: str | None) -> list[User]:
        if not email:
            return list(User.objects.filter(is_staff=True, is_active=True).order_by("pk")[:1])
        try:
            validate_email(email.strip())
        except ValidationError as error:
            raise Refused(f"--owner takes an e-mail address, not {email!r}.") from error
        return [owner_called(email)]

    def _link_to(self, named: str | None, owners: list[User]) -> None:
        """Only once the experiment is there: a refused file leaves no account and no link."""
        for owner in owners if named else []:
            if not owner.has_usable_password():
                link = invite(email=owner.email)
                self.stderr.write(f"{owner.email} has no password yet. A link to set one, for a week: {link.url}")


def _next(experiment: Experiment) -> str:
    """Recorded answers are here already; whatever is to be asked comes first."""
    calls = progress(experiment).not_started(experiment.inputs.count())
    return f"collect {experiment.slug} --wait" if calls else f"open_rating {experiment.slug}"
