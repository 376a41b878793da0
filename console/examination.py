"""What an installation stands on, looked at part by part: database, broker, worker, folder, disk, versions."""

import fcntl
import platform
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import django
from django.conf import settings
from django.db import DatabaseError, connection

from config.checks import installation
from config.health import CHECKS
from config.health import NotReady as Missing

LEAST_FREE_BYTES = 500_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One part, whether it is fine, and a few words."""

    part: str
    fine: bool
    words: str


def examine() -> list[Finding]:
    """Every part, in the order in which they depend on each other."""
    probed = [_probe(part, check) for part, check in CHECKS.items()]
    return [*probed, _database(), _worker(), _folder(), _settings(), _disk(), _versions()]


def _probe(part: str, check: Callable[[], None]) -> Finding:
    try:
        check()
    except Missing as missing:
        return Finding(part, fine=False, words=str(missing))
    return Finding(part, fine=True, words="answers" if part != "migrations" else "all applied")


def _database() -> Finding:
    if connection.vendor != "sqlite":
        return Finding("footing", fine=True, words="scaled: Postgres" + (" and Redis" if settings.REDIS_URL else ""))
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA quick_check")
            said = cursor.fetchone()[0]
    except DatabaseError as error:
        said = str(error)
    return Finding("footing", fine=said == "ok", words=f"embedded: SQLite, integrity {said}")


def _worker() -> Finding:
    """Embedded, the server's own process works; nobody serving is no fault: the next start goes on."""
    if settings.SCALED:
        return Finding("worker", fine=True, words="Celery workers poll the database; see /readyz of each")
    path = Path(settings.DATA_DIR) / "server.lock"
    served = _is_locked(path)
    holder = path.read_text().strip() if served else ""
    return Finding("worker", fine=True, words=f"served by process {holder}" if served else "no server runs")


def _is_locked(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _folder() -> Finding:
    keys = [path for path in Path(settings.DATA_DIR).glob("*.key*") if path.is_file()]
    loose = [path.name for path in keys if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if loose:
        return Finding("folder", fine=False, words=f"others can read {', '.join(loose)}: chmod 600")
    return Finding("folder", fine=True, words=str(settings.DATA_DIR))


def _settings() -> Finding:
    found = installation()
    words = " ".join(f"{one.msg} {one.hint}" for one in found) or "nothing that should not be"
    return Finding("settings", fine=not any(one.is_serious() for one in found), words=words)


def _disk() -> Finding:
    free = shutil.disk_usage(settings.DATA_DIR).free
    return Finding("disk", fine=free >= LEAST_FREE_BYTES, words=f"{free / 1e9:.1f} GB free")


def _versions() -> Finding:
    parts = {"Python": platform.python_version(), "Django": django.get_version(), "gunicorn": version("gunicorn")}
    return Finding("versions", fine=True, words=", ".join(f"{name} {number}" for name, number in parts.items()))
