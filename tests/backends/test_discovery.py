"""Looking for model servers on this machine."""

from __future__ import annotations

import pytest

from backends import discovery
from backends.client import Deadlines
from backends.discovery import USUAL_PORTS, LocalServer, find_local
from tests.fakes.model_server import ModelServer, login_page, models


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a second may be too little."""
    monkeypatch.setattr(discovery, "DEADLINES", Deadlines(connect=60, silence=60, total=60))


def test_the_usual_ports_of_the_usual_servers_are_known() -> None:
    assert set(USUAL_PORTS) == {1234, 8000, 8080, 11434, 30000}


def test_a_server_is_found_with_its_kind_and_its_models_and_gets_no_key() -> None:
    listing = {"data": [{"id": "qwen", "owned_by": "library"}]}
    with (
        ModelServer(gets={"/v1/models": listing}) as ollama,
        ModelServer(gets={"/v1/models": models("a", "b")}) as other,
    ):
        found = find_local((ollama.port, other.port))
    assert found == [
        LocalServer(preset="ollama", base_url=ollama.base_url, models=("qwen",)),
        LocalServer(preset="generic", base_url=other.base_url, models=("a", "b")),
    ]
    assert "authorization" not in ollama.requests[0].headers


def test_what_is_no_model_server_is_passed_over() -> None:
    with ModelServer() as closed:
        port = closed.port
    with ModelServer(gets={"/v1/models": login_page()}) as page, ModelServer(gets={"/v1/models": {"data": []}}) as none:
        assert find_local((port, page.port, none.port)) == []
