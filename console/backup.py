"""A consistent copy of the whole installation, and back; the keys that open endpoint secrets are never in it."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from accounts.actions import log
from accounts.models import User
from backends.endpoints import unreadable
from config.solitude import claim
from console import backup_postgres, backup_sqlite
from console.backup_file import CONTENT, KINDS, BadBackup, Manifest, pack, unpacked
from experiments.models import Experiment
from experiments.refusals import Refused


class Tool(Protocol):
    """How one kind of database is copied out, looked at and copied in."""

    def copy_out(self, target: Path) -> dict[str, int]:
        """Write a copy; its rows by table."""

    def check(self, copy: Path) -> dict[str, int]:
        """The rows by table of a sound copy."""

    def copy_in(self, copy: Path) -> None:
        """Replace everything by a copy."""


TOOLS: dict[str, Tool] = {"sqlite": backup_sqlite, "postgresql": backup_postgres}


class NotEmpty(Refused):
    """There is something here already that a restore would remove."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What came back, and the endpoints whose key must be entered again."""

    manifest: Manifest
    unreadable: list[str]


def backup(path: Path) -> Manifest:
    """Write everything that is committed by now to `path`. Votes may come in meanwhile."""
    with TemporaryDirectory(prefix="backup-", dir=settings.DATA_DIR) as folder:
        copy = Path(folder) / CONTENT
        made_at = timezone.now().isoformat()
        counts = TOOLS[connection.vendor].copy_out(copy)
        manifest = Manifest(kind=connection.vendor, made_at=made_at, migrations=_applied(), counts=counts)
        pack(path, copy, manifest)
    log(None, "backed up", "installation", rows=manifest.rows)
    return manifest


def check(path: Path) -> Manifest:
    """Whether a backup is whole: every byte, the database itself, and the rows of every table. Raises BadBackup."""
    with unpacked(path, within=settings.DATA_DIR) as (manifest, copy):
        _examine(path, manifest, copy)
    return manifest


def restore(path: Path, *, replace: bool = False) -> Restored:
    """Put a backup into the place of what is here, after checking it; the tables are then brought up to date.

    Raises NotEmpty unless there is nothing here or `replace`; BadBackup; AlreadyServed while a server runs.
    """
    claim()
    if not replace:
        _require_empty()
    with unpacked(path, within=settings.DATA_DIR) as (manifest, copy):
        if manifest.kind != connection.vendor:
            raise BadBackup(f"{path.name} is of {KINDS[manifest.kind]}, but here is {KINDS[connection.vendor]}.")
        _examine(path, manifest, copy)
        TOOLS[connection.vendor].copy_in(copy)
    call_command("migrate", verbosity=0, interactive=False)
    log(None, "restored", "installation", made_at=manifest.made_at, rows=manifest.rows)
    return Restored(manifest=manifest, unreadable=unreadable())


def _examine(path: Path, manifest: Manifest, copy: Path) -> None:
    known = {f"{app} {name}" for app, name in MigrationLoader(None).disk_migrations}
    newer = sorted({f"{app} {name}" for app, names in manifest.migrations.items() for name in names} - known)
    if newer:
        raise BadBackup(f"{path.name} was made by a newer version ({newer[0]} is unknown here): upgrade first.")
    counts = TOOLS[manifest.kind].check(copy)
    wrong = sorted(name for name in {*counts, *manifest.counts} if counts.get(name, 0) != manifest.counts.get(name, 0))
    if wrong:
        name = wrong[0]
        raise BadBackup(
            f"{path.name}: table {name} has {counts.get(name, 0)} rows, not the {manifest.counts.get(name, 0)} it had."
        )


def _require_empty() -> None:
    experiments, users = Experiment.objects.count(), User.objects.count()
    if experiments or users:
        raise NotEmpty(
            f"this installation holds {experiments} experiments and {users} accounts: restore into an empty one, "
            "or say --replace to lose them."
        )


def _applied() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for app, name in sorted(MigrationLoader(connection).applied_migrations):
        found.setdefault(app, []).append(name)
    return found
