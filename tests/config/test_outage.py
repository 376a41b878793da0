"""A conflict is tried once more, from the beginning; and an error says whether the database is away or full."""

import errno

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, connection

from config.outage import is_away, is_full, once_more
from ratings.models import Rater
from tests.factories import a_rater, an_experiment

pytestmark = pytest.mark.django_db(transaction=True)
PASSING = [
    psycopg.errors.SerializationFailure("could not serialize access"),
    psycopg.errors.DeadlockDetected("deadlock detected"),
    psycopg.errors.AdminShutdown("terminating connection due to administrator command"),
    psycopg.OperationalError("server closed the connection unexpectedly"),
]


def told_by_django(cause: Exception) -> OperationalError:
    error = OperationalError(str(cause))
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("cause", PASSING)
def test_what_passes_is_tried_once_more_and_nothing_of_the_first_try_stays(cause: Exception) -> None:
    experiment, errors = an_experiment(), iter([told_by_django(cause)])

    def work() -> int:
        made = a_rater(experiment, "Rater 1")
        if error := next(errors, None):
            raise error
        return made.pk

    kept = once_more(work)
    assert Rater.objects.get().pk == kept


def test_a_connection_that_was_lost_is_opened_again_for_the_second_try() -> None:
    experiment, errors = an_experiment(), iter([told_by_django(PASSING[-1])])

    def work() -> None:
        a_rater(experiment, "Rater 1")
        if error := next(errors, None):
            assert connection.connection is not None
            connection.connection.close()
            raise error

    once_more(work)
    assert Rater.objects.count() == 1


def test_it_is_not_tried_a_third_time() -> None:
    tries = []

    def work() -> None:
        tries.append(1)
        raise told_by_django(PASSING[0])

    with pytest.raises(OperationalError):
        once_more(work)
    assert len(tries) == 2


@pytest.mark.parametrize("error", [OperationalError("database is locked"), IntegrityError("twice"), ValueError("ours")])
def test_what_would_come_again_is_not_tried_again(error: Exception) -> None:
    tries = []

    def work() -> None:
        tries.append(1)
        raise error

    with pytest.raises(type(error)):
        once_more(work)
    assert len(tries) == 1


def test_full_and_away_are_told_from_an_error_of_ours() -> None:
    full = [OperationalError("database or disk is full"), OSError(errno.ENOSPC, "No space left on device")]
    away = [OperationalError("gone"), told_by_django(psycopg.OperationalError("refused"))]
    read_only = RuntimeError("wrapped")
    read_only.__cause__ = psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT in a read-only transaction")
    assert [is_full(error) for error in (*full, *away, ValueError(), None)] == [True, True, False, False, False, False]
    assert [is_away(error) for error in (*away, read_only, ValueError(), None)] == [True, True, True, False, False]
