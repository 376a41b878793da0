"""`add_experiment`: a draft from a TOML file."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accounts.actions import invite, owner_called
from accounts.models import User
from console.actions import add_experiment
from console.command import Command as Base
from console.experiment_file import read_toml
from console.experiment_rows import read_rows


class Command(Base):
    """Validates everything, then writes all or nothing."""

    help = "Add an experiment from a TOML file, as a draft."

    def add_options(self, parser: CommandParser) -> None:
        """The file, who owns it, and what to do where it is there already."""
        parser.add_argument("file", type=Path, metavar="FILE.toml")
        parser.add_argument("--owner", metavar="EMAIL", help="whose it is; an account is made where there is none")
        parser.add_argument("--replace", action="store_true", help="in the place of an unopened one of the same title")
        parser.add_argument("--encoding", help="of the files it names, where they are not UTF-8")

    def run(self, **options: Any) -> None:
        """Read, check, write."""
        spec = read_toml(options["file"])
        rows = read_rows(spec, encoding=options["encoding"])
        owners = self._owners(options["owner"])
        experiment = add_experiment(spec=spec, rows=rows, owners=owners, replace=options["replace"])
        self.warn(*rows.warnings)
        self.say(
            f"Added {experiment.slug} (id {experiment.pk}): {len(rows.inputs)} inputs, {len(spec.systems)} systems.",
            f"Next: ./blindpair collect {experiment.slug} --wait",
        )
        self.facts({"id": experiment.pk, "slug": experiment.slug})

    def _owners(self, email: str | None) -> list[User]:
        if not email:
            return list(User.objects.filter(is_staff=True, is_active=True).order_by("pk")[:1])
        owner = owner_called(email)
        if not owner.has_usable_password():
            link = invite(email=owner.email)
            self.stderr.write(f"{owner.email} has no password yet. A link to set one, for a week: {link.url}")
        return [owner]
