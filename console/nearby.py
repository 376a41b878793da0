"""Model servers that listen on this machine: asked on their usual loopback ports, within a fraction of a second."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

from backends.presets import PRESETS

PATIENCE_SECONDS = 0.4
LONGEST_ANSWER = 200_000


@dataclass(frozen=True, slots=True)
class Found:
    """A server that answered: what usually listens there, its address and the models it lists."""

    titles: tuple[str, ...]
    base_url: str
    models: tuple[str, ...]


def usual_ports() -> dict[int, tuple[str, ...]]:
    """Port -> the servers that listen there by default."""
    ports: dict[int, tuple[str, ...]] = {}
    for preset in PRESETS.values():
        if preset.local_port:
            ports[preset.local_port] = (*ports.get(preset.local_port, ()), preset.title)
    return ports


def find_servers(*, but_not: Iterable[int] = ()) -> list[Found]:
    """Servers that list their models at /v1/models; ports of our own are left out."""
    own = set(but_not)
    asked = ((port, titles, _models(port)) for port, titles in sorted(usual_ports().items()) if port not in own)
    return [
        Found(titles, f"http://127.0.0.1:{port}/v1", models) for port, titles, models in asked if models is not None
    ]


def _models(port: int) -> tuple[str, ...] | None:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/v1/models", headers={"Accept": "application/json"})
        answer = connection.getresponse()
        said = json.loads(answer.read(LONGEST_ANSWER)) if answer.status == 200 else None
    except (OSError, HTTPException, ValueError):
        return None  # nobody there, or somebody who speaks otherwise
    finally:
        connection.close()
    listed = said.get("data") if isinstance(said, dict) else None
    if not isinstance(listed, list):
        return None
    return tuple(str(one["id"]) for one in listed if isinstance(one, dict) and "id" in one)
