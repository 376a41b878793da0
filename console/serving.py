"""Starting the web server on the embedded footing: one folder, one port, tables and static files in place."""

import hashlib
import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from django.conf import settings
from django.core.management import call_command

from config.checks import refuse_what_is_wrong
from config.solitude import claim
from experiments.refusals import Refused

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class PortTaken(Refused):
    """Another program listens where the server should."""


def address_of(host: str, port: int) -> str:
    """What links of this server begin with: PUBLIC_URL where it is set, else the port on loopback."""
    stated = os.environ.get("PUBLIC_URL", "").strip().rstrip("/")
    return stated or f"http://{host if host in LOOPBACK[:2] else '127.0.0.1'}:{port}"


def make_ready(host: str, port: int) -> str:
    """Refuse what cannot be served, then make tables and static files; the address that links begin with.

    Raises ImproperlyConfigured on unsafe settings, AlreadyServed where the folder has a server, PortTaken where the
    port has.
    """
    settings.BIND = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    refuse_what_is_wrong()
    claim()
    _check_port(host, port)
    call_command("migrate", verbosity=0, interactive=False)
    _collect_static()
    address = address_of(host, port)
    settings.PUBLIC_URL = address
    # Commands beside the server make links too: they read its address here.
    (settings.DATA_DIR / "address").write_text(f"{address}\n")
    return address


def serve(host: str, port: int, address: str) -> NoReturn:
    """Become the web server: this process, so that signals reach it and nothing is left behind."""
    os.environ["PUBLIC_URL"], os.environ["BIND"] = address, settings.BIND
    os.chdir(settings.BASE_DIR)
    words = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "-b", settings.BIND, "config.wsgi"]
    sys.stdout.flush()
    os.execv(sys.executable, words)  # noqa: S606  # our own interpreter and our own words


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(
                f"cannot listen on {host}, port {port} ({error.strerror}). Choose another port: --port {port + 1}"
            ) from error


def _collect_static() -> None:
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    state = _state_of_static()
    if stamp.is_file() and stamp.read_text() == state:
        return
    call_command("collectstatic", verbosity=0, interactive=False)
    stamp.write_text(state)


def _state_of_static() -> str:
    """A hash that changes when any of our static files does."""
    state = hashlib.sha256()
    for folder in settings.STATICFILES_DIRS:
        for path in sorted(Path(folder).rglob("*")):
            facts = path.stat()
            state.update(f"{path} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return state.hexdigest()
