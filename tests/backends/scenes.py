"""Experiments whose systems ask the fake model server, for tests of collecting."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from backends.actions import add_endpoint, add_system, start_collecting
from backends.claiming import LEASE_SECONDS, Claim, Nothing, claim_some, lock
from backends.collecting import Engine
from backends.models import Completion, Endpoint, System
from experiments.models import Experiment
from tests.factories import an_experiment
from tests.fakes.model_server import Asked, ModelServer, Reply, Until, answers, chunk, stream

PATIENCE_SECONDS = 180.0  # a busy machine is no fault
CHECKED = {"before": {"server": "fake"}, "after": {"server": "fake"}}


def an_endpoint_at(server: ModelServer | str, **fields: Any) -> Endpoint:
    """An endpoint that leads to the server."""
    address = server if isinstance(server, str) else server.base_url
    return add_endpoint(**({"name": "local", "dialect": "openai", "preset": "vllm", "base_url": address} | fields))


def an_asked_experiment(
    server: ModelServer | str,
    *,
    inputs: int = 3,
    systems: int = 1,
    endpoint: dict[str, Any] | None = None,
    **fields: Any,
) -> Experiment:
    """Systems `system-1` …, which ask the server; their checks count as done unless `preflight` says otherwise."""
    experiment = an_experiment(inputs=inputs)
    where = an_endpoint_at(server, **(endpoint or {}))
    preflight = fields.pop("preflight", CHECKED)
    for number in range(1, systems + 1):
        add_system(
            experiment=experiment,
            endpoint=where,
            **({"name": f"system-{number}", "model_id": "fake", "parameters": {"temperature": 0}} | fields),
        )
    System.objects.update(preflight=preflight)
    return experiment


def a_collecting_experiment(server: ModelServer | str, **fields: Any) -> Experiment:
    """The same, with its rows in line."""
    experiment = an_asked_experiment(server, **fields)
    start_collecting(experiment=experiment)
    System.objects.update(preflight=fields.get("preflight", CHECKED))
    return experiment


def claimed(system_id: int, *, wanted: int, lease_seconds: float = LEASE_SECONDS) -> list[Claim] | Nothing:
    """Rows taken as a process that works would."""
    with transaction.atomic():
        return claim_some(lock(system_id), wanted=wanted, lease_seconds=lease_seconds)


@contextmanager
def an_engine(**fields: Any) -> Iterator[Engine]:
    """A running engine."""
    engine = Engine(**fields)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop(seconds=60)


def until(holds: Callable[[], bool], what: str = "") -> None:
    """Wait for something that other threads bring about."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, what or "it never came about"
        time.sleep(0.005)


def questions(server: ModelServer) -> list[str]:
    """The inputs that were asked, in order; checks and warm-ups left out."""
    return [asked.prompt for asked in server.posts if asked.prompt.startswith("Question")]


def states(experiment: Experiment) -> dict[str, int]:
    """How many rows are in each state."""
    rows = Completion.objects.filter(system__arm__experiment=experiment).values_list("state", flat=True)
    found = list(rows)
    return {state: found.count(state) for state in sorted(set(found))}


class Gate:
    """A script that answers questions only once the gate is opened; checks and warm-ups pass."""

    def __init__(self) -> None:
        self.opened = threading.Event()

    def __call__(self, asked: Asked) -> Reply:
        if not asked.prompt.startswith("Question"):
            return answers("Yes.")
        return stream(
            chunk("", role="assistant"), Until(self.opened), chunk(f"You said: {asked.prompt}"), chunk(finish="stop")
        )
