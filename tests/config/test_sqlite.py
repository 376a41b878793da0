"""What the connections to an SQLite file keep, and when they are opened anew."""

import os
from pathlib import Path

import pytest
from django.db import connection, connections

from config.sqlite.base import DatabaseWrapper

pytestmark = pytest.mark.django_db


def a_connection(path: Path) -> DatabaseWrapper:
    settings = {**connections["default"].settings_dict, "ENGINE": "config.sqlite", "NAME": path, "CONN_MAX_AGE": None}
    made = DatabaseWrapper(settings | {"OPTIONS": {"timeout": 1}}, "other")
    made.connect()
    return made


def test_one_opened_while_the_file_was_read_only_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda path, how: False)
        made = a_connection(tmp_path / "file.sqlite3")
    made.close_if_unusable_or_obsolete()
    assert made.connection is None
    made.connect()
    made.close_if_unusable_or_obsolete()
    assert made.connection is not None
    made.close()


def test_what_is_deleted_is_overwritten_and_what_is_acknowledged_is_on_the_disk() -> None:
    if connection.vendor != "sqlite":
        assert "DATABASE_URL" in os.environ  # Postgres has other means
        return
    made = DatabaseWrapper(connections["default"].settings_dict, "as it is served")
    with made.cursor() as cursor:
        found = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("secure_delete", "synchronous")}
    made.close()
    assert found == {"secure_delete": 1, "synchronous": 2}
