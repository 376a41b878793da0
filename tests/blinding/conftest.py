"""Fixtures of this room."""

import random
import secrets
import uuid
from uuid import UUID

import pytest


@pytest.fixture(autouse=True)
def _seeded_handles(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Handles, tokens and keys of sessions are the same in every run: by chance they would spell a canary some day.

    Each test has its own: what a process remembers of an experiment it tells from another's by its salt.
    """
    chance = random.Random(request.node.nodeid)
    monkeypatch.setattr(uuid, "uuid4", lambda: UUID(int=chance.getrandbits(128), version=4))
    monkeypatch.setattr(secrets, "choice", chance.choice)
    monkeypatch.setattr(secrets, "token_bytes", lambda size=None: chance.randbytes(size or 32))
