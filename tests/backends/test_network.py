"""What is connected to: the address that was checked, whatever the name says a moment later."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import pytest

from backends.client import Deadlines, WireClient
from backends.failures import BackendFailure
from backends.fetching import Attempt, fetch
from backends.hosts import AddressPolicy
from backends.network import Resolve
from backends.streams import Fetched
from tests.fakes.asking import a_chat, a_target
from tests.fakes.model_server import ModelServer, redirect


def ask_by_name(
    port: int, resolve: Resolve, *, policy: AddressPolicy, name: str = "models.example", scheme: str = "http"
) -> tuple[Attempt, Fetched | BackendFailure]:
    deadlines = Deadlines(connect=60, silence=60, total=60)
    with WireClient(policy=policy, resolve=resolve, deadlines=deadlines) as client:
        return fetch(client, a_target(f"{scheme}://{name}:{port}/v1"), a_chat())


def test_the_checked_address_is_connected_to_and_the_host_header_keeps_the_name() -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with ModelServer() as server:
        attempt, _ = ask_by_name(server.port, resolve, policy=AddressPolicy.embedded())
    assert attempt.failure_kind == ""
    assert asked == ["models.example"]
    assert server.posts[0].headers["host"] == f"models.example:{server.port}"


def test_a_name_that_changes_its_address_after_the_check_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebinding: the system's resolver says loopback once and metadata ever after; it is asked once only."""
    answers = iter(["127.0.0.1"])
    connected: list[str] = []
    resolver, connect = socket.getaddrinfo, socket.create_connection

    def getaddrinfo(host: str, port: int, *more: object, **options: object) -> list[object]:
        if host == "models.example":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers, "169.254.169.254"), port))]
        return list(resolver(host, port, *more, **options))  # type: ignore[arg-type]  # passed on as they came

    def create_connection(address: tuple[str, int], *more: object, **options: object) -> socket.socket:
        connected.append(address[0])
        return connect(address, *more, **options)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket, "create_connection", create_connection)
    with ModelServer() as server, WireClient(policy=AddressPolicy.embedded()) as client:
        attempt, _ = fetch(client, a_target(f"http://models.example:{server.port}/v1"), a_chat())
        again, result = fetch(client, a_target(f"http://models.example:{server.port}/v1"), a_chat(), fresh=True)
    assert attempt.failure_kind == ""
    assert connected == ["127.0.0.1"]
    assert again.failure_kind == "forbidden_address"
    assert isinstance(result, BackendFailure)
    assert result.kind.stops_system


@pytest.mark.parametrize(
    "addresses",
    [["8.8.8.8", "169.254.169.254"], ["127.0.0.1", "fe80::1"], ["::ffff:169.254.169.254"], ["64:ff9b::a9fe:a9fe"]],
)
def test_one_forbidden_address_among_good_ones_refuses_the_name(addresses: list[str]) -> None:
    with ModelServer() as server:
        attempt, _ = ask_by_name(server.port, lambda *_: addresses, policy=AddressPolicy.embedded())
    assert attempt.failure_kind == "forbidden_address"
    assert server.connections == 0


def test_a_public_name_that_leads_inside_is_refused_when_scaled() -> None:
    with ModelServer() as server:
        attempt, _ = ask_by_name(server.port, lambda *_: ["127.0.0.1"], policy=AddressPolicy.scaled())
        assert attempt.failure_kind == "forbidden_address"
        assert server.connections == 0
        listed = AddressPolicy.scaled([f":{server.port}"])
        attempt, _ = ask_by_name(server.port, lambda *_: ["127.0.0.1"], policy=listed)
    assert attempt.failure_kind == ""


@pytest.mark.parametrize("name", ["metadata", "metadata.google.internal", "METADATA.google.internal", "instance-data"])
def test_metadata_services_are_refused_by_name_wherever_the_name_leads(name: str) -> None:
    with ModelServer() as server:
        attempt, _ = ask_by_name(server.port, lambda *_: ["127.0.0.1"], policy=AddressPolicy.embedded(), name=name)
    assert attempt.failure_kind == "forbidden_address"
    assert server.connections == 0


def test_the_second_address_is_tried_where_the_first_does_not_answer() -> None:
    with ModelServer() as server:
        attempt, _ = ask_by_name(server.port, lambda *_: ["127.0.0.2", "127.0.0.1"], policy=AddressPolicy.embedded())
    assert attempt.failure_kind == ""


def test_a_name_that_does_not_resolve_is_told_in_words() -> None:
    def resolve(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    attempt, result = ask_by_name(1, resolve, policy=AddressPolicy.embedded())
    assert attempt.failure_kind == "unreachable"
    assert "could not be resolved" in attempt.sentence
    assert isinstance(result, BackendFailure)


def test_a_redirect_to_a_forbidden_address_is_not_followed() -> None:
    with ModelServer(redirect("http://169.254.169.254/latest/meta-data")) as server:
        attempt, _ = ask_by_name(server.port, lambda *_: ["127.0.0.1"], policy=AddressPolicy.embedded())
    assert attempt.failure_kind == "not_an_api"


def test_https_to_a_server_that_speaks_none_is_told_in_words() -> None:
    with ModelServer() as server:
        attempt, _ = ask_by_name(server.port, lambda *_: ["127.0.0.1"], policy=AddressPolicy.embedded(), scheme="https")
    assert attempt.failure_kind == "tls"
    assert "Check the base address." in attempt.sentence
