"""A query that is built once gives what it gives when it is built anew."""

import threading
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import DataError, connection
from django.db.models import F, QuerySet, Value
from django.db.transaction import TransactionManagementError, atomic, set_rollback

from config.prepared import Adding, Errands, Row, prepared, together
from ratings.models import Assignment, Rater
from tests.factories import NOW, a_rated_experiment, a_rater, an_experiment

pytestmark = pytest.mark.django_db


def newer(experiment: int, since: datetime) -> QuerySet[Rater, Row]:
    rows = Rater.objects.filter(experiment=experiment, created_at__gt=since, experiment__pk=experiment).order_by("-pk")
    return rows.values_list("pk", "created_at", "preferences", "experiment__draw_salt", "revoked_at")


def test_other_values_give_other_rows_with_the_same_types() -> None:
    ask = prepared(newer)
    one, other = an_experiment(), an_experiment()
    for number in range(3):
        a_rater(one, f"Rater {number}", created_at=NOW + timedelta(hours=number), preferences={"size": "xl"})
        a_rater(other, f"Rater {number}", created_at=NOW + timedelta(hours=number))
    for experiment in (one, other):
        for hours in (-1, 0, 1.5, 2):
            since = NOW + timedelta(hours=hours)
            assert ask(experiment.pk, since) == list(newer(experiment.pk, since))
    assert ask(one.pk, NOW)[0][1] == NOW + timedelta(hours=2)
    assert ask(one.pk, NOW)[0][2] == {"size": "xl"}
    assert ask(one.pk, NOW + timedelta(days=1)) == []


def test_a_query_is_built_once() -> None:
    built = []

    def every(experiment: int) -> QuerySet[Rater, Row]:
        built.append(experiment)
        return Rater.objects.filter(experiment=experiment).values_list("pk")

    ask = prepared(every)
    rater = a_rater(an_experiment())
    assert ask(rater.experiment_id) == ask(rater.experiment_id) == [(rater.pk,)]
    assert len(built) == 1
    thread = threading.Thread(target=lambda: (ask(0), connection.close()))
    thread.start()
    thread.join()
    assert len(built) == 2, "a thread has a connection of its own"


def test_a_value_that_decides_what_the_query_looks_like_is_refused() -> None:
    @prepared
    def first(count: int) -> QuerySet[Rater, Row]:
        return Rater.objects.values_list("pk")[:count]

    with pytest.raises(TypeError, match="first does not hand every argument to the database"):
        first(3)


def test_other_texts_give_other_rows() -> None:
    def labelled(label: str) -> QuerySet[Rater, Row]:
        return Rater.objects.filter(label=label).values_list("pk")

    ask, experiment = prepared(labelled), an_experiment()
    one, other = a_rater(experiment, "One"), a_rater(experiment, "O'ther %s")
    assert [ask("One"), ask("O'ther %s"), ask("nobody")] == [[(one.pk,)], [(other.pk,)], []]


def test_values_without_a_stand_in_and_names_are_refused() -> None:
    with pytest.raises(TypeError, match="no stand-in for float"):
        prepared(newer)(1.5, NOW)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="by position"):
        prepared(newer)(experiment=1, since=NOW)


def test_several_are_answered_in_their_order_and_fail_together() -> None:
    def every(label: str) -> QuerySet[Rater, Row]:
        return Rater.objects.filter(label=label).values_list("pk")

    def nonsense(number: int) -> QuerySet[Rater, Row]:
        return Rater.objects.filter(pk=number).values_list(Value(1) / (F("pk") - F("pk")))

    ask, count = prepared(every), prepared(newer)
    one = a_rater(an_experiment(), "One")
    for _ in range(8):  # also once the server keeps the plans
        with atomic():
            found = together(ask.of("One"), count.of(0, NOW), ask.of("nobody"), ask.of("One"))
        assert found == [[(one.pk,)], [], [], [(one.pk,)]]
    if connection.vendor == "sqlite":  # it takes 1 / 0 for nothing
        return
    with pytest.raises(DataError, match="division by zero"), atomic():
        together(ask.of("One"), prepared(nonsense).of(one.pk), ask.of("One"))
    assert together(ask.of("One")) == [[(one.pk,)]]


@pytest.mark.django_db(transaction=True)
def test_an_error_outside_of_a_transaction_spoils_nothing_of_what_is_asked_afterwards() -> None:
    """Postgres looks at nothing behind the error, not even where it is told to prepare a statement."""

    def nonsense(number: int) -> QuerySet[Rater, Row]:
        return Rater.objects.filter(pk=number).values_list(Value(1) / (F("pk") - F("pk")))

    one = a_rater(an_experiment(), "One")
    fail = prepared(nonsense)
    for before in range(8):  # among them the one that has it prepared

        def every(label: str, times: int = before) -> QuerySet[Rater, Row]:
            rows = Rater.objects.values_list("pk")
            for _ in range(1 + times):  # another text each time, which nobody has prepared
                rows = rows.filter(label=label)
            return rows

        ask = prepared(every)
        for _ in range(before):
            assert ask("One") == [(one.pk,)]
        if connection.vendor == "postgresql":  # SQLite takes 1 / 0 for nothing
            with pytest.raises(DataError, match="division by zero"):
                together(fail.of(one.pk), ask.of("One"))
        for _ in range(8):
            assert together(ask.of("One"), ask.of("nobody")) == [[(one.pk,)], []]


def test_nothing_is_asked_in_a_transaction_that_is_to_be_undone() -> None:
    def every(label: str) -> QuerySet[Rater, Row]:
        return Rater.objects.filter(label=label).values_list("pk")

    ask = prepared(every)
    assert together(ask.of("One"), ask.of("One")) == [[], []]
    with atomic():
        with suppress(LookupError), atomic(savepoint=False):
            raise LookupError
        with pytest.raises(TransactionManagementError):
            together(ask.of("One"), ask.of("One"))
        set_rollback(False)


def test_a_uuid_stands_for_a_value_as_well() -> None:
    def handled(token: UUID) -> QuerySet[Assignment, Row]:
        return Assignment.objects.filter(token=token).values_list("pk", "token")

    a_rated_experiment(inputs=1, raters=2)
    one, other = Assignment.objects.order_by("pk")
    ask = prepared(handled)
    assert [ask(one.token), ask(other.token), ask(uuid4())] == [[(one.pk, one.token)], [(other.pk, other.token)], []]


def test_what_can_wait_goes_first_with_what_cannot_and_is_told_once() -> None:
    def every(label: str) -> QuerySet[Rater, Row]:
        return Rater.objects.filter(label=label).values_list("pk")

    def refuse(rows: list[Row]) -> None:
        raise LookupError(rows)

    add, ask, told = Adding(Rater), prepared(every), []
    row = {"experiment_id": an_experiment().pk, "token_hash": None}
    errands = Errands()
    errands.later(add.of(label="One", **row), told.append)
    errands.later(add.of(label="Two", **row), told.append)
    assert ask("One") == told == [], "nothing is asked before it must"
    assert errands.ask(ask.of("One"), ask.of("Two")) == [ask("One"), ask("Two")] == told
    assert [len(rows) for rows in told] == [1, 1]
    assert (errands.ask(), len(told), Rater.objects.count()) == ([], 2, 2)
    errands.later(ask.of("nobody"), refuse)
    with pytest.raises(LookupError, match=r"\[\]"):
        errands.ask(ask.of("One"))


def test_postgres_keeps_the_plan_of_what_is_asked_again() -> None:
    ask = prepared(newer)
    for experiment in range(10):
        ask(experiment, NOW)
    if connection.vendor == "sqlite":  # its driver keeps statements by itself, and tells nobody which
        assert not hasattr(connection, "prepared_cursor")
        return
    ours = "FROM pg_prepared_statements WHERE statement LIKE '%created_at%draw_salt%'"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*), sum(generic_plans), sum(custom_plans) {ours}")
        statements, kept, anew = cursor.fetchone()
    assert statements >= 1
    assert (kept >= 5, anew) == (True, 0), "a plan is made once a connection, not with every value"


def test_postgres_reads_by_keys_and_compiles_no_plan() -> None:
    if connection.vendor == "sqlite":  # it has no such settings
        assert not hasattr(connection, "prepared_cursor")
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('random_page_cost'), current_setting('jit')")
        assert cursor.fetchone() == ("1.1", "off")
