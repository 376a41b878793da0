"""How far the judgments wanted of a pair are taken: by a judgment that counts, or by a lease that is still live."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import BooleanField, Count, F, Func, Q, QuerySet, Subquery

from config.prepared import Row, prepared
from ratings.models import Assignment, AssignmentKind, Comparison, Rater

# The pair as an expression, raters as a list: else an analysed SQLite walks every experiment's assignments.
PAIR = F("comparison_id") + 0


class Among(Func):
    """Whether the first is one of the second, a subquery; Postgres is told that these are few and looks them up first.

    It has no statistics of small tables, takes them to have one row and sorts everything for want of a better plan.
    """

    template, arg_joiner = "%(expressions)s", " IN "
    output_field = BooleanField()

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """As an array."""
        return self.as_sql(compiler, connection, template="%(expressions)s)", arg_joiner=" = ANY(ARRAY")


class Taken(NamedTuple):
    """Of one pair: slots taken with its first output on card A and on card B, how many of them are judged, and to how
    many raters it was ever given."""

    first_left: int = 0
    second_left: int = 0
    judged: int = 0
    given: int = 0


NOTHING = Taken()
UNTAKEN: Row = (0, 0, 0, 0, 0)  # as the queries below would tell it


def taken_by(rows: Iterable[Row]) -> dict[int, Taken]:
    """Comparison -> what is taken of it, by the rows of the queries below; pairs that nobody was given are left out.

    Skips, repeats, controls and judgments of people who could see the key take nothing.
    """
    return {pk: Taken(first, both - first, done, given) for pk, first, both, done, given in rows}


@prepared
def taken_in(experiment: int, now: datetime) -> QuerySet[Assignment, Row]:
    return _counted(now, Q(Among(F("rater_id"), Subquery(Rater.objects.filter(experiment=experiment).values("pk")))))


@prepared
def taken_of_unseen(experiment: int, rater: int, now: datetime) -> QuerySet[Assignment, Row]:
    """Only of pairs that this rater was never given: where hundreds judge each, these hold a quarter of all at most."""
    seen = Assignment.objects.filter(rater=rater).values("comparison")
    unseen = Comparison.objects.filter(input__experiment=experiment).exclude(pk__in=seen).values("pk")
    return _counted(now, Q(Among(F("comparison_id"), Subquery(unseen))))


@prepared
def taken_of(comparison: int, now: datetime) -> QuerySet[Assignment, Row]:
    return _counted(now, Q(comparison=comparison))


def _counted(now: datetime, where: Q) -> QuerySet[Assignment, Row]:
    judged = Q(counts=True)
    live = Q(counts__isnull=True, skipped_at__isnull=True, lease_until__gt=now)
    first_left = Q(left__lt=F("right"))  # as a pair is stored
    return (
        Assignment.objects.filter(where, kind=AssignmentKind.RATING)
        .values(pair=PAIR)
        .annotate(
            first=Count("pk", filter=(judged | live) & first_left),
            both=Count("pk", filter=judged | live),
            judged=Count("pk", filter=judged),
            given=Count("pk"),
        )
        .values_list("pair", "first", "both", "judged", "given")
    )
