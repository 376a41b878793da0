"""One system being collected in this process: its client, its threads and the claims they hold."""

import logging
import threading
from collections.abc import Callable

from django.db import DatabaseError

from backends import checking, trouble
from backends.asking import Asker
from backends.claiming import LEASE_SECONDS, Claim, Nothing, renew
from backends.client import WireClient
from backends.deadlines import deadlines_of
from backends.desk import Desk
from backends.encryption import Unreadable
from backends.endpoints import NoKey, policy, target_of
from backends.finishing import Ending, Place
from backends.hosts import BadAddress
from backends.models import Endpoint, System
from backends.own_faults import OwnFaults
from backends.presets import UnknownPreset
from backends.queries import telling_names
from backends.turns import database_turn
from config.outage import is_away

FULL_PAUSE_SECONDS = 0.2  # before a claim is tried again where other processes hold all places
FAULT_PAUSE_SECONDS = 1.0
_log = logging.getLogger(__name__)


class Drain:
    """Works one system's rows off with as many threads as it is given places; `changed` is called when one ends."""

    def __init__(self, *, system_id: int, changed: Callable[[], None], lease_seconds: float = LEASE_SECONDS) -> None:
        self.system_id = system_id
        self.halt = threading.Event()
        self._changed, self._lease_seconds = changed, lease_seconds
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._faults = OwnFaults()
        self._places = 0
        self._asker: Asker | None = None
        self._desk: Desk | None = None
        self._prepared = self._checks = False

    @property
    def idle(self) -> bool:
        """No thread is at work."""
        return not self._threads

    def claims(self) -> list[Claim]:
        """The claims held now."""
        return self._desk.out() if self._desk else []

    def renew(self) -> None:
        """Keep the claims, and the right to look at the system, for another while."""
        renew(self.claims(), lease_seconds=self._lease_seconds)
        if self._checks:
            checking.still_asks(self.system_id)

    def collect(self, places: int) -> None:
        """Have up to so many threads at work; the first one looks at the system before it asks for answers."""
        self.halt.clear()
        self._places = places
        if not self._prepared:
            if self.idle:
                self._start(self._prepare)
            return
        for _ in range(places - len(self._threads)):
            self._start(self._work)

    def conclude(self) -> None:
        """Look at the system once more, now that all answers are there."""
        if self.idle:
            self._start(self._check_again)

    def stop(self) -> None:
        """No further call; those under way come to their end."""
        self.halt.set()

    def join(self, deadline: Callable[[], float]) -> None:
        """Wait for the threads, at most until no seconds are left."""
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, deadline()))

    def close(self) -> None:
        """Let the connections to the server go."""
        if self._desk is not None:
            self._desk.close()
        if self._asker is not None:
            self._asker.client.close()

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=self._run, args=[work], name=f"collect-{self.system_id}", daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # whatever it is, the engine and the other systems go on
            away = is_away(error)
            if away:
                _log.warning("collecting pauses: the database is away (%s)", type(error).__name__)
            if not self.halt.wait(FAULT_PAUSE_SECONDS) and not away:
                self._give_up_at_last(error)
        finally:
            with database_turn(last=True), self._lock:
                self._threads.discard(threading.current_thread())
            self._changed()

    def _give_up_at_last(self, error: Exception) -> None:
        try:
            self._faults.stop_at_last(error, system_id=self.system_id, what=f"collecting of system {self.system_id}")
        except DatabaseError as away:
            _log.warning("system %s could not be stopped (%s)", self.system_id, type(away).__name__)

    def _open(self) -> Asker | None:
        if self._asker is None:
            self._asker = _open(self.system_id, self.halt, self._faults)
        return self._asker

    def _prepare(self) -> None:
        asker = self._open()
        if asker is None or not self._look_again(asker):
            return
        self._desk = Desk(system_id=self.system_id, place=asker.place, lease_seconds=self._lease_seconds)
        if checking.is_checked(asker.system, checking.BEFORE):
            checking.warm_up(asker)
            self._prepared = True
        else:
            self._prepared = self._check(asker, checking.BEFORE) and self._look_again(asker)
        if not self._prepared:
            self.halt.wait(FULL_PAUSE_SECONDS)  # another process looks at it, or its server rests
            return
        self._changed()  # there is work for the other places too
        self._work()

    def _look_again(self, asker: Asker) -> bool:
        with database_turn():
            return asker.look_again()

    def _check(self, asker: Asker, phase: str) -> bool:
        self._checks = True
        try:
            return checking.check(asker, phase)
        finally:
            self._checks = False

    def _check_again(self) -> None:
        asker = self._open()
        if asker is None:
            return
        if not self._check(asker, checking.AFTER):
            self.halt.wait(FULL_PAUSE_SECONDS)
            return
        with database_turn():
            checking.mark_cold_starts(self.system_id)

    def _work(self) -> None:
        asker, desk, ending = self._asker, self._desk, None
        while asker is not None and desk is not None:
            wants = not self.halt.is_set() and len(self._threads) <= self._places
            claim = desk.visit(ending, wants=wants)
            if isinstance(claim, Claim):
                ending = self._ask(asker, desk, claim)
            elif wants and claim is Nothing.FREE:
                ending = None
                self.halt.wait(FULL_PAUSE_SECONDS)
            else:
                return

    def _ask(self, asker: Asker, desk: Desk, claim: Claim) -> Ending:
        try:
            return asker.ask(claim)
        except BaseException:
            desk.drop(claim)
            raise


def _open(system_id: int, halt: threading.Event, faults: OwnFaults) -> Asker | None:
    """The system ready to be asked; one that never can be is stopped, with the reason."""
    with database_turn():
        system = System.objects.select_related("endpoint", "arm").filter(pk=system_id).first()
        if system is None or system.endpoint is None:
            return None
        try:
            target = target_of(system.endpoint)
        except (NoKey, Unreadable) as error:
            trouble.stop(system_id=system_id, kind="auth", sentence=_sentence(error))
            return None
        except (BadAddress, UnknownPreset) as error:
            trouble.stop(system_id=system_id, kind="forbidden_address", sentence=_sentence(error))
            return None
        experiment = system.arm.experiment_id
        place = Place(experiment=experiment, arm=system.arm, names=telling_names(experiment))
    return Asker(
        system=system, target=target, place=place, client=client_for(system.endpoint), halt=halt, faults=faults
    )


def client_for(endpoint: Endpoint) -> WireClient:
    """A client with room for every call that the endpoint takes at a time."""
    return WireClient(policy=policy(), concurrency=endpoint.max_concurrency, deadlines=deadlines_of(endpoint))


def _sentence(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:]
