"""Where the threads of one drain hand in what became of a row and take the next, many at a time in one transaction.

Whoever comes to the desk first serves all who wait: the busier it is, the more one transaction carries.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import DatabaseError, InterfaceError, OperationalError, transaction

from backends import finishing
from backends.claiming import LEASE_SECONDS, Claim, Nothing, claim_some
from backends.finishing import Ending, Place
from backends.turns import patiently

SAVE_WITHIN_SECONDS = 60.0
OUR_FAULT = "Blindpair itself could not save this answer; the server's log says why. Report it."
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Visit:
    """One thread at the desk: what it hands in, whether it wants a row, and what it got."""

    ending: Ending | None
    wants: bool
    got: Claim | Nothing = field(default=Nothing.DUE)
    error: Exception | None = None
    served: bool = False


class Desk:
    """One system's desk in this process; it also knows which rows are out."""

    def __init__(self, *, system_id: int, place: Place, lease_seconds: float = LEASE_SECONDS) -> None:
        self._system_id, self._place, self._lease_seconds = system_id, place, lease_seconds
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._waiting: list[_Visit] = []
        self._out: dict[int, Claim] = {}

    def out(self) -> list[Claim]:
        """The claims held now."""
        with self._lock:
            return list(self._out.values())

    def visit(self, ending: Ending | None, *, wants: bool) -> Claim | Nothing:
        """Hand in an ending, and take another row if one is wanted. Raises what kept the database from saving."""
        mine = _Visit(ending, wants)
        with self._lock:
            self._waiting.append(mine)
        with self._turn:
            if not mine.served:
                with self._lock:
                    visits, self._waiting = self._waiting, []
                self._serve(visits)
        if mine.error:
            raise mine.error
        return mine.got

    def _serve(self, visits: Sequence[_Visit]) -> None:
        try:
            patiently(lambda: self._exchange(visits), seconds=SAVE_WITHIN_SECONDS)
        except (OperationalError, InterfaceError) as error:
            _fail(visits, error)
        except DatabaseError as error:
            self._serve_apart(visits, error)
        except Exception as error:
            _fail(visits, error)
        with self._lock:
            for visit in visits:
                self._note(visit)
                visit.served = True

    def _serve_apart(self, visits: Sequence[_Visit], error: DatabaseError) -> None:
        """The database refuses one of the rows: the others must not suffer for it."""
        if len(visits) > 1:
            for visit in visits:
                self._serve([visit])
            return
        (visit,) = visits
        ending = visit.ending
        if ending is None or ending.columns.get("failure_kind") == "internal":
            visit.error = error
            return
        _log.error("completion %s cannot be saved (%s)", ending.claim.completion, error)
        visit.ending = finishing.failed(claim=ending.claim, kind="internal", sentence=OUR_FAULT, calls=())
        self._serve([visit])

    @transaction.atomic
    def _exchange(self, visits: Sequence[_Visit]) -> None:
        endings = [visit.ending for visit in visits if visit.ending]
        if endings:
            finishing.store(endings, self._place)
        wanting = [visit for visit in visits if visit.wants]
        if not wanting:
            return
        found = claim_some(system_id=self._system_id, wanted=len(wanting), lease_seconds=self._lease_seconds)
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
