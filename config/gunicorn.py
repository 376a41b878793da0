"""How gunicorn serves Blindpair: one process with the collecting engine (embedded), or several without (scaled)."""

import gc
import os
import signal
import sys
from importlib import import_module
from multiprocessing import RawArray
from typing import Any

from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DATABASE_SILENCE", "15")  # seconds; commands and workers wait longer for what takes long
try:
    settings: Any = import_module("config.settings")  # here, so that nonsense ends the start before anything listens
except ImproperlyConfigured as error:
    raise SystemExit(f"blindpair: {error}") from error
SCALED = settings.SCALED

bind = settings.BIND
worker_class = "gthread"
# SQLite serves one process; Postgres as many as there are.
workers = settings.WEB_CONCURRENCY if SCALED else 1
threads = settings.WEB_THREADS
timeout = 60
graceful_timeout = 19  # then a request is cut off; calls to models have been given back before
keepalive = 5
max_requests = 0
control_socket_disable = True  # one place less that listens
preload_app = False  # threads do not survive a fork
accesslog = None  # an address may hold a rater's token
errorlog = "-"
forwarded_allow_ips = ",".join(settings.TRUSTED_PROXIES)
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - gunicorn's heartbeat file

# A thread that holds SQLite's write lock gets the interpreter back this soon after each of its calls to the database.
# Not on Postgres, where nobody waits for one lock, and so many changes took a fifth of the votes a second.
SWITCH_SECONDS = 0.0005

# How many connections each process has, by its number; so many more than the average do not matter.
connections = RawArray("i", 64)
ROOM = 4

_engines: list[Any] = []
_housekeepers: list[Any] = []


def search_less_for_garbage() -> None:
    """What is loaded for good is not searched at all, and what has lasted is searched seldom: pages leave next to no
    circles behind, and each search of all that a large installation keeps took 150 ms out of somebody's page."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def post_worker_init(worker: Any) -> None:
    """Start the engine and the housekeeping in the process that will live; embedded only."""
    search_less_for_garbage()
    if SCALED:
        return
    sys.setswitchinterval(SWITCH_SECONDS)
    from backends.collecting import Engine  # noqa: PLC0415 - the apps are loaded only now
    from console.retention import Housekeeper  # noqa: PLC0415 - likewise

    engine = Engine()
    engine.start()
    _engines.append(engine)
    housekeeper = Housekeeper()
    housekeeper.start()
    _housekeepers.append(housekeeper)
    before = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: Any) -> None:
        engine.stop_claiming()
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, stop)


def worker_exit(server: Any, worker: Any) -> None:
    """Let calls come to their end, or give their rows back; an hourly deletion that would take longer is undone."""
    while _engines:
        _engines.pop().stop()
    while _housekeepers:
        _housekeepers.pop().stop()


def pre_request(worker: Any, request: Any) -> None:
    """Keep no more connections than a fair share: the process that is ready first takes all that knock, and was busy
    with 200 raters while its siblings slept. Whoever is let go connects again, to whichever process is free."""
    place = worker.age % len(connections)
    connections[place] = worker.nr_conns
    if worker.nr_conns > max(threads, sum(connections) / workers + ROOM):
        request.force_close()


def child_exit(server: Any, worker: Any) -> None:
    """A process that is gone has no connections."""
    connections[worker.age % len(connections)] = 0
