"""Queries that are built once and asked again and again: most of what a small query costs is its building.

Django builds and compiles a query anew each time, about half a millisecond; a rater's request asks a dozen.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any, ParamSpec

from django.db import connection
from django.db.models import QuerySet

P = ParamSpec("P")
Row = tuple[Any, ...]
SMALLEST_STAND_IN = 7_310_586_942_173


@dataclass(frozen=True, slots=True)
class _Statement:
    """SQL with its parameters: `places` says which of them take the arguments of a call, `given` holds the others."""

    sql: str
    given: tuple[Any, ...]
    places: tuple[tuple[int, int], ...]
    converters: dict[int, tuple[list[Callable[..., Any]], Any]]


def prepared(build: Callable[P, QuerySet[Any, Any]]) -> Callable[P, list[Row]]:
    """The rows of a `values_list` whose arguments, ints or datetimes, only stand for values in it.

    An argument must not decide what the query looks like: it is built once a thread, with stand-ins.
    """
    kept = threading.local()  # a statement is bound to the thread's own connection

    @wraps(build)
    def rows(*args: P.args, **kwargs: P.kwargs) -> list[Row]:
        if kwargs:
            raise TypeError(f"{build.__name__} takes its values by position")
        statement: _Statement | None = getattr(kept, "statement", None)
        if statement is None:
            statement = kept.statement = _compiled(build, args)
        return _ask(statement, args)

    return rows


def _ask(statement: _Statement, args: tuple[Any, ...]) -> list[Row]:
    params = list(statement.given)
    for place, argument in statement.places:
        params[place] = _stored(args[argument])
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, params)
        found = cursor.fetchall()
    if not statement.converters:
        return [tuple(row) for row in found]
    return [_converted(row, statement) for row in found]


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
    return _Statement(sql, tuple(params), places, compiler.get_converters(expressions))


def _stand_in(place: int, value: object) -> int | datetime:
    """A value of the same type that no query says by itself."""
    if isinstance(value, datetime):
        return datetime(1871, 3, 1 + place, 4, 5, 6, 789, tzinfo=UTC)
    if isinstance(value, int):
        return SMALLEST_STAND_IN + place
    raise TypeError(f"no stand-in for {type(value).__name__}")


def _stored(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
