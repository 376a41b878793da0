"""Everything that can be checked without running a test."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

SCALED = {
    "DATABASE_URL": "postgres://blindpair@127.0.0.1/blindpair",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "PUBLIC_URL": "https://blindpair.example.org",
    "TRUSTED_PROXIES": "127.0.0.1",
    "SECRET_KEY": "only-for-the-check-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
    "BLINDPAIR_ENCRYPTION_KEYS": "Y2hlY2stb25seS1jaGVjay1vbmx5LWNoZWNrLW9ubHk=",
}
PYTHON = sys.executable
CHECKS: list[tuple[str, list[str], dict[str, str]]] = [
    ("ruff", [PYTHON, "-m", "ruff", "check", "."], {}),
    ("format", [PYTHON, "-m", "ruff", "format", "--check", "."], {}),
    ("types", [PYTHON, "-m", "mypy"], {}),
    ("import contracts", [PYTHON, "-c", "from importlinter.cli import lint_imports_command as c; c()"], {}),
    ("migrations", [PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"], {}),
    ("deploy", [PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"], SCALED),
]


class Command(BaseCommand):
    """Runs every check, says which failed, and exits 1 where one did."""

    help = "ruff, format, mypy, import contracts, templates, makemigrations --check, check --deploy"

    def handle(self, *args: Any, **options: Any) -> None:
        """Run all of them, even after one has failed: a person wants the whole list."""
        failed = [
            name for name, command, extra in [*CHECKS, self._templates()] if not self._passes(name, command, extra)
        ]
        if failed:
            self.stderr.write(f"failed: {', '.join(failed)}")
            sys.exit(1)
        self.stdout.write("all checks passed")

    def _passes(self, name: str, command: list[str], extra: dict[str, str]) -> bool:
        result = subprocess.run(
            command, cwd=settings.BASE_DIR, env={**os.environ, **extra}, capture_output=True, text=True, check=False
        )
        good = result.returncode == 0
        self.stdout.write(f"{name}: {'ok' if good else 'FAILED'}")
        if not good:
            self.stdout.write(result.stdout + result.stderr)
        return good

    def _templates(self) -> tuple[str, list[str], dict[str, str]]:
        files = sorted(str(path) for path in (settings.BASE_DIR / "templates").rglob("*.html"))
        djade = str(Path(PYTHON).with_name("djade"))
        return "templates", [djade, "--check", "--target-version", "5.2", *files], {}
