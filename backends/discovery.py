"""Knows how to find model servers on this machine: their usual ports on loopback, and only when asked to look."""

from __future__ import annotations

from dataclasses import dataclass

from backends.adapters.contract import Target
from backends.client import Deadlines, WireClient
from backends.failures import BackendFailure
from backends.hosts import AddressPolicy
from backends.presets import PRESETS
from backends.server_facts import listed_models

DEADLINES = Deadlines(connect=0.5, silence=1, total=1)
USUAL_PORTS: tuple[int, ...] = tuple(sorted({p.local_port for p in PRESETS.values() if p.local_port}))


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalServer:
    """A server that answered: what it seems to be, where it is, what it serves."""

    preset: str
    base_url: str
    models: tuple[str, ...]


def find_local(ports: tuple[int, ...] = USUAL_PORTS) -> list[LocalServer]:
    """The servers on 127.0.0.1 that list their models; at most a second each. Sends no key."""
    found = []
    with WireClient(policy=AddressPolicy.embedded(), deadlines=DEADLINES) as client:
        for port in ports:
            target = Target.of(dialect="openai", base_url=f"http://127.0.0.1:{port}/v1")
            try:
                maker, models = listed_models(client, target)
            except BackendFailure:
                continue
            if models:
                found.append(LocalServer(preset=maker or _by_port(port), base_url=target.base_url, models=models))
    return found


def _by_port(port: int) -> str:
    """What usually listens there, where that is not ambiguous."""
    names = [name for name, profile in PRESETS.items() if profile.local_port == port]
    return names[0] if len(names) == 1 else "generic"
