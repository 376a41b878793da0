"""Fixtures that every room's tests may use; what belongs to one room lives beside its tests."""

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from hypothesis import HealthCheck
from hypothesis import settings as examples
from playwright.sync_api import Browser

from tests import browsing

TRIGGERS = ("0002_what_counts_of_a_pair", "0003_what_was_said_of_a_pair", "0004_whose_judgments_are_left_out")
TESTS = Path(__file__).resolve().parent
LONGEST = ("mutants", "journeys", "faults", "blinding", "browser")  # begun last, one of them would keep a core waiting
ON_POSTGRES = bool(os.environ.get("DATABASE_URL"))
# The same examples in every run, however slow the machine; `--hypothesis-profile=search` looks for new ones.
examples.register_profile(
    "fixed", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
examples.register_profile("search", examples.get_profile("fixed"), derandomize=False)
examples.load_profile("fixed")
# A password costs an attacker a tenth of a second, and every test that makes an owner as well: here it costs nothing.
Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost, Argon2PasswordHasher.parallelism = 1, 8, 1


def _otherwise(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Rows that nobody sorted come backwards on SQLite, as they lie on Postgres: what hangs on their order fails.

    And nobody waits for the disk: no test outlives a power cut.
    """
    if connection.vendor != "sqlite":
        return
    connection.connection.execute("PRAGMA reverse_unordered_selects = ON")
    if connection.alias == DEFAULT_DB_ALIAS:
        connection.connection.execute("PRAGMA synchronous = OFF")


connection_created.connect(_otherwise)


@pytest.fixture(autouse=True)
def _quick_settings(settings: pytest.FixtureRequest) -> None:
    settings.STORAGES = {  # type: ignore[attr-defined]  # the pytest-django fixture is untyped
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes longest begins first; on Postgres only what meets the database is run again."""
    items.sort(key=_turn)
    if not ON_POSTGRES:
        return
    kept, left_out = [], []
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        meets = item.get_closest_marker("django_db") or fixtures & {"db", "transactional_db", "live_server"}
        elsewhere = any(item.get_closest_marker(name) for name in ("processes", "browser", "once"))
        (kept if meets and not elsewhere else left_out).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left_out)


def _turn(item: pytest.Item) -> int:
    room = item.path.relative_to(TESTS).parts[0]
    return LONGEST.index(room) if room in LONGEST else len(LONGEST)


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The folder that holds manage.py."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for the whole run."""
    with browsing.launched() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any, request: pytest.FixtureRequest) -> None:
    """Tables that were made without migrations get the triggers, too, which only migrations know."""
    if not request.config.getoption("nomigrations"):
        return
    made = [import_module(f"ratings.migrations.{name}") for name in TRIGGERS]
    with django_db_blocker.unblock(), connection.schema_editor() as editor:
        made[0].keep_the_note(None, editor)
        made[1].note_what_was_said(None, editor)
        made[2].note_who_is_left_out(None, editor)
