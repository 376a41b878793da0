"""Fixtures of this room."""

import pytest


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: pytest.FixtureRequest) -> None:
    """On the scaled footing an operator must list private addresses; the fake servers live on loopback."""
    settings.ENDPOINT_HOSTS = ["127.0.0.1"]  # type: ignore[attr-defined]  # the pytest-django fixture is untyped
