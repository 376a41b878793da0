"""Copies all experiments of a database, with everything in them, by SQL that both databases understand."""

from collections.abc import Iterator
from typing import Any

STEP = 1_000_000  # between the keys of one copy and the next
LABELS = (
    "experiments.Experiment",
    "experiments.Criterion",
    "experiments.Input",
    "experiments.Spare",
    "experiments.Arm",
    "experiments.Output",
    "backends.System",
    "backends.Completion",
    "ratings.Rater",
    "ratings.Comparison",
    "ratings.Assignment",
    "ratings.Judgment",
    "reports.Result",
    "accounts.Event",
)
SERIES = "WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {copies}) "


def copy_everything(copies: int) -> int:
    """Add so many copies of every row; how far apart their keys are. Checks of foreign keys rest meanwhile."""
    from django.apps import apps  # noqa: PLC0415 - needs the settings of a leg
    from django.core.management.color import no_style  # noqa: PLC0415
    from django.db import connection, transaction  # noqa: PLC0415

    models = [apps.get_model(label) for label in LABELS]
    models.insert(1, models[0]._meta.get_field("owners").remote_field.through)
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys=OFF" if sqlite else "SET session_replication_role = replica")
    with transaction.atomic(), connection.cursor() as cursor:
        for model in models:
            cursor.execute(
                _statement(model, models, copies, "lower(hex(randomblob(16)))" if sqlite else "gen_random_uuid()")
            )
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys=ON" if sqlite else "SET session_replication_role = DEFAULT")
    return STEP


def _statement(model: Any, copied: list[Any], copies: int, fresh: str) -> str:
    columns = list(_columns(model, copied, fresh))
    table = model._meta.db_table
    names, values = ", ".join(name for name, _ in columns), ", ".join(value for _, value in columns)
    rows = f"SELECT {values} FROM {table} AS it, series"
    return f"INSERT INTO {table} ({names}) " + SERIES.format(copies=copies) + rows


def _columns(model: Any, copied: list[Any], fresh: str) -> Iterator[tuple[str, str]]:
    """Each column with what stands in it in copy `n`."""
    for field in model._meta.concrete_fields:
        name, shifted = f'"{field.column}"', f'it."{field.column}" + {STEP} * n'
        if field.primary_key or field.related_model in copied:
            yield name, shifted
        elif field.get_internal_type() == "UUIDField":
            yield name, fresh
        elif field.column == "slug":
            yield name, "it.slug || '-' || n"
        elif field.column == "object":
            yield name, "it.object || '-' || n"
        elif field.column == "archived_at":
            yield name, "CASE WHEN n % 3 = 0 THEN it.created_at END"
        elif field.column == "token_hash":
            yield name, "n || '-' || substr(it.token_hash, 10)"
        else:
            yield name, f"it.{name}"
