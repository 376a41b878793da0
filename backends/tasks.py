"""Celery's part: doorbells that carry ids only, and an engine beside every worker that looks at the rows itself."""

from typing import Any

from celery import shared_task
from celery.bootsteps import StartStopStep
from celery.signals import worker_init, worker_shutdown, worker_shutting_down
from django.conf import settings

from backends import bell
from backends.claiming import take_back_overdue
from backends.collecting import Engine
from config.celery import app

_engines: list[Engine] = []


def ring(experiment_id: int) -> None:
    """An experiment has work. May come twice, late or never: the rows say what there is to do."""
    bell.here.ring()


def sweep() -> None:
    """Now and then: rows whose worker is gone wait again."""
    take_back_overdue()
    bell.here.ring()


def make_engine(**_: Any) -> None:
    """Before the pool forks, so that a task in a child can ring the engine of its parent."""
    engine = Engine(heartbeat=settings.HEARTBEAT)
    bell.here.add(engine.bell)
    _engines.append(engine)


def start_engine(**_: Any) -> None:
    """In the worker's own process, after the fork."""
    for engine in _engines:
        engine.start()


class Beginning(StartStopStep):  # type: ignore[misc]  # Celery has no types
    """The step between the fork of the pool and the wait for the broker, which may be away for good."""

    requires = ("celery.worker.components:Pool",)

    def start(self, parent: Any) -> None:
        """The rows need no broker."""
        start_engine()


def stop_claiming(**_: Any) -> None:
    """At the first signal; from then on the engine ends by itself, whatever the worker still waits for."""
    for engine in _engines:
        engine.stop_claiming()


def stop_engine(**_: Any) -> None:
    """At the end."""
    while _engines:
        _engines.pop().stop()


# Called, not written as decorators: Celery has no types, and these functions keep theirs.
shared_task(name=bell.RING_TASK)(ring)
shared_task(name=bell.SWEEP_TASK)(sweep)
worker_init.connect(make_engine)
app.steps["worker"].add(Beginning)
worker_shutting_down.connect(stop_claiming)
worker_shutdown.connect(stop_engine)
