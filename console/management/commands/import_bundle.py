"""`import_bundle`: a closed experiment from elsewhere."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accounts.models import User
from console.bundles import import_bundle
from console.command import Command as Base
from experiments.refusals import Refused


class Command(Base):
    """All or nothing; a damaged or changed bundle is refused, naming what is wrong."""

    help = "Add a closed experiment from a bundle that `export --format bundle` made elsewhere."

    def add_options(self, parser: CommandParser) -> None:
        """The file, and whose the experiment is here."""
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--owner", metavar="EMAIL", help="whose it is: somebody with an account here")

    def run(self, **options: Any) -> None:
        """Check, write, and say what there is."""
        returned = import_bundle(path=options["file"], owners=self._owners(options["owner"]))
        experiment = returned.experiment
        self.warn(*returned.warnings)
        self.say(
            f"Added {experiment.slug} (id {experiment.pk}): closed, {returned.judgments} judgments. Its seal holds.",
            f"Next: ./blindpair report {experiment.slug} --format md",
        )
        self.facts(
            {
                "id": experiment.pk,
                "slug": experiment.slug,
                "status": experiment.status,
                "judgments": returned.judgments,
                "seal": experiment.seal,
            }
        )

    def _owners(self, email: str | None) -> list[User]:
        if not email:
            return list(User.objects.filter(is_staff=True, is_active=True).order_by("pk")[:1])
        found = list(User.objects.filter(email=email.strip().lower()))
        if not found:
            raise Refused(f"nobody here has the address {email!r}: invite them first, or leave --owner out.")
        return found
