"""Where the threads of one drain hand in what became of a row and take the next, many at a time in one transaction.

A clerk, on one thread with one connection, serves all who wait at once: the busier it is, the more one transaction
carries. The threads that ask models never touch the database themselves.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import DatabaseError, transaction

from backends import finishing
from backends.claiming import LEASE_SECONDS, Claim, Nothing, claim_some, lock
from backends.finishing import Ending, NotHeld, Place
from backends.turns import database_turn, patiently
from config.outage import is_away
from experiments.actions import BEFORE_THE_SEAL

SAVE_WITHIN_SECONDS = 60.0
LINGER_SECONDS = 1.0  # without a visitor the clerk goes, and lets the connection go
OUR_FAULT = "Blindpair itself could not save this answer; the server's log says why. Report it."
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Visit:
    """One thread at the desk: what it hands in, whether it wants a row, and what it got."""

    ending: Ending | None
    wants: bool
    got: Claim | Nothing = field(default=Nothing.DUE)
    error: Exception | None = None
    served: threading.Event = field(default_factory=threading.Event)


class Desk:
    """One system's desk in this process; it also knows which rows are out."""

    def __init__(self, *, system_id: int, place: Place, lease_seconds: float = LEASE_SECONDS) -> None:
        self._system_id, self._place, self._lease_seconds = system_id, place, lease_seconds
        self._door = threading.Condition()
        self._waiting: list[_Visit] = []
        self._out: dict[int, Claim] = {}
        self._clerk: threading.Thread | None = None
        self._closed = False

    def out(self) -> list[Claim]:
        """The claims held now."""
        with self._door:
            return list(self._out.values())

    def drop(self, claim: Claim) -> None:
        """Hold a claim no longer: nobody renews it, and when it has run out its row is taken back."""
        with self._door:
            self._out.pop(claim.completion, None)

    def visit(self, ending: Ending | None, *, wants: bool) -> Claim | Nothing:
        """Hand in an ending, and take another row if one is wanted. Raises what kept the database from saving."""
        mine = _Visit(ending, wants)
        with self._door:
            self._waiting.append(mine)
            if self._clerk is None:
                self._clerk = threading.Thread(target=self._attend, name=f"desk-{self._system_id}", daemon=True)
                self._clerk.start()
            self._door.notify()
        mine.served.wait()
        if mine.error:
            raise mine.error
        return mine.got

    def close(self) -> None:
        """No more visitors are expected; one who comes all the same is served."""
        with self._door:
            self._closed, clerk = True, self._clerk
            self._door.notify()
        if clerk is not None:
            clerk.join(LINGER_SECONDS)

    def _attend(self) -> None:
        try:
            with database_turn(last=True):
                while visits := self._next():
                    self._serve(visits)
        finally:
            with self._door:
                if self._clerk is threading.current_thread():
                    self._clerk = None  # died of something unforeseen: the next visitor gets another one

    def _next(self) -> list[_Visit]:
        """Those who wait; nobody, where the clerk may go."""
        with self._door:
            if not self._waiting and not self._closed:
                self._door.wait(LINGER_SECONDS)
            visits, self._waiting = self._waiting, []
            if not visits:
                self._clerk = None
            return visits

    def _serve(self, visits: Sequence[_Visit]) -> None:
        try:
            patiently(lambda: self._exchange_held(visits), seconds=SAVE_WITHIN_SECONDS, keep=True)
        except Exception as error:
            if isinstance(error, DatabaseError) and not is_away(error):
                self._serve_apart(visits, error)
            else:
                _fail(visits, error)
        with self._door:
            for visit in visits:
                self._note(visit)
        for visit in visits:
            visit.served.set()

    def _serve_apart(self, visits: Sequence[_Visit], error: DatabaseError) -> None:
        """The database refuses one of the rows: the others must not suffer for it."""
        if len(visits) > 1:
            for visit in visits:
                self._serve([visit])
            return
        (visit,) = visits
        ending = visit.ending
        if ending is None or ending.columns.get("failure_kind") == "internal":
            _fail([visit], error)
            return
        _log.error("completion %s cannot be saved (%s)", ending.claim.completion, error)
        visit.ending = finishing.failed(claim=ending.claim, kind="internal", sentence=OUR_FAULT, calls=())
        self._serve([visit])

    def _exchange_held(self, visits: Sequence[_Visit]) -> None:
        """The exchange, but for endings of rows that are no longer ours: their answers come too late."""
        kept = [visit.ending for visit in visits if visit.ending]
        while True:
            try:
                return self._exchange(kept, [visit for visit in visits if visit.wants])
            except NotHeld as error:
                lost = {id(one) for one in error.lost}
                kept = [one for one in kept if id(one) not in lost]

    @transaction.atomic
    def _exchange(self, endings: Sequence[Ending], wanting: Sequence[_Visit]) -> None:
        system = lock(self._system_id)
        if endings and system and system.arm.experiment.status in BEFORE_THE_SEAL:
            finishing.store(endings, self._place)
        if not wanting:
            return
        found = claim_some(system, wanted=len(wanting), lease_seconds=self._lease_seconds)
        claims = found if isinstance(found, list) else []
        none = found if isinstance(found, Nothing) else Nothing.FREE
        for number, visit in enumerate(wanting):
            visit.got = claims[number] if number < len(claims) else none

    def _note(self, visit: _Visit) -> None:
        if visit.ending is not None:
            self._out.pop(visit.ending.claim.completion, None)
        if isinstance(visit.got, Claim):
            self._out[visit.got.completion] = visit.got


def _fail(visits: Sequence[_Visit], error: Exception) -> None:
    for visit in visits:
        visit.error, visit.got = error, Nothing.DUE
