"""Turning the key ring: every secret is readable after it, and under the new key."""

import json
import os
import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError

from accounts.models import Event
from backends.actions import add_endpoint
from backends.encryption import is_current
from backends.endpoints import secret_of
from backends.models import Endpoint
from console import key_ring
from console.command import Refusal

pytestmark = pytest.mark.django_db
OLD = "o" * 40


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> Path:
    """An installation whose ring is a file, as on the embedded footing."""
    monkeypatch.delenv("BLINDPAIR_ENCRYPTION_KEYS")
    settings.DATA_DIR, settings.ENCRYPTION_KEYS = tmp_path, OLD
    path = tmp_path / "encryption.keys"
    path.write_text(OLD)
    return path


def rotate(*words: str) -> str:
    out = StringIO()
    call_command("rotate_keys", *words, stdout=out, stderr=StringIO())
    return out.getvalue()


def endpoints() -> list[Endpoint]:
    for name in ("one", "two"):
        add_endpoint(name=name, dialect="openai", base_url="https://api.example.org/v1", secret=f"sk-{name}")
    return list(Endpoint.objects.order_by("name"))


def test_every_secret_is_under_the_new_key_and_still_readable(file: Path) -> None:
    before = [one.secret for one in endpoints()]
    assert json.loads(rotate("--json"))["secrets"] == 2
    after = list(Endpoint.objects.order_by("name"))
    assert [secret_of(one) for one in after] == ["sk-one", "sk-two"]
    assert all(is_current(one.secret) for one in after)
    assert not set(before) & {one.secret for one in after}


def test_the_file_holds_the_new_key_first_and_nobody_else_reads_it(file: Path) -> None:
    said = rotate()
    new, old = file.read_text().split(",")
    assert (old, len(new) >= 32) == (OLD, True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(file.parent) == [file.name]
    assert new not in said


def test_a_server_that_started_before_goes_on(file: Path, settings: Any) -> None:
    endpoints()
    rotate()
    settings.ENCRYPTION_KEYS = OLD  # as another process still has it
    assert secret_of(Endpoint.objects.get(name="one")) == "sk-one"


def test_old_keys_can_be_forgotten(file: Path) -> None:
    endpoints()
    rotate("--forget-old")
    assert OLD not in file.read_text()
    assert secret_of(Endpoint.objects.get(name="two")) == "sk-two"


def test_an_unreadable_secret_is_named_and_nothing_changes(file: Path, settings: Any) -> None:
    endpoints()
    settings.ENCRYPTION_KEYS = "x" * 40
    file.write_text("x" * 40)
    with pytest.raises(Refusal, match="of one, two opens under no key"):
        rotate()
    assert file.read_text() == "x" * 40


def test_a_failure_half_way_leaves_every_secret_readable(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoints()
    saved: list[int] = []

    def save(endpoint: Endpoint, **_: Any) -> None:
        saved.append(endpoint.pk)
        raise DatabaseError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(Endpoint, "save", save)
        with pytest.raises(Refusal, match="disk is full"):
            rotate()
    assert saved
    assert [secret_of(one) for one in Endpoint.objects.order_by("name")] == ["sk-one", "sk-two"]
    assert json.loads(rotate("--json"))["secrets"] == 2


def test_where_the_environment_holds_the_ring_it_says_what_to_set(settings: Any) -> None:
    endpoints()
    said = rotate()
    assert "0 endpoint keys" in said
    assert "set BLINDPAIR_ENCRYPTION_KEYS" in said
    settings.ENCRYPTION_KEYS = f"{'n' * 40},{settings.ENCRYPTION_KEYS}"
    assert json.loads(rotate("--json")) == {"secrets": 2, "keys": 2, "file": None}
    with pytest.raises(key_ring.CannotRotate, match="take the old keys out"):
        key_ring.rotate(forget_old=True)


def test_it_is_in_the_audit_log_without_a_key(file: Path) -> None:
    rotate()
    event = Event.objects.get(verb="rotated keys")
    assert event.detail == {"secrets": 0, "keys": 2}
