"""Postgres as Blindpair uses it: whoever asks a server that is away or silent hears so soon.

Without a limit of our own a frozen server holds a request for ever. And where each request waits by itself for a server
that is away, they take up every thread; so after one has waited in vain, the others are told at once while one looks.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from django.db import Error
from django.db.backends.postgresql import base
from psycopg.types.datetime import TimestamptzLoader

LOOK_AGAIN_SECONDS = 1.0
CHECK_SECONDS = 1.0  # an idle connection answers an empty query at once, or it is none
AWAY = "the database was out of reach a moment ago"
# How the server plans what we ask. The statements of `config.prepared` are planned once a connection: a plan for the
# very values is seldom another one, and making it took longer than the query. Everything asks for little of much, by
# its keys: as tables grow, the server's own idea of a disk that turns makes it read whole tables instead. To compile a
# plan (the server's own beyond a certain cost) takes longer than any of ours.
PLANNING = {"plan_cache_mode": "force_generic_plan", "random_page_cost": "1.1", "jit": "off"}


class Connection(psycopg.Connection[Any]):
    """A connection that gives up on a server which says nothing for DATABASE_SILENCE seconds (unset: never)."""

    _checked = False
    _silence = settings.DATABASE_SILENCE

    def execute(self, query: Any, *args: Any, **options: Any) -> Any:
        """An empty query is the pool's, which wants to know whether anybody is there."""
        self._checked = query == ""
        try:
            return super().execute(query, *args, **options)
        finally:
            self._checked = False

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Run one exchange with the server; after a silence the connection is of no use."""
        limit = CHECK_SECONDS if self._checked else self._silence
        if timeout is not None or limit is None:
            return super().wait(gen, interval=interval, timeout=timeout)
        began = time.monotonic()
        try:
            return super().wait(gen, interval=interval, timeout=limit)
        except psycopg.OperationalError:
            if time.monotonic() - began >= limit:
                self.close()
            raise


class Circuit:
    """Whether the database was away when somebody looked last; then one looks again, at most once a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed_until = 0.0
        self._away = False

    def admit(self, patience: float) -> bool:
        """Whether this one may look: always, unless it was away a moment ago or somebody is looking."""
        with self._lock:
            now = time.monotonic()
            if self._away and now < self._closed_until:
                return False
            self._closed_until = now + patience
            return True

    def found(self, *, away: bool) -> None:
        """What came of it."""
        with self._lock:
            self._away = away
            self._closed_until = time.monotonic() + LOOK_AGAIN_SECONDS


_circuit = Circuit()


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's Postgres, with one circuit a process in front of its pool."""

    def __init__(self, settings_dict: dict[str, Any], *args: Any, **options: Any) -> None:
        super().__init__(settings_dict, *args, **options)
        if pool := settings_dict["OPTIONS"].get("pool"):
            pool["connection_class"] = Connection

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection of the pool, or an error at once where the database was away a moment ago."""
        pool = self.settings_dict["OPTIONS"].get("pool") or {}
        if not _circuit.admit(float(pool.get("timeout", 4))):
            raise psycopg.OperationalError(AWAY)
        try:
            connection = super().get_new_connection(conn_params)
        except psycopg.OperationalError:
            _circuit.found(away=True)
            raise
        _circuit.found(away=False)
        return connection

    def _configure_connection(self, connection: Any) -> bool:
        """Once a connection, as Django sets its time zone."""
        settings_of = ", ".join(["set_config(%s, %s, false)"] * len(PLANNING))
        said = [word for setting in PLANNING.items() for word in setting]
        connection.execute(f"SELECT {settings_of}", said)
        super()._configure_connection(connection)  # type: ignore[misc]  # a hook that the stubs leave out
        return True  # to be committed where each statement is not by itself

    @contextmanager
    def prepared_cursor(self) -> Iterator[Any]:
        """For statements that come again and again: the server reads and plans each once a connection."""
        self.ensure_connection()
        yield self._watched(self._kept_cursors(1)[0])

    def ask_together(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> list[list[tuple[Any, ...]]]:
        """The rows of each, one after the other as always; but all of them go and come back at once."""
        self.ensure_connection()
        self.validate_no_broken_transaction()
        cursors = self._kept_cursors(len(statements))
        if self.execute_wrappers or self.queries_logged:  # somebody looks at what is asked
            cursors = [self._watched(cursor) for cursor in cursors]
        try:
            with self.wrap_database_errors, self.connection.pipeline():
                for cursor, (sql, values) in zip(cursors, statements, strict=True):
                    cursor.execute(sql, values)
        except Error:
            # The driver takes a statement for prepared that the server, after the error, did not look at; a rollback
            # tells it better, and where there is none a new connection does.
            if not self.in_atomic_block and self.connection is not None:
                self.connection.close()
                self.close()
            raise
        return [cursor.fetchall() for cursor in cursors]

    def _watched(self, cursor: Any) -> Any:
        """As Django hands out a cursor: what is asked of it can be counted and looked at."""
        return self._prepare_cursor(cursor)  # type: ignore[attr-defined]  # its own hook, left out by the stubs

    def _kept_cursors(self, number: int) -> list[Any]:
        """So many of this connection, made once: what they learn of types and statements lasts."""
        kept: list[Any] = vars(self.connection).setdefault("kept_cursors", [])
        while len(kept) < number:
            cursor: Any = base.ServerBindingCursor(self.connection)  # type: ignore[call-arg]  # the stubs lose its parent
            cursor.adapters.register_loader("timestamptz", TimestamptzLoader)  # psycopg's: ten times Django's speed
            kept.append(cursor)
        return kept[:number]
