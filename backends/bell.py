"""The doorbell: whoever collects is woken at once when there is work.

The rows hold the work, and every collecting process looks for itself once a second: a lost ring only delays.
"""

import logging
import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress

from django.conf import settings
from django.db import transaction

from config.celery import app

RING_TASK, SWEEP_TASK = "backends.tasks.ring", "backends.tasks.sweep"
PATIENCE_SECONDS = 0.25
_log = logging.getLogger(__name__)


class Bell:
    """Wakes one waiting thread, also from a process that was forked after the bell was made."""

    def __init__(self) -> None:
        self._listen, self._push = os.pipe()
        os.set_blocking(self._listen, False)
        os.set_blocking(self._push, False)

    def ring(self) -> None:
        """Wake the listener; never waits."""
        try:
            os.write(self._push, b"!")
        except BlockingIOError:
            return  # it rings already

    def wait(self, seconds: float) -> bool:
        """Wait for a ring, at most so long; whether it rang."""
        waiting = select.poll()
        waiting.register(self._listen, select.POLLIN)
        if not waiting.poll(max(0.0, seconds) * 1000):
            return False
        with suppress(BlockingIOError):  # another listener was quicker
            os.read(self._listen, 65536)
        return True

    def close(self) -> None:
        """The bell is rung no more."""
        os.close(self._push)
        os.close(self._listen)


class Listeners:
    """The bells of this process's own engines."""

    def __init__(self) -> None:
        self._bells: list[Bell] = []

    def add(self, bell: Bell) -> None:
        """Ring this one too from now on."""
        if bell not in self._bells:
            self._bells.append(bell)

    def remove(self, bell: Bell) -> None:
        """No longer."""
        if bell in self._bells:
            self._bells.remove(bell)

    def ring(self) -> None:
        """Wake every engine of this process (and of the process it was forked from)."""
        for bell in list(self._bells):
            bell.ring()


here = Listeners()
_under_way = threading.Semaphore(1)


def ring(experiment_id: int) -> None:
    """Say, once the transaction is committed, that the experiment has work. Never raises, hardly ever waits."""
    transaction.on_commit(lambda: _ring_now(experiment_id), robust=True)


def _ring_now(experiment_id: int) -> None:
    here.ring()
    if settings.REDIS_URL:
        _tell_workers(lambda: app.send_task(RING_TASK, args=[experiment_id], retry=False, ignore_result=True))


def _tell_workers(send: Callable[[], object]) -> None:
    """Send on a thread of its own: a frozen broker holds a connection far longer than its timeouts say."""
    if not _under_way.acquire(blocking=False):
        return  # the broker has not taken the last ring yet; workers look for themselves
    sender = threading.Thread(target=_send, args=[send], name="bell", daemon=True)
    sender.start()
    sender.join(PATIENCE_SECONDS)


def _send(send: Callable[[], object]) -> None:
    try:
        send()
    except Exception as error:  # whatever a broker does, the work is in the rows
        _log.warning("the broker was not told (%s); workers will see the work within a second", type(error).__name__)
    finally:
        _under_way.release()
