"""What an operator's probes ask: is the process alive, and can it do its work."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from config.versions import NewerDatabase, refuse_newer

PATIENCE_SECONDS = 1
LEAST_FREE_BYTES = 20_000_000
FULL = "the disk is full; make room, no restart is needed"


class NotReady(Exception):
    """Something that the process needs is missing; the message says what."""


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all; it asks nobody else."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 where requests can be served, else 503; with a word for each part that is not `ok`.

    Without Redis they can: it only wakes workers sooner. Whoever took every web process out of rotation for its sake
    would make an outage of a second's delay. Then the answer is `degraded`.
    """
    parts = {name: _word(check) for name, check in CHECKS.items()}
    missing = {name for name, word in parts.items() if word != "ok"}
    ready = missing <= DISPENSABLE
    facts = {"ready": ready, "degraded": ready and bool(missing), "parts": parts}
    return JsonResponse(facts, status=200 if ready else 503)


def _word(check: Callable[[], None]) -> str:
    try:
        check()
    except NotReady as missing:
        return str(missing)
    return "ok"


def check_database() -> None:
    """One trivial transaction that may write. Raises NotReady."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1" if connection.vendor == "sqlite" else "SHOW transaction_read_only")
            read_only = cursor.fetchone()[0] == "on"
    except DatabaseError as error:
        said = str(error)
        if "readonly" in said:
            raise NotReady("the database can only be read") from error
        if "removed or replaced" in said:
            raise NotReady("the database file was removed or replaced; stop, put it back, start again") from error
        raise NotReady("the database does not answer") from error
    if read_only or (connection.vendor == "sqlite" and not os.access(connection.settings_dict["NAME"], os.W_OK)):
        raise NotReady("the database can only be read")


def check_room() -> None:
    """The data folder can be written to. Raises NotReady."""
    try:
        with tempfile.TemporaryFile(dir=settings.DATA_DIR) as file:  # a disk that broke does not say so otherwise
            file.write(b"?")
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NotReady(FULL) from error
        raise NotReady("the data folder is read-only") from error
    if shutil.disk_usage(settings.DATA_DIR).free < LEAST_FREE_BYTES:
        raise NotReady(FULL)


def check_migrations() -> None:
    """Every migration of this version is applied. Raises NotReady."""
    try:
        refuse_newer()
        executor = MigrationExecutor(connection)
        behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise NotReady("unknown while the database does not answer") from error
    except NewerDatabase as error:
        raise NotReady(str(error)) from error
    if behind:
        raise NotReady(f"{len(behind)} migrations are not applied; run `./blindpair migrate`")


def check_broker() -> None:
    """Redis answers within a second; nothing to ask on the embedded footing. Raises NotReady."""
    if not settings.REDIS_URL:
        return
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
        ) as client:
            client.ping()
    except redis.RedisError as error:
        raise NotReady("Redis does not answer; work goes on, woken once a second") from error


CHECKS: dict[str, Callable[[], None]] = {
    "database": check_database,
    "migrations": check_migrations,
    "broker": check_broker,
    "room": check_room,
}
DISPENSABLE = {"broker"}
