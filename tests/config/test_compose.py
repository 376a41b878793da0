"""docker-compose.yml and the Dockerfile as data, against what the settings read and the programs that exist."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from config.celery import app

OURS = ("prepare", "web", "worker", "beat")
LONG_LIVED = ("web", "worker", "beat", "postgres", "redis")
# Read by a program in the image, not by our settings.
READ_ELSEWHERE = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    text = (Path(__file__).parents[2] / "docker-compose.yml").read_text()
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (Path(__file__).parents[2] / "Dockerfile").read_text()


def words(command: Any) -> list[str]:
    return command.split() if isinstance(command, str) else [str(word) for word in command]


def test_every_part_of_the_scaled_footing_is_there(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {*OURS, "postgres", "redis"}


def test_every_variable_is_one_that_the_settings_read(compose: dict[str, Any], checkout: Path) -> None:
    read = "\n".join(path.read_text() for path in (checkout / "config").rglob("*.py"))
    for name, service in compose["services"].items():
        for variable in service.get("environment", {}).keys() - READ_ELSEWHERE:
            assert re.search(rf'"{variable}"', read), f"{name}: nothing reads {variable}"


def test_what_the_scaled_footing_demands_is_set(compose: dict[str, Any]) -> None:
    for name in OURS:
        environment = compose["services"][name]["environment"]
        assert {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "BLINDPAIR_ENCRYPTION_KEYS", "PUBLIC_URL"} <= set(
            environment
        )
        assert environment["DATABASE_URL"].startswith("postgres://")


def test_no_secret_has_a_default(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for variable, value in service.get("environment", {}).items():
            if variable in {"SECRET_KEY", "BLINDPAIR_ENCRYPTION_KEYS", "POSTGRES_PASSWORD"}:
                assert re.fullmatch(r"\$\{[A-Z_]+:\?.+\}", value), f"{variable} must be demanded, not made up"


def test_addresses_name_services_that_exist(compose: dict[str, Any]) -> None:
    environment = compose["services"]["web"]["environment"]
    assert "@postgres:5432/" in environment["DATABASE_URL"]
    assert environment["REDIS_URL"].startswith("redis://redis:6379")


@pytest.mark.parametrize("name", LONG_LIVED)
def test_every_server_has_a_health_check_with_a_program_it_has(compose: dict[str, Any], name: str) -> None:
    check = compose["services"][name]["healthcheck"]["test"]
    assert check[0] in {"CMD", "CMD-SHELL"}
    program = check[1].split()[0] if check[0] == "CMD-SHELL" else check[1]
    known = {"web": "python", "worker": "find", "beat": "kill", "postgres": "pg_isready", "redis": "redis-cli"}
    assert program == known[name]


def test_the_web_health_check_asks_an_address_that_exists(compose: dict[str, Any]) -> None:
    check = " ".join(compose["services"]["web"]["healthcheck"]["test"])
    assert "/healthz'" in check
    assert compose["services"]["web"]["environment"]["BIND"].endswith(":8000")


def test_the_worker_health_check_looks_at_the_heartbeat_that_the_worker_keeps(compose: dict[str, Any]) -> None:
    kept = compose["services"]["worker"]["environment"]["BLINDPAIR_HEARTBEAT"]
    assert kept in compose["services"]["worker"]["healthcheck"]["test"][1].split()
    assert kept.startswith("/tmp/")  # the one place of a read-only container that starts empty
    assert all("BLINDPAIR_HEARTBEAT" not in compose["services"][name]["environment"] for name in ("web", "beat"))


def test_images_are_pinned_to_the_patch(compose: dict[str, Any], dockerfile: str) -> None:
    for name in ("postgres", "redis"):
        assert re.fullmatch(r"[a-z]+:\d+\.\d+(\.\d+)?-\w+", compose["services"][name]["image"])
    assert re.findall(r"^FROM (\S+)", dockerfile, re.M) == ["python:3.12.11-slim-bookworm"] * 2
    assert "uv sync --frozen" in dockerfile


@pytest.mark.parametrize("name", [*OURS, "postgres", "redis"])
def test_nobody_is_root_or_writes_to_the_image(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["user"] not in {"root", "0", "0:0"}
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service


def test_the_image_runs_as_the_user_that_owns_its_data(compose: dict[str, Any], dockerfile: str) -> None:
    assert "USER 10001:10001" in dockerfile
    assert compose["services"]["web"]["user"] == "10001:10001"
    assert "BLINDPAIR_DATA=/data" in dockerfile
    assert "data:/data" in compose["services"]["web"]["volumes"]


def test_the_image_holds_every_room_of_the_house(checkout: Path, dockerfile: str) -> None:
    rooms = {path.parent.name for path in checkout.glob("*/__init__.py")} - {"tests", "bench"}
    for room in rooms | {"templates", "static", "samples"}:
        assert f"COPY {room} {room}\n" in dockerfile


def test_commands_run_programs_and_files_of_ours(compose: dict[str, Any], checkout: Path) -> None:
    web, worker, beat = (words(compose["services"][name]["command"]) for name in ("web", "worker", "beat"))
    assert web[:3] == ["gunicorn", "--config", "config/gunicorn.py"]
    assert (checkout / "config/gunicorn.py").exists()
    assert (checkout / "config/wsgi.py").exists()
    assert worker[:4] == ["celery", "--app", "config.celery", "worker"]
    assert beat[:4] == ["celery", "--app", "config.celery", "beat"]


def test_nothing_starts_before_what_it_needs(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services["prepare"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    for name in ("web", "worker", "beat"):
        assert services[name]["depends_on"]["prepare"]["condition"] == "service_completed_successfully"


def test_databases_are_not_reached_from_outside(compose: dict[str, Any]) -> None:
    for name in ("postgres", "redis"):
        assert "ports" not in compose["services"][name]
        assert compose["services"][name]["networks"] == ["inner"]
    assert compose["networks"]["inner"]["internal"] is True


def test_there_is_time_to_stop_cleanly(compose: dict[str, Any]) -> None:
    for name in ("web", "worker"):
        assert compose["services"][name]["stop_grace_period"] == "30s"


def test_what_beat_rings_is_a_task(compose: dict[str, Any]) -> None:
    app.loader.import_default_modules()
    for entry in app.conf.beat_schedule.values():
        assert entry["task"] in app.tasks


def test_postgres_has_room_for_every_pool(compose: dict[str, Any]) -> None:
    words = compose["services"]["postgres"]["command"]
    room = int(next(word for word in words if word.startswith("max_connections=")).partition("=")[2])
    worker = compose["services"]["worker"]["command"]
    processes = 4 + 1 + int(worker[worker.index("--concurrency") + 1]) + 1
    assert processes * settings.DATABASE_POOL < room
    assert settings.DATABASE_POOL >= settings.WEB_THREADS
