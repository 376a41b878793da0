"""The doorbell: at once, never waiting, never raising."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from django.db import transaction

from backends import bell
from backends.bell import Bell, Listeners
from tests.servers import free_port


@pytest.fixture
def mine() -> Iterator[Bell]:
    made = Bell()
    bell.here.add(made)
    yield made
    bell.here.remove(made)
    made.close()


def a_broker(monkeypatch: pytest.MonkeyPatch, settings: Any, port: int, *, patience: float = 1) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"
    app = Celery("elsewhere", broker=settings.REDIS_URL)
    app.conf.broker_transport_options = {"socket_timeout": patience, "socket_connect_timeout": patience}
    monkeypatch.setattr(bell, "app", app)


def test_a_ring_wakes_whoever_waits(mine: Bell) -> None:
    threading.Timer(0.05, mine.ring).start()
    began = time.monotonic()
    assert mine.wait(600)
    assert time.monotonic() - began < 300


def test_without_a_ring_the_wait_ends_by_itself(mine: Bell) -> None:
    assert not mine.wait(0.01)


def test_many_rings_are_one(mine: Bell) -> None:
    for _ in range(100_000):
        mine.ring()
    assert mine.wait(0)
    assert not mine.wait(0) or not mine.wait(0)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # a child that only rings needs no thread
def test_a_forked_child_rings_its_parent(mine: Bell) -> None:
    child = os.fork()
    if child == 0:
        mine.ring()
        os._exit(0)
    assert mine.wait(60)
    os.waitpid(child, 0)


def test_a_listener_is_rung_once_however_often_it_was_added() -> None:
    listeners, one = Listeners(), Bell()
    listeners.add(one)
    listeners.add(one)
    listeners.remove(one)
    listeners.ring()
    assert not one.wait(0)
    one.close()


@pytest.mark.django_db(transaction=True)
def test_it_rings_only_after_the_commit(mine: Bell) -> None:
    with transaction.atomic():
        bell.ring(1)
        assert not mine.wait(0)
    assert mine.wait(0)


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_rings_nobody(mine: Bell) -> None:
    def fails() -> None:
        with transaction.atomic():
            bell.ring(1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert not mine.wait(0)


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_raises_nothing(
    monkeypatch: pytest.MonkeyPatch, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    a_broker(monkeypatch, settings, free_port())
    bell.ring(1)
    assert bell._under_way.acquire(timeout=60)
    bell._under_way.release()
    assert "the broker was not told" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_of_many_rings_only_the_first_waits_for_a_frozen_broker(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    with socket.socket() as frozen:
        frozen.bind(("127.0.0.1", 0))
        frozen.listen(8)
        a_broker(monkeypatch, settings, frozen.getsockname()[1], patience=60)
        waits = []
        monkeypatch.setattr(threading.Thread, "join", lambda _, timeout=None: waits.append(timeout))
        for _ in range(5):
            bell.ring(1)
        assert waits == [bell.PATIENCE_SECONDS], "only the first one waits"
        assert bell.PATIENCE_SECONDS < 1
        monkeypatch.undo()
    assert bell._under_way.acquire(timeout=60)
    bell._under_way.release()
