"""The engine: it looks for systems with work, at least once a second, and keeps a drain running for each.

Any number of engines may run in any number of processes: the claims in the database keep them apart.
"""

import gc
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from django.db import Error
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from backends import bell
from backends.bell import Bell
from backends.checking import AFTER, BEFORE, is_checked
from backends.claiming import (
    LEASE_SECONDS,
    TROUBLED,
    Claim,
    due,
    give_back,
    limit_of,
    take_back_overdue,
    workable,
)
from backends.drains import Drain
from backends.models import Completion, State, System
from backends.own_faults import OwnFaults
from backends.queries import Progress, progress_of
from backends.turns import database_turn, patiently
from config.outage import is_away
from experiments.models import Status

POLL_SECONDS = 1.0
RENEWALS = 4  # of a claim before it would run out
STOP_SECONDS = 15.0  # from the first word of a stop, for calls to come to their end
GIVE_BACK_SECONDS = 3.0  # more, for giving their rows back; together within the 20 s after which others use force
PROGRESS_SECONDS = 0.25
AWAY_SECONDS = 60.0  # that a command waits for a database that is restarted
PATIENT_FAILURES = TROUBLED + 5  # in a row, about 50 seconds: as long as a person waits for a server that was there
_log = logging.getLogger(__name__)


class Work:
    """A system with unfinished rows (`open`), some of which can be asked for now (`due`)."""

    def __init__(self, system: System, *, is_open: bool, is_due: bool) -> None:
        self.system, self.open, self.due = system, is_open, is_due

    @property
    def wants_conclusion(self) -> bool:
        """Whether all answers are there and the system was not looked at again."""
        checked = is_checked(self.system, BEFORE) and not is_checked(self.system, AFTER)
        return checked and not self.open and self.system.paused_at is None


class Engine:
    """Collects in threads of this process. `start` and `stop` are called once each; `ring` wakes it."""

    def __init__(
        self,
        *,
        experiment_id: int | None = None,
        lease_seconds: float = LEASE_SECONDS,
        heartbeat: Path | None = None,
    ) -> None:
        _settle_memory()
        self.bell = Bell()
        self._experiment_id, self._lease_seconds, self._heartbeat = experiment_id, lease_seconds, heartbeat
        self._drains: dict[int, Drain] = {}
        self._stopping = threading.Event()
        self._end = float("inf")
        self._faults = OwnFaults()
        self._renewed = time.monotonic()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, in a thread of its own."""
        bell.here.add(self.bell)
        self._thread = threading.Thread(target=self._loop, name="collecting", daemon=True)
        self._thread.start()

    def ring(self) -> None:
        """Look for work now."""
        self.bell.ring()

    def stop_claiming(self, *, seconds: float = STOP_SECONDS) -> None:
        """Take no further rows, let calls come to their end for so long, then give the other rows back.

        Safe in a signal handler: the engine's own thread does it, whatever else the process still waits for.
        """
        self._end = min(self._end, time.monotonic() + seconds)
        self._stopping.set()
        for drain in list(self._drains.values()):
            drain.stop()
        self.bell.ring()

    def stop(self, *, seconds: float = STOP_SECONDS) -> None:
        """The same, and wait for it."""
        self.stop_claiming(seconds=seconds)
        bell.here.remove(self.bell)
        if self._thread is None:
            self._finish()
        else:
            self._thread.join(self._seconds_left() + GIVE_BACK_SECONDS)

    def tend(self) -> list[Work]:
        """One look: claims are renewed, lost rows taken back, drains started, fed and ended. What there is to do."""
        with database_turn():
            self._renew()
            take_back_overdue()
            found = work_to_do(self._experiment_id)
        if not self._stopping.is_set():
            self._feed(found)
        self._reap(found)
        return found

    @property
    def busy(self) -> bool:
        """Whether any thread is at work."""
        return any(not drain.idle for drain in self._drains.values())

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                self.tend()
                self._faults.forget()
            except Exception as error:  # nobody else would look for work in this process
                if is_away(error):
                    _log.warning("looking for work: the database is away (%s)", type(error).__name__)
                else:
                    self._faults.tell(error, "looking for work")
            self._beat()
            self.bell.wait(min(POLL_SECONDS, self._lease_seconds / RENEWALS))
        self._finish()

    def _beat(self) -> None:
        """For whoever watches from outside: the loop has turned, whether or not there was a database to look at."""
        if self._heartbeat is not None:
            with suppress(OSError):  # a full disk ends no collecting; the watcher finds the file old
                self._heartbeat.touch()

    def _finish(self) -> None:
        """Wait for calls until the end, then give back the rows of those that are still under way."""
        drains = list(self._drains.values())
        for drain in drains:
            drain.stop()  # once more: one may have been fed while the first word came
        for drain in drains:
            drain.join(self._seconds_left)
        try:
            with database_turn(last=self._thread is not None):
                give_back(self._claims())
        except Error as error:
            _log.warning("rows could not be given back (%s); they wait for their leases", type(error).__name__)
        for drain in drains:
            drain.close()

    def _seconds_left(self) -> float:
        return max(0.0, self._end - time.monotonic())

    def _feed(self, found: Sequence[Work]) -> None:
        now = timezone.now()
        active = [work for work in found if work.due and workable(work.system, now)]
        places = fair_places([work.system for work in active])
        for work in active:
            self._drain(work.system).collect(places[work.system.pk])
        for work in found:
            if work.wants_conclusion:
                self._drain(work.system).conclude()

    def _drain(self, system: System) -> Drain:
        if system.pk not in self._drains:
            self._drains[system.pk] = Drain(
                system_id=system.pk, changed=self.bell.ring, lease_seconds=self._lease_seconds
            )
        return self._drains[system.pk]

    def _reap(self, found: Sequence[Work]) -> None:
        """Drains whose system is paused, rests or has gone are halted; those without work are forgotten."""
        now = timezone.now()
        wanted = {work.system.pk for work in found if workable(work.system, now)}
        for pk, drain in list(self._drains.items()):
            if pk not in wanted:
                drain.stop()
            if drain.idle and (pk not in wanted or not any(work.open for work in found if work.system.pk == pk)):
                drain.close()
                del self._drains[pk]

    def _renew(self) -> None:
        if time.monotonic() - self._renewed > self._lease_seconds / RENEWALS:
            for drain in list(self._drains.values()):
                drain.renew()
            self._renewed = time.monotonic()

    def _claims(self) -> list[Claim]:
        return [claim for drain in list(self._drains.values()) for claim in drain.claims()]


@cache
def _settle_memory() -> None:
    """Once a process: what is loaded by now stays; looking through it again and again halts every measuring thread."""
    gc.collect()
    gc.freeze()


def work_to_do(experiment_id: int | None = None) -> list[Work]:
    """The systems of experiments being collected that have unfinished rows or were not looked at again."""
    now = timezone.now()
    rows = Completion.objects.filter(system=OuterRef("pk"))
    systems = System.objects.filter(arm__experiment__status=Status.COLLECTING, endpoint__isnull=False)
    if experiment_id is not None:
        systems = systems.filter(arm__experiment=experiment_id)
    found = systems.select_related("endpoint").annotate(
        is_open=Exists(rows.filter(state__in=[State.PENDING, State.RUNNING])), is_due=Exists(rows.filter(due(now)))
    )
    unfinished = found.filter(Q(is_open=True) | Q(preflight__has_key=BEFORE) & ~Q(preflight__has_key=AFTER))
    return [Work(system, is_open=system.is_open, is_due=system.is_due) for system in unfinished.order_by("pk")]


def fair_places(systems: Sequence[System]) -> dict[int, int]:
    """Calls under way for each system: its own limit, and an equal part of what a shared endpoint takes."""
    places: dict[int, int] = {}
    for endpoint in {system.endpoint_id for system in systems}:
        sharing = sorted((system for system in systems if system.endpoint_id == endpoint), key=limit_of)
        left = next(system.endpoint.max_concurrency for system in sharing if system.endpoint)
        for number, system in enumerate(sharing):
            part = max(1, left // (len(sharing) - number))
            places[system.pk] = min(limit_of(system), part)
            left -= places[system.pk]
    return places


def drain_until_idle(
    experiment_id: int, progress: Callable[[Progress], None] | None = None, *, lease_seconds: float = LEASE_SECONDS
) -> Progress:
    """Collect an experiment in this process until nothing is left that collecting could still bring.

    `progress` is told a few times a second. Ends with rows pending where their system is paused, or where its server
    is away: one that never answered is given up at once, one that did is waited for for a while.
    """
    engine = Engine(experiment_id=experiment_id, lease_seconds=lease_seconds)

    def look() -> Progress:
        with database_turn():
            return progress_of(experiment_id)

    try:
        while True:
            left = patiently(engine.tend, seconds=AWAY_SECONDS)
            if progress:
                progress(look())
            if not engine.busy and not any(_hopeful(work) for work in left):
                return look()
            engine.bell.wait(PROGRESS_SECONDS if progress else POLL_SECONDS)
    finally:
        engine.stop()


def _hopeful(work: Work) -> bool:
    return not _hopeless(work) if work.open else work.wants_conclusion


def _hopeless(work: Work) -> bool:
    """Whether waiting for this system is no use."""
    system = work.system
    if system.paused_at is not None:
        return True
    if system.trouble_kind == "unreachable" and system.failures_in_row >= TROUBLED:
        never = not Completion.objects.filter(system=system, state=State.DONE).exists()
        return never or system.failures_in_row >= PATIENT_FAILURES
    return system.failures_in_row >= PATIENT_FAILURES
