"""How a test shows that the database itself refuses nonsense."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import UniqueConstraint

OURS = ("accounts", "experiments", "backends", "ratings", "reports")


def declared() -> dict[str, tuple[str, bool]]:
    """Constraint name -> (table, whether it is a uniqueness), for every model of the project."""
    return {
        constraint.name: (model._meta.db_table, isinstance(constraint, UniqueConstraint))
        for app in OURS
        for model in apps.get_app_config(app).get_models()
        for constraint in model._meta.constraints
    }


@contextmanager
def refused_by(name: str) -> Iterator[None]:
    """The block must be refused by exactly this constraint, not by another that happens to stand before it."""
    table, unique = declared()[name]
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        yield
    message = str(refusal.value)
    if unique and connection.vendor == "sqlite":
        assert "UNIQUE" in message
        assert table in message or name in message
    else:
        assert name in message, message
