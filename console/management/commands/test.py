"""Every test: on SQLite, and with --scale again on a real Postgres with a real Redis."""

import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """A thin door to `python -m tests`, which takes the arguments as they are."""

    help = "run the tests on SQLite; --scale repeats them on Postgres and Redis; the rest goes to pytest"
    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        """Hand every argument on."""
        sys.exit(subprocess.call([sys.executable, "-m", "tests", *argv[2:]], cwd=settings.BASE_DIR))

    def handle(self, *args: Any, **options: Any) -> None:
        """Called from code."""
        self.run_from_argv(["manage.py", "test", *args])
