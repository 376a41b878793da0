"""How long experiments are kept: those whose days after closing are over are deleted, by themselves once an hour."""

import logging
import threading
from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.utils import timezone

from accounts import throttling
from accounts.actions import log
from accounts.sessions import SessionStore
from console import staging
from console.actions import delete
from experiments.models import Experiment, Status

EVERY_SECONDS = 3600.0
_log = logging.getLogger(__name__)


def overdue(now: datetime) -> list[Experiment]:
    """Closed experiments whose retention is over, the oldest first. Without retention days one is kept for good."""
    kept = Experiment.objects.filter(status=Status.CLOSED, retention_days__isnull=False).order_by("closed_at", "pk")
    return [one for one in kept if (until := kept_until(one)) is not None and until <= now]


def kept_until(experiment: Experiment) -> datetime | None:
    """When the experiment is deleted; None where it stays, or is not closed yet."""
    if experiment.closed_at is None or experiment.retention_days is None:
        return None
    return experiment.closed_at + timedelta(days=experiment.retention_days)


def sweep(now: datetime | None = None) -> list[str]:
    """Delete what is overdue, with everything, files nobody took, and sessions and tries that are over; the slugs."""
    now = now or timezone.now()
    staging.sweep(now=now)
    throttling.forget(now)
    SessionStore.clear_expired()
    gone = []
    for experiment in overdue(now):
        delete(experiment=experiment, by=None)
        log(None, "ended the retention of", f"experiment {experiment.slug}", days=experiment.retention_days)
        gone.append(experiment.slug)
    return gone


class Housekeeper:
    """Sweeps in a thread of this process, at once and then every hour: on the embedded footing nobody else does."""

    def __init__(self, *, every_seconds: float = EVERY_SECONDS) -> None:
        self._every_seconds = every_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="housekeeping", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is being deleted is deleted first."""
        self._stopping.set()
        self._thread.join()

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                sweep()
            except DatabaseError as error:
                _log.warning("retention: the database is away (%s); the next hour tries again", type(error).__name__)
            finally:
                connection.close()
            self._stopping.wait(self._every_seconds)
