"""What an installation stands on, looked at part by part, from the database to the versions."""

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
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage, staticfiles_storage
from django.core.mail import get_connection
from django.db import DatabaseError, connection
from django.utils import timezone

from backends.encryption import ring
from backends.endpoints import unreadable
from backends.watching import queue
from config.checks import installation
from config.health import CHECKS
from config.health import NotReady as Missing

LEAST_FREE_BYTES = 500_000_000
MOST_LOG_BYTES = 1_000_000_000
MOST_SECONDS_APART = 5.0
MOST_SECONDS_UNTOUCHED = 30.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One part, whether it is fine, and a few words."""

    part: str
    fine: bool
    words: str


def examine() -> list[Finding]:
    """Every part, in the order in which they depend on each other."""
    probed = [_probe(part, check) for part, check in CHECKS.items()]
    asking = {"footing": _database, "clock": _clock, "log file": _wal, "worker": _worker, "keys": _keys}
    asked = [_asked(part, look) for part, look in asking.items()]
    return [*probed, *asked, _folder(), _settings(), _static(), _mail(), _disk(), _versions()]


def _asked(part: str, look: Callable[[], Finding]) -> Finding:
    """A part that asks the database."""
    try:
        return look()
    except DatabaseError:
        return Finding(part, fine=False, words="unknown while the database does not answer")


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


def _clock() -> Finding:
    """Leases are times: the database's clock and this machine's must agree."""
    if connection.vendor == "sqlite":
        return Finding("clock", fine=True, words="one clock: the database is a file of this machine")
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        apart = abs((cursor.fetchone()[0] - timezone.now()).total_seconds())
    words = f"{apart:.1f} s apart from the database's"
    return Finding("clock", fine=apart <= MOST_SECONDS_APART, words=words + ("" if apart <= 1 else ": set up NTP"))


def _wal() -> Finding:
    """SQLite's log shrinks by itself; a large one says that something reads without an end."""
    if connection.vendor != "sqlite":
        return Finding("log file", fine=True, words="kept by Postgres")
    path = Path(f"{connection.settings_dict['NAME']}-wal")
    size = path.stat().st_size if path.is_file() else 0
    hint = ": something reads for very long; restart the server" if size > MOST_LOG_BYTES else ""
    return Finding("log file", fine=not hint, words=f"{size / 1e6:.0f} MB{hint}")


def _keys() -> Finding:
    """Every stored endpoint key opens under the ring."""
    lost = unreadable()
    if lost:
        return Finding(
            "keys", fine=False, words=f"no key of the ring opens the key of {', '.join(lost)}: enter it again"
        )
    return Finding(
        "keys", fine=True, words=f"{len(ring(settings.ENCRYPTION_KEYS))} in the ring, every stored key opens"
    )


def _static() -> Finding:
    if not isinstance(staticfiles_storage, ManifestStaticFilesStorage):
        return Finding("static", fine=True, words="served from the checkout")
    if staticfiles_storage.hashed_files:
        return Finding("static", fine=True, words=f"{len(staticfiles_storage.hashed_files)} files collected")
    if settings.SCALED:
        return Finding("static", fine=False, words="not collected: run `python manage.py collectstatic --no-input`")
    return Finding("static", fine=True, words="not collected yet; `up` does it at its start")


def _mail() -> Finding:
    """Whether the mail server takes a connection; nothing is sent."""
    if not settings.EMAIL_URL:
        return Finding("e-mail", fine=True, words="off: links are shown, not sent (EMAIL_URL)")
    mail = get_connection()
    try:
        mail.open()
        mail.close()
    except OSError as error:
        return Finding("e-mail", fine=False, words=f"the server of EMAIL_URL does not answer ({error})")
    return Finding("e-mail", fine=True, words="the server answers")


def _worker() -> Finding:
    """Scaled, work that is due and untouched tells that no worker lives. Embedded, the server's own process works;
    nobody serving is no fault: the next start goes on."""
    if settings.SCALED:
        waiting = queue(timezone.now())
        if waiting.untouched > MOST_SECONDS_UNTOUCHED:
            words = (
                f"{waiting.due} answers have been due for {waiting.untouched:.0f} s and nobody works: start a worker"
            )
            return Finding("worker", fine=False, words=words)
        words = f"{waiting.states['running']} answers under way, {waiting.due} due; nothing waits untouched"
        return Finding("worker", fine=True, words=words)
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
