"""What is hidden from raters: every column of every table but those named here, found by walking the models.

A new column is hidden until somebody adds it to one of the lists below; a new table needs a row in the world.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.apps import apps
from django.db.models import (
    BinaryField,
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    EmailField,
    Field,
    FloatField,
    IntegerField,
    JSONField,
    Model,
    PositiveSmallIntegerField,
    SlugField,
    SmallIntegerField,
    TextField,
)

from tests.blinding.eyes import SHORT, leaves

ROOMS = ("accounts", "experiments", "backends", "ratings", "reports", "console")
# What a rater is shown of their own experiment, by table and column; of any other it is hidden like the rest.
SHOWN = {
    "accounts.User": {"name"},
    "experiments.Experiment": {"question", "instructions", "retention_days"},
    "experiments.Criterion": {"name", "description"},
    "experiments.Input": {"messages"},
    "experiments.Output": {"text", "html"},
    "ratings.Rater": {"preferences"},
    "ratings.Assignment": {"token"},
    "ratings.Judgment": {"key", "comment"},
}
# Small numbers that steer: nothing rare can stand there. The distinguisher and the property test look after them.
STEERING = {
    "experiments.Experiment": {"ratings_per_pair", "repeat_share", "control_share"},
    "experiments.Criterion": {"position"},
    "experiments.Input": {"position"},
    "backends.Completion": {"sample", "attempts"},
    "backends.Attempt": {"number"},
    "experiments.StagedPart": {"number"},
    "ratings.Assignment": {"position"},
}
EPOCH = datetime(2026, 11, 1, 3, 14, 15, 926535, tzinfo=UTC)


def tables() -> list[type[Model]]:
    """Every table of the project."""
    return [model for room in ROOMS for model in apps.get_app_config(room).get_models()]


def hidden_columns(model: type[Model]) -> list["Field[Any, Any]"]:
    """The columns that can hold something rare and that no rater is ever shown; keys of rows among them."""
    label = model._meta.label
    known = SHOWN.get(label, set()) | STEERING.get(label, set())
    return [
        field
        for field in model._meta.concrete_fields
        if not field.is_relation and not field.choices
        if not isinstance(field, BooleanField | SmallIntegerField | PositiveSmallIntegerField)
        if field.name not in known
    ]


RARE: dict[type["Field[Any, Any]"], Callable[[str, int], Any]] = {
    BinaryField: lambda name, number: f"zyxomatic bytes of {name} {number}".encode(),
    JSONField: lambda name, number: {f"zyx-{name}": f"a zyxomatic {name} no. {number}"},
    EmailField: lambda name, number: f"zyx.{name}.{number}@quillfeather.example",
    SlugField: lambda name, number: f"zyx-{name}-{number}",
    TextField: lambda name, number: f'a "zyxomatic" {name} <no. {number}> of quillfeather & sons',
    CharField: lambda name, number: f"{number:02d}zyx{name}",
    DateTimeField: lambda name, number: EPOCH + timedelta(microseconds=number),
    DateField: lambda name, number: EPOCH.date() + timedelta(days=number),
    FloatField: lambda name, number: 13.5792468 + number,
    IntegerField: lambda name, number: 765_432_100 + number,
}


def rare(field: "Field[Any, Any]", number: int) -> Any:
    """A value that stands nowhere else, of the column's own kind; a new kind of column needs a line above."""
    name = f"{field.model._meta.model_name}{field.name}".replace("_", "")
    kind = next(kind for kind in RARE if isinstance(field, kind))
    value = RARE[kind](name, number)
    return value[: min(field.max_length or 30, 30)] if kind is CharField else value


def plant(row: Model, number: int, *, but: frozenset[str] = frozenset()) -> None:
    """Something rare in every hidden column of the row that is still empty or as it came."""
    model = type(row)
    columns = [one for one in hidden_columns(model) if not one.primary_key and one.name not in but]
    blank = {one.name: rare(one, number) for one in columns if _as_it_came(one, getattr(row, one.name))}
    model._base_manager.filter(pk=row.pk).update(**blank)
    row.refresh_from_db()


def _as_it_came(field: "Field[Any, Any]", value: Any) -> bool:
    if isinstance(field, DateTimeField):
        return value is None or field.has_default()
    return value in (None, "", {}, [], b"") or value == field.get_default()


def texts_of(field: "Field[Any, Any]", value: Any) -> Iterator[str]:
    """How the value of a column would read on a page or in a header."""
    if isinstance(value, datetime):
        yield value.isoformat()
        yield f"{value:%H:%M:%S.%f}"
        yield f".{value:%f}"
        yield str(int(value.timestamp()))
    elif isinstance(value, date):
        yield value.isoformat()
    elif isinstance(field, BinaryField):
        yield bytes(value).decode()
    else:
        yield from leaves(value)


def canaries_of(row: Model, *, rows_are_shown: bool) -> Iterator[tuple[str, str]]:
    """Column and text of everything hidden in the row; of a row that is not shown that is every column."""
    label = row._meta.label
    fields = hidden_columns(type(row))
    if not rows_are_shown:
        fields += [field for field in row._meta.concrete_fields if field.name in SHOWN.get(label, ())]
    for field in fields:
        for text in texts_of(field, getattr(row, field.name)):
            if len(text) >= SHORT:
                yield f"{label}.{field.name}", text
