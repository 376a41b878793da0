"""Writing judgments made elsewhere, a million at a time: comparisons, raters and assignments as needed."""

import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, islice
from math import isnan
from typing import Any

import numpy as np
from django.db import connection, models, transaction
from django.db.models import Max, OuterRef, Subquery
from django.utils import timezone

from experiments.models import Criterion, Experiment, Output
from ratings.models import (
    Assignment,
    AssignmentKind,
    Comparison,
    ComparisonKind,
    CriterionVerdict,
    Judgment,
    Rater,
)
from ratings.staging import MIRRORED, VERDICTS, Numbers, Staged

SLICE = 20_000
Flags = np.ndarray[Any, np.dtype[np.bool_]]
ACCEPTABLE = {-1: None, 0: False, 1: True}
MIRROR = np.asarray(MIRRORED)
ASSIGNMENT_COLUMNS = (
    "id",
    "token",
    "comparison",
    "rater",
    "kind",
    "left",
    "right",
    "position",
    "created_at",
    "skip_reason",
)
JUDGMENT_COLUMNS = (
    "id",
    "assignment",
    "verdict",
    "left_acceptable",
    "right_acceptable",
    "comment",
    "seconds",
    "key",
    "supersedes",
    "judged_at",
    "layout",
    "differences_used",
    "unblinded",
    "imported",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import added; `superseded` judgments were replaced by a later row of the same rater on the same pair."""

    judgments: int
    superseded: int
    criteria: int
    raters: int
    comparisons: int
    ties: int


@dataclass(frozen=True, slots=True)
class Chains:
    """How rows follow each other: `groups` one a rater and pair, in the order of their first rows.

    By row: `group`, and `previous` (the row it supersedes, or -1). By group: `last` row, `key`.
    """

    group: Numbers
    previous: Numbers
    last: Numbers
    key: Numbers


@dataclass(frozen=True, slots=True)
class Places:
    """Where each group's judgments go: the assignment, whether its left is the pair's second output, what they follow.

    `follows` is the judgment that stood before this import, 0 for none; `is_new` says that the assignment is still
    to be written.
    """

    assignment: Numbers
    swapped: Numbers
    follows: Numbers
    is_new: Flags


@transaction.atomic
def add_judgments(*, experiment: Experiment, staged: Staged) -> Imported:
    """Write the staged rows; a later row of a rater on a pair supersedes the earlier, also one of an earlier import.

    A verdict is stored from the side of its assignment's left, so that a pair given both ways round counts alike. Who
    judged here while able to see the key did so in the file as well: no import brings such judgments into the score.
    """
    _roomy_cache()
    raters, new_raters = _raters(experiment, list(staged.raters))
    comparisons, new_comparisons = _comparisons(list(staged.pairs))
    chains = follow(staged.keys())
    places = _places(staged, chains, raters, comparisons)
    _write_assignments(staged, chains, places, raters, comparisons)
    judgments = _write_judgments(staged, chains, places, _who_knew(experiment, raters))
    criteria = _write_criteria(experiment, staged, chains, places, judgments)
    superseded = len(staged) - len(chains.key) + int(np.count_nonzero(places.follows))
    return Imported(
        judgments=len(staged),
        superseded=superseded,
        criteria=criteria,
        raters=new_raters,
        comparisons=new_comparisons,
        ties=staged.ties,
    )


def follow(keys: Numbers) -> Chains:
    """Rows with the same key form a chain in their order."""
    order = np.argsort(keys, kind="stable")
    ranked = keys[order]
    same = np.concatenate([[False], ranked[1:] == ranked[:-1]])[: len(keys)]
    previous = np.full(len(keys), -1, np.int64)
    previous[order[same]] = order[np.flatnonzero(same) - 1]
    starts = np.flatnonzero(~same)
    by_first_row = np.argsort(order[starts])
    rank = np.empty(len(starts), np.int64)
    rank[by_first_row] = np.arange(len(starts))
    group = np.empty(len(keys), np.int64)
    group[order] = rank[np.cumsum(~same) - 1] if len(keys) else rank
    ends = np.concatenate([starts[1:], [len(keys)]])[: len(starts)] - 1
    return Chains(group=group, previous=previous, last=order[ends][by_first_row], key=ranked[starts][by_first_row])


def _raters(experiment: Experiment, labels: Sequence[str]) -> tuple[Numbers, int]:
    known = dict(Rater.objects.filter(experiment=experiment).values_list("label", "pk"))
    missing = [label for label in labels if label not in known]
    made = Rater.objects.bulk_create((Rater(experiment=experiment, label=label) for label in missing), batch_size=500)
    _hold([known[label] for label in labels if label in known])
    known |= {rater.label: rater.pk for rater in made}
    return np.asarray([known[label] for label in labels], np.int64), len(missing)


def _hold(raters: Sequence[int]) -> None:
    """Their votes wait until this transaction ends: both could give a rater the same pair, or the same position."""
    for part in _slices(sorted(raters), 500):
        list(Rater.objects.select_for_update(no_key=True).filter(pk__in=part).order_by("pk").values_list("pk"))


def _who_knew(experiment: Experiment, raters: Numbers) -> Flags:
    """Which of these raters have judged here while able to see the key."""
    noted = Assignment.objects.filter(rater__experiment=experiment, rater__left_out_at__isnull=True, counts=False)
    # Of who is left out nothing counts, whatever they saw: only the judgments themselves tell.
    left_out = list(experiment.raters.filter(left_out_at__isnull=False).values_list("pk", flat=True))
    said = Judgment.objects.current().filter(assignment__rater__in=left_out, unblinded=True)
    knew = {
        *noted.values_list("rater_id", flat=True).distinct(),
        *said.values_list("assignment__rater_id", flat=True).distinct(),
    }
    return np.isin(raters, np.fromiter(knew, np.int64, count=len(knew)))


def _comparisons(pairs: Sequence[tuple[int, int]]) -> tuple[Numbers, int]:
    known: dict[tuple[int, int], int] = {}
    inputs: dict[int, int] = {}
    for part in _slices(pairs, 500):
        firsts = [first for first, _ in part]
        inputs |= dict(Output.objects.filter(pk__in=firsts).values_list("pk", "input_id"))
        rows = Comparison.objects.filter(first__in=firsts).values_list("first_id", "second_id", "pk")
        known |= {(first, second): pk for first, second, pk in rows}
    missing = [pair for pair in pairs if pair not in known]
    made = Comparison.objects.bulk_create(
        (
            Comparison(input_id=inputs[first], kind=ComparisonKind.REAL, first_id=first, second_id=second)
            for first, second in missing
        ),
        batch_size=500,
    )
    known |= {(one.first_id, one.second_id): one.pk for one in made}
    return np.asarray([known[pair] for pair in pairs], np.int64), len(missing)


def _places(staged: Staged, chains: Chains, raters: Numbers, comparisons: Numbers) -> Places:
    groups = len(chains.key)
    swapped = np.asarray(staged.swapped, np.int64)[chains.last]
    assignment, follows = np.zeros(groups, np.int64), np.zeros(groups, np.int64)
    there = _already_there(staged, raters, comparisons)
    if len(there):
        at = np.minimum(np.searchsorted(there[:, 0], chains.key), len(there) - 1)
        found = there[at, 0] == chains.key
        rows = there[at[found]]
        assignment[found], follows[found], swapped[found] = rows[:, 1], rows[:, 2], rows[:, 3]
    is_new = assignment == 0
    assignment[is_new] = reserve(Assignment, int(is_new.sum()))
    return Places(assignment=assignment, swapped=swapped, follows=follows, is_new=is_new)


def _already_there(staged: Staged, raters: Numbers, comparisons: Numbers) -> Numbers:
    """Assignments that these raters have: key, assignment, current judgment or 0, left is the second; sorted by key."""
    rater_at = {pk: number for number, pk in enumerate(raters.tolist())}
    pair_at = {pk: number for number, pk in enumerate(comparisons.tolist())}
    current = Judgment.objects.current().filter(assignment=OuterRef("pk")).values("pk")[:1]
    cells: list[Numbers] = []
    for part in _slices(list(rater_at), 500):
        rows = (
            Assignment.objects.filter(rater__in=part, kind=AssignmentKind.RATING)
            .annotate(current=Subquery(current))
            .values_list("rater_id", "comparison_id", "pk", "current", "left_id", "comparison__second_id")
        )
        kept = [
            (rater_at[rater] * len(staged.pairs) + pair_at[pair], pk, judgment or 0, int(left == second))
            for rater, pair, pk, judgment, left, second in rows.iterator(chunk_size=SLICE)
            if pair in pair_at
        ]
        cells.append(np.asarray(kept, np.int64).reshape(-1, 4))
    there = np.concatenate(cells) if cells else np.zeros((0, 4), np.int64)
    return there[np.argsort(there[:, 0], kind="stable")]


def _write_assignments(staged: Staged, chains: Chains, places: Places, raters: Numbers, comparisons: Numbers) -> None:
    ends = np.asarray(list(staged.pairs), np.int64).reshape(-1, 2)
    positions: dict[int, int] = {}
    for part in _slices(raters.tolist(), 500):
        taken = Assignment.objects.filter(rater__in=part).values_list("rater")
        positions |= dict(taken.annotate(Max("position")))
    now, tokens = _time(timezone.now()), _tokens()

    def rows() -> Iterator[tuple[Any, ...]]:
        for part in _slices(np.flatnonzero(places.is_new), SLICE):
            key = chains.key[part]
            rater, pair = raters[key // len(staged.pairs)], key % len(staged.pairs)
            swapped = places.swapped[part]
            left = ends[pair, swapped]
            right = ends[pair, 1 - swapped]
            columns = (places.assignment[part], comparisons[pair], rater, left, right)
            for pk, comparison, who, one, other in zip(*(column.tolist() for column in columns), strict=True):
                positions[who] = positions.get(who, 0) + 1
                yield (
                    pk,
                    next(tokens),
                    comparison,
                    who,
                    AssignmentKind.RATING.value,
                    one,
                    other,
                    positions[who],
                    now,
                    "",
                )

    _insert(Assignment, ASSIGNMENT_COLUMNS, rows())


def _write_judgments(staged: Staged, chains: Chains, places: Places, knew: Flags) -> Numbers:
    """Write the judgments; their keys by row."""
    keys = reserve(Judgment, len(staged))
    verdict, swapped = np.asarray(staged.verdict), np.asarray(staged.swapped, np.int64)
    acceptable = np.asarray(staged.acceptable).reshape(-1, 2)
    now, handles = _time(timezone.now()), _keys()

    def rows() -> Iterator[tuple[Any, ...]]:
        for part in _slices(np.arange(len(staged)), SLICE):
            group, previous = chains.group[part], chains.previous[part]
            turned = swapped[part] != places.swapped[group]
            follows = np.where(previous >= 0, keys[previous], places.follows[group])
            given = np.where(turned, MIRROR[verdict[part]], verdict[part])
            sides = np.where(turned[:, None], acceptable[part, ::-1], acceptable[part])
            unblinded = knew[chains.key[group] // len(staged.pairs)]
            columns = (part, keys[part], places.assignment[group], given, sides[:, 0], sides[:, 1], follows, unblinded)
            for row, pk, assignment, said, left, right, before, knows in zip(
                *(one.tolist() for one in columns), strict=True
            ):
                seconds, judged = staged.seconds[row], staged.judged_at[row]
                yield (
                    pk,
                    assignment,
                    VERDICTS[said],
                    ACCEPTABLE[left],
                    ACCEPTABLE[right],
                    staged.comments.at(staged.comment[row]),
                    None if isnan(seconds) else seconds,
                    next(handles),
                    before or None,
                    now if isnan(judged) else _time(datetime.fromtimestamp(judged, UTC)),
                    "",
                    False,
                    knows,
                    True,
                )

    _insert(Judgment, JUDGMENT_COLUMNS, rows())
    return keys


def _write_criteria(experiment: Experiment, staged: Staged, chains: Chains, places: Places, judgments: Numbers) -> int:
    """Criterion verdicts stand beside the rater's current judgment of the pair; the last row of a criterion counts."""
    given = staged.criterion_rows()
    if not len(given):
        return 0
    ids = np.asarray([_criterion(experiment, name) for name in staged.known.criteria], np.int64)
    by_key = np.argsort(chains.key)
    at = by_key[np.searchsorted(chains.key[by_key], given[:, 1] * len(staged.pairs) + given[:, 2])]
    last = {
        (group, criterion): row
        for row, (group, criterion) in enumerate(zip(at.tolist(), given[:, 4].tolist(), strict=True))
    }

    def rows() -> Iterator[tuple[Any, ...]]:
        for (group, criterion), row in last.items():
            said = int(given[row, 5])
            if given[row, 3] != places.swapped[group]:
                said = MIRRORED[said]
            yield int(judgments[chains.last[group]]), int(ids[criterion]), VERDICTS[said]

    _insert(CriterionVerdict, ("judgment", "criterion", "verdict"), rows())
    return len(last)


def _criterion(experiment: Experiment, name: str) -> int:
    return Criterion.objects.values_list("pk", flat=True).get(experiment=experiment, name=name)


def reserve(model: type[models.Model], wanted: int) -> Numbers:
    """Primary keys that nobody else gets; inside a transaction."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            found = cursor.fetchone()
            start = (found[0] if found else 0) + 1
            return np.arange(start, start + wanted, dtype=np.int64)
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, wanted])
        return np.fromiter((row[0] for row in cursor), np.int64)


def _insert(model: type[models.Model], names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Rows as they come: making a model instance of each would take four times as long."""
    quote = connection.ops.quote_name
    fields = {field.name: field.column for field in model._meta.concrete_fields}
    columns = ", ".join(quote(str(fields[name])) for name in names)
    holes = ", ".join(["%s"] * len(names))
    sql = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({holes})"  # noqa: S608  # names of our own model
    waiting = iter(rows)
    with connection.cursor() as cursor:
        # Slice by slice: Django's SQLite cursor keeps what it is handed until the end of the call.
        while part := list(islice(waiting, SLICE)):
            cursor.executemany(sql, part)


def _tokens() -> Iterator[Any]:
    """Random handles, as many as wanted."""
    native = connection.features.has_native_uuid_field
    while True:
        token = os.urandom(16).hex()
        yield uuid.UUID(token) if native else token


def _keys() -> Iterator[Any]:
    """Keys in rising order behind a random start: nobody sees them, and their index grows at one end only."""
    native, start = connection.features.has_native_uuid_field, os.urandom(8).hex()
    for number in count():
        key = f"{start}{number:016x}"
        yield uuid.UUID(key) if native else key


def _time(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value)


def _roomy_cache() -> None:
    """Random keys go all over SQLite's indexes: two megabytes of cache would be written out again and again."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA cache_size = -65536")


def _slices(values: Any, size: int) -> Iterator[Any]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
