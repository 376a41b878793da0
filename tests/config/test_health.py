"""What the probes say."""

from pathlib import Path

import httpx
import pytest
from django.db import DatabaseError
from django.test import Client

from config import health
from tests.journeys.drivers import Installation
from tests.servers import free_port, redis_server

pytestmark = pytest.mark.django_db


def test_a_live_process_says_ok(client: Client) -> None:
    assert client.get("/healthz").content == b"ok\n"


def test_a_ready_process_says_so_part_by_part(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "degraded": False,
        "parts": {"database": "ok", "migrations": "ok", "broker": "ok", "room": "ok"},
    }


def test_a_lost_database_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(health.connection, "cursor", away)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["database"] == "the database does not answer"


def test_a_lost_broker_is_named_and_a_found_one_is_ok(client: Client, settings: pytest.FixtureRequest) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"  # type: ignore[attr-defined]
    answer = client.get("/readyz")
    assert answer.status_code == 200, "votes and pages need no Redis: no web process leaves the rotation for it"
    assert (answer.json()["ready"], answer.json()["degraded"]) == (True, True)
    assert answer.json()["parts"]["broker"].startswith("Redis does not answer")
    with redis_server() as url:
        settings.REDIS_URL = url  # type: ignore[attr-defined]
        asked = [client.get("/readyz").json() for _ in range(20)]
    assert any(facts["ready"] and not facts["degraded"] for facts in asked), "a busy one may be late, not always"


@pytest.mark.once
def test_what_cannot_be_done_without_is_not_called_degraded(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise health.NotReady("away")

    for part in set(health.CHECKS) - {"broker"}:
        with monkeypatch.context() as planted:
            planted.setitem(health.CHECKS, part, missing)
            planted.setitem(health.CHECKS, "broker", missing)
            answer = client.get("/readyz")
        assert answer.status_code == 503, part
        assert (answer.json()["ready"], answer.json()["degraded"]) == (False, False)


@pytest.mark.processes
def test_a_deleted_database_file_is_not_ready(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.make_ready()
    with installation.serving() as address:
        (tmp_path / "var" / "blindpair.sqlite3").unlink()
        answer = httpx.get(f"{address}/readyz", timeout=30)
        assert answer.status_code == 503
        assert answer.json()["parts"]["database"].startswith("the database file was removed or replaced")
        assert str(tmp_path) not in answer.text
        assert httpx.get(f"{address}/healthz", timeout=30).status_code == 200


@pytest.mark.once
def test_a_database_that_can_only_be_read_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise DatabaseError("attempt to write a readonly database")

    monkeypatch.setattr(health.connection, "cursor", refused)
    assert client.get("/readyz").json()["parts"]["database"] == "the database can only be read"
