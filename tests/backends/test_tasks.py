"""Celery's part: doorbells, and an engine beside each worker."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError
from django.utils import timezone

from backends import bell, tasks
from backends.bell import Bell
from backends.collecting import Engine
from backends.models import Completion
from backends.queries import progress
from config.celery import app
from tests.backends.scenes import a_collecting_experiment, an_engine, until
from tests.factories import a_system, an_experiment
from tests.fakes.model_server import ModelServer, echoes


def test_a_ring_may_come_twice() -> None:
    mine = Bell()
    bell.here.add(mine)
    tasks.ring(1)
    tasks.ring(1)
    assert mine.wait(0)
    bell.here.remove(mine)
    mine.close()


def test_the_doorbells_are_known_under_the_names_that_are_rung() -> None:
    assert {bell.RING_TASK, bell.SWEEP_TASK} <= set(app.tasks)


@pytest.mark.django_db
def test_a_sweep_puts_rows_of_lost_workers_back_in_line() -> None:
    experiment = an_experiment(inputs=1)
    system = a_system(experiment, "a")
    Completion.objects.create(
        system=system,
        input=experiment.inputs.get(),
        state="running",
        claim="gone",
        lease_until=timezone.now() - timedelta(seconds=1),
    )
    tasks.sweep()
    row = Completion.objects.get()
    assert (row.state, row.claim, row.lease_until) == ("pending", "", None)


@pytest.mark.django_db(transaction=True)
def test_an_engine_lives_as_long_as_its_worker() -> None:
    with ModelServer(echoes) as server:
        experiment = a_collecting_experiment(server, inputs=2)
        tasks.make_engine()
        tasks.start_engine()
        until(lambda: progress(experiment).done == 2)
        tasks.stop_claiming()
        tasks.stop_engine()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("collect")]


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_goes_on_without_a_database_and_stops_where_the_loop_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, hanging = threading.Event(), threading.Event()

    def away(_engine: Engine) -> None:
        inside.set()
        if hanging.is_set():
            until(lambda: not hanging.is_set())
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(Engine, "tend", away)
    heartbeat = tmp_path / "heartbeat"
    with an_engine(heartbeat=heartbeat) as engine:
        until(heartbeat.exists)
        hanging.set()
        inside.clear()
        engine.ring()
        until(inside.is_set)
        heartbeat.unlink()
        engine.ring()
        assert not heartbeat.exists()
        hanging.clear()
        until(heartbeat.exists)


def test_a_worker_waits_for_its_broker_for_ever() -> None:
    assert app.conf.broker_connection_max_retries is None
