"""Queries that are built once and asked again and again: most of what a small query costs is its building.

Django builds and compiles a query anew each time, about half a millisecond; a rater's request asks a dozen. And each
way to the server and back costs as much as the query: what need not wait for an answer goes along with what does.
"""

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, ParamSpec
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import DateTimeField, ForeignKey, IntegerField, Model, QuerySet, UUIDField, fields

P = ParamSpec("P")
Row = tuple[Any, ...]
SMALLEST_STAND_IN = 7_310_586_942_173
# What a driver stores as it is, if it is of this very type: a choice, say, is a text of another one.
AS_IT_IS = (
    (fields.BooleanField, bool),
    (fields.FloatField, float),
    (fields.IntegerField, int),
    (fields.CharField, str),
    (fields.TextField, str),
    (ForeignKey, int),
)


@dataclass(frozen=True, slots=True)
class _Statement:
    """SQL with its parameters: `places` says which of them take the arguments of a call, `given` holds the others."""

    sql: str
    given: tuple[Any, ...]
    places: tuple[tuple[int, int], ...]
    converters: dict[int, tuple[list[Callable[..., Any]], Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """A statement with the values of one call: to be asked together with others."""

    statement: _Statement
    values: list[Any]


class Prepared(Generic[P]):
    """The rows of a `values_list`, asked with other values each time."""

    def __init__(self, build: Callable[P, QuerySet[Any, Any]]) -> None:
        self._build = build
        self._kept = threading.local()  # a statement is bound to the thread's own connection

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> list[Row]:
        """The rows."""
        question = self.of(*args, **kwargs)
        return _read(question.statement, _found(question.statement.sql, question.values))

    def of(self, *args: P.args, **kwargs: P.kwargs) -> Question:
        """The question alone."""
        if kwargs:
            raise TypeError(f"{self._build.__name__} takes its values by position")
        statement: _Statement | None = getattr(self._kept, "statement", None)
        if statement is None:
            statement = self._kept.statement = _compiled(self._build, args)
        values = list(statement.given)
        for place, argument in statement.places:
            values[place] = _stored(args[argument])
        return Question(statement, values)


def prepared(build: Callable[P, QuerySet[Any, Any]]) -> Prepared[P]:
    """The rows of a `values_list` whose arguments, ints, texts, UUIDs or datetimes, only stand for values in it.

    An argument must not decide what the query looks like: it is built once a thread, with stand-ins.
    """
    return Prepared(build)


def together(*questions: Question) -> list[list[Row]]:
    """The rows of each, answered in this order; Postgres is asked them in one breath."""
    said = [(one.statement.sql, one.values) for one in questions]
    at_once = getattr(connection, "ask_together", None) if len(said) > 1 else None
    found = at_once(said) if at_once else [_found(*one) for one in said]
    return [_read(one.statement, rows) for one, rows in zip(questions, found, strict=True)]


class Errands:
    """Statements that can wait for the next that cannot: they go first, in the order in which they were given."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Question, Callable[[list[Row]], None]]] = []

    def later(self, question: Question, told: Callable[[list[Row]], None]) -> None:
        """Ask it with the next ones; `told` gets the rows then, and may raise."""
        self._waiting.append((question, told))

    def ask(self, *questions: Question) -> list[list[Row]]:
        """The rows of each, after all that waited."""
        waiting, self._waiting = self._waiting, []
        found = together(*(question for question, _ in waiting), *questions)
        for rows, (_, told) in zip(found[: len(waiting)], waiting, strict=True):
            told(rows)
        return found[len(waiting) :]


class Adding:
    """Adds rows to a table, one at a time; what is not said has the default of its field.

    `key` is a unique column whose value tells a request that came before: nothing is added then, and no row comes.
    """

    def __init__(self, model: type[Model], *, key: str = "") -> None:
        self._model, self._key = model, key
        self._built: dict[tuple[str, ...], tuple[_Statement, list[tuple[str, Any, type | None]]]] = {}

    def of(self, **values: Any) -> Question:
        """The statement that adds a row (columns by their `attname`); it answers with the primary key."""
        database = connections[DEFAULT_DB_ALIAS]  # looked up once, not with every field
        said = (database.vendor, *values)
        built = self._built.get(said)
        if built is None:
            built = self._built[said] = self._compiled(values)
        statement, columns = built
        row = []
        for name, field, kind in columns:
            value = values[name] if name in values else field.get_default()
            row.append(value if type(value) is kind else field.get_db_prep_save(value, database))
        return Question(statement, row)

    def _compiled(self, said: Collection[str]) -> tuple[_Statement, list[tuple[str, Any, type | None]]]:
        """The statement and its columns: name, field, and the type that is stored as it is."""
        quote, options = connection.ops.quote_name, self._model._meta
        added = [
            field
            for field in options.concrete_fields
            if not field.primary_key and (field.attname in said or field.get_default() is not None)
        ]
        columns = ", ".join(quote(field.column or "") for field in added)
        places = ", ".join(["%s"] * len(added))
        table, key = quote(options.db_table), quote(options.pk.column or "")
        known = f" ON CONFLICT ({quote(self._key)}) DO NOTHING" if self._key else ""
        insert = f"INSERT INTO {table} ({columns}) VALUES ({places}){known} RETURNING {key}"  # noqa: S608 - names of ours
        return _Statement(insert, (), (), {}), [
            (field.attname, field, next((kind for of, kind in AS_IT_IS if isinstance(field, of)), None))
            for field in added
        ]


def _cursor() -> Any:
    """Postgres keeps the plan of what it is asked again; SQLite's driver does by itself."""
    return getattr(connection, "prepared_cursor", connection.cursor)()


def _found(sql: str, values: list[Any]) -> list[Row]:
    with _cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[Row] = cursor.fetchall()
        return rows


def _read(statement: _Statement, rows: list[Row]) -> list[Row]:
    return [_converted(row, statement) for row in rows] if statement.converters else rows


def _converted(row: Row, statement: _Statement) -> Row:
    values = list(row)
    for place, (converters, expression) in statement.converters.items():
        for convert in converters:
            values[place] = convert(values[place], expression, connection)
    return tuple(values)


def _compiled(build: Callable[..., QuerySet[Any, Any]], args: tuple[Any, ...]) -> _Statement:
    stand_ins = [_stand_in(place, value) for place, value in enumerate(args)]
    compiler = build(*stand_ins).query.get_compiler(connection=connection)
    sql, params = compiler.as_sql()
    marks = [_stored(one) for one in stand_ins]
    places = tuple((place, marks.index(param)) for place, param in enumerate(params) if param in marks)
    if {argument for _, argument in places} != set(range(len(args))):
        raise TypeError(f"{build.__name__} does not hand every argument to the database")
    expressions = [column[0] for column in compiler.select]
    converters = {place: _quick(*found) for place, found in compiler.get_converters(expressions).items()}
    needed = {place: found for place, found in converters.items() if not _is_counted(*found)}
    return _Statement(sql, tuple(params), places, needed)


def _is_counted(converters: list[Callable[..., Any]], expression: Any) -> bool:
    """Whether the database says an int that Django would only make an int of again."""
    return isinstance(expression.output_field, IntegerField) and len(converters) == 1


def _quick(converters: list[Callable[..., Any]], expression: Any) -> tuple[list[Callable[..., Any]], Any]:
    """SQLite keeps moments and UUIDs as Django alone has written them: they are read without looking twice."""
    if connection.vendor == "sqlite" and isinstance(expression.output_field, DateTimeField):
        return [_moment], expression
    if connection.vendor == "sqlite" and isinstance(expression.output_field, UUIDField):
        return [_uuid], expression
    return converters, expression


def _moment(value: datetime | str | None, expression: Any, connection: Any) -> datetime | None:
    if isinstance(value, str):  # of an expression, which the driver does not know for a moment
        value = datetime.fromisoformat(value)
    return value and value.replace(tzinfo=UTC)


def _uuid(value: str | None, expression: Any, connection: Any) -> UUID | None:
    return UUID(value) if value else None


def _stand_in(place: int, value: object) -> int | str | datetime | UUID:
    """A value of the same type that no query says by itself."""
    if isinstance(value, datetime):
        return datetime(1871, 3, 1 + place, 4, 5, 6, 789, tzinfo=UTC)
    if isinstance(value, int):
        return SMALLEST_STAND_IN + place
    if isinstance(value, str):
        return f"stand-in {SMALLEST_STAND_IN + place}"
    if isinstance(value, UUID):
        return UUID(int=SMALLEST_STAND_IN + place)
    raise TypeError(f"no stand-in for {type(value).__name__}")


def _stored(value: Any) -> Any:
    if isinstance(value, int | str):
        return value
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, UUID) and not connection.features.has_native_uuid_field:
        return value.hex
    return value
