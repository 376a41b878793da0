"""Starting the server: what is taken is refused in one sentence, static files are collected only when they changed."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.solitude import AlreadyServed
from console import serving


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> Path:
    """A data folder that nobody serves, and no migrations to run."""
    monkeypatch.setattr(serving, "claim", lambda: None)
    monkeypatch.setattr(serving, "call_command", lambda *words, **options: None)
    monkeypatch.delenv("PUBLIC_URL", raising=False)
    settings.DATA_DIR = tmp_path
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()
    return tmp_path


def test_a_taken_port_is_refused_with_the_next_one(alone: Path, taken: int) -> None:
    with pytest.raises(serving.PortTaken, match=f"port {taken} .*--port {taken + 1}"):
        serving.make_ready("127.0.0.1", taken)
    assert not (alone / "address").exists()


def test_a_served_folder_is_refused(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def claim() -> None:
        raise AlreadyServed("already served by process 7")

    monkeypatch.setattr(serving, "claim", claim)
    with pytest.raises(AlreadyServed):
        serving.make_ready("127.0.0.1", 1)


def test_commands_beside_the_server_learn_its_address(alone: Path, settings: Any, taken: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    assert serving.make_ready("127.0.0.1", free) == f"http://127.0.0.1:{free}" == settings.PUBLIC_URL
    assert (alone / "address").read_text().strip() == f"http://127.0.0.1:{free}"


def test_a_public_address_goes_before_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", "https://rate.example.org/")
    assert serving.address_of("0.0.0.0", 8000) == "https://rate.example.org"


def test_static_files_are_collected_again_only_when_one_changed(
    alone: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    source = alone / "source"
    source.mkdir()
    (source / "a.css").write_text("a")
    settings.STATICFILES_DIRS = [source]
    collected: list[str] = []
    monkeypatch.setattr(serving, "call_command", lambda name, **options: collected.append(name))
    serving._collect_static()
    serving._collect_static()
    assert collected == ["collectstatic"]
    (source / "a.css").write_text("ab")
    serving._collect_static()
    assert len(collected) == 2
