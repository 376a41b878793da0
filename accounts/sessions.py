"""Sessions in the database, as Django keeps them; reading one is a query that is built once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.sessions.backends import base, db
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from config.outage import is_away
from config.prepared import Question, Row, prepared, together


class SessionStore(db.SessionStore):
    """Django's own but for the reading."""

    def load(self) -> dict[str, Any]:
        """What the session holds; nothing, and no key any more, where there is none that lasts."""
        return self._read(_lasting(self.session_key or "", timezone.now()))

    def load_beside(self, question: Question) -> list[Row]:
        """The rows of a question that goes to the database together with the session's own."""
        if hasattr(self, "_session_cache"):
            return together(question)[0]
        found, beside = together(_lasting.of(self.session_key or "", timezone.now()), question)
        self._session_cache = self._read(found)
        return beside

    def _read(self, found: Sequence[Row]) -> dict[str, Any]:
        for (data,) in found:
            return self.decode(data)
        self._session_key = None
        return {}

    def save(self, must_create: bool = False) -> None:
        """As Django does, but a database that is away, or met another transaction, is no session that was deleted."""
        try:
            super().save(must_create)
        except base.UpdateError as error:
            met = error.__context__
            if met is not None and is_away(met):
                raise met from None
            raise


@prepared
def _lasting(key: str, now: datetime) -> QuerySet[Session, Row]:
    return Session.objects.filter(session_key=key, expire_date__gt=now).values_list("session_data")
