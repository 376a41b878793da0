"""Where a rater stands: what they were given, what they judged of it, how their sides fell, how long they take."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from math import ceil
from statistics import median
from typing import NamedTuple
from uuid import UUID

from django.db.models import BooleanField, Case, DateTimeField, ExpressionWrapper, F, Q, QuerySet, When

from config.prepared import Row, prepared
from ratings.catalogue import Offer, catalogue_of
from ratings.models import Assignment, AssignmentKind, Guess, Rater
from ratings.pairing import Group

IDLE_SECONDS = 300.0
RECENT = 20
ENOUGH = 5
SITTING_ENDS = timedelta(minutes=15)
BREAK_PAIRS = 40
BREAK_MINUTES = 25


class Turn(NamedTuple):
    """A pair that was given to the rater; `judged_at` and `seconds` are those of the current judgment.

    `lease_until` and `shown_at` are told of a pair that is not judged yet.
    """

    pk: int
    token: UUID
    position: int
    kind: str
    offer: Offer
    left: int
    right: int
    skipped: bool
    lease_until: datetime | None
    shown_at: datetime | None
    judged_at: datetime | None = None
    seconds: float | None = None

    @property
    def comparison(self) -> int:
        """Of this pair."""
        return self.offer.comparison

    @property
    def item(self) -> int:
        """Of this pair."""
        return self.offer.item

    @property
    def is_open(self) -> bool:
        """Neither judged nor skipped."""
        return self.judged_at is None and not self.skipped


class Tally(NamedTuple):
    """A rater's turns, counted: the pairs that were shown, and shown again; by kind, how many turns are judged or open;
    by group, how many more of these first showings had the leading output on card A than on card B."""

    seen: Set[int]
    repeated: Set[int]
    kinds: Mapping[str, int]
    leads: Mapping[Group, int]


@dataclass(frozen=True)
class Standing:
    """All turns of one rater, in the order they were given; `guessed` are those that they guessed at. `unblinded` says
    that the rater judged while able to see the key, which nobody unlearns."""

    turns: Sequence[Turn]
    baseline: int | None
    guessed: frozenset[int]
    unblinded: bool = False

    def with_turn(self, changed: Turn) -> "Standing":
        """The same with one turn changed."""
        return replace(self, turns=[changed if turn.pk == changed.pk else turn for turn in self.turns])

    def without(self, gone: Turn) -> "Standing":
        """The same without one turn."""
        return replace(self, turns=[turn for turn in self.turns if turn.pk != gone.pk])

    @cached_property
    def done(self) -> list[Turn]:
        """The judged ones."""
        return [turn for turn in self.turns if turn.judged_at is not None]

    @cached_property
    def open(self) -> Turn | None:
        """The one that waits for an answer."""
        return next((turn for turn in reversed(self.turns) if turn.is_open), None)

    def by_token(self, token: UUID | None) -> Turn | None:
        """The turn with this handle."""
        if token is None:
            return None
        return next((turn for turn in reversed(self.turns) if turn.token == token), None)

    def before(self, turn: Turn | None) -> Turn | None:
        """The judged turn before this one (None: before the next): what Undo brings back."""
        return next((one for one in reversed(self.done) if turn is None or one.position < turn.position), None)

    def count(self, kind: str) -> int:
        """How many of a kind are judged or open."""
        return self.tally.kinds.get(kind, 0)

    def number(self, turn: Turn) -> int:
        """The place of a turn among those that are judged or open, from 1."""
        return 1 + sum(one.position < turn.position and not one.skipped for one in self.turns)

    @cached_property
    def tally(self) -> Tally:
        """All of it in one go, for it is counted with every pair."""
        seen: set[int] = set()
        repeated: set[int] = set()
        kinds: defaultdict[str, int] = defaultdict(int)
        leads: defaultdict[Group, int] = defaultdict(int)
        repeat = AssignmentKind.REPEAT
        for turn in self.turns:
            offer, kind = turn.offer, turn.kind
            (repeated if kind == repeat else seen).add(offer.comparison)
            if not turn.skipped:
                kinds[kind] += 1
                if kind != repeat:
                    leads[offer.group] += 1 if turn.left == offer.leading else -1
        return Tally(seen, repeated, kinds, leads)

    @property
    def leads(self) -> Mapping[Group, int]:
        """How the sides of the rater's first showings fell."""
        return self.tally.leads

    def minutes_for(self, pairs: int) -> int | None:
        """Minutes that so many pairs will take at the pace of the last 20; None before there are 5."""
        recent = [turn.seconds for turn in self.done if turn.seconds is not None][-RECENT:]
        if len(recent) < ENOUGH:
            return None
        return max(1, ceil(median(recent) * pairs / 60))

    def break_after(self) -> int | None:
        """How many pairs this sitting has, each time it comes to 40 more or runs 25 minutes longer; else None."""
        times = sorted([turn.judged_at for turn in self.done if turn.judged_at is not None])
        start = len(times) - 1
        while start > 0 and times[start] - times[start - 1] < SITTING_ENDS:
            start -= 1
        sitting = times[start:]
        if len(sitting) < 2:
            return None
        span = timedelta(minutes=BREAK_MINUTES)
        longer = (sitting[-1] - sitting[0]) // span > (sitting[-2] - sitting[0]) // span
        return len(sitting) if longer or len(sitting) % BREAK_PAIRS == 0 else None


def standing_of(rater: Rater, rows: Sequence[Row], *, baseline: int | None) -> Standing:
    """Where the rater stands by their turns (`turns_of`); one query more where guesses are asked for."""
    known = catalogue_of(rater.experiment, {row[4] for row in rows}).known
    turns = [
        Turn._make((pk, token, position, kind, known[pair], left, right, skipped, until, shown, judged, seconds))
        for pk, token, position, kind, pair, left, right, skipped, until, shown, judged, seconds, _ in rows
    ]
    unblinded = any(row[-1] is False for row in rows)
    guessed: frozenset[int] = frozenset()
    if rater.experiment.ask_guess:
        guessed = frozenset(Guess.objects.filter(assignment__rater=rater).values_list("assignment_id", flat=True))
    return Standing(turns, baseline, guessed, unblinded=unblinded)


@prepared
def turns_of(rater: int) -> QuerySet[Assignment, Row]:
    """As `Turn` has its fields, the comparison in place of the offer; and whether the judgment counts."""
    return (
        Assignment.objects.filter(rater=rater)
        .order_by("position")
        .values_list(
            "pk",
            "token",
            "position",
            "kind",
            "comparison_id",
            "left_id",
            "right_id",
            whether(Q(skipped_at__isnull=False)),
            _until_judged("lease_until"),
            _until_judged("shown_at"),
            "judged_at",
            "seconds",
            "counts",
        )
    )


def whether(condition: Q) -> "ExpressionWrapper[Q]":
    """A column that says whether this holds."""
    return ExpressionWrapper(condition, output_field=BooleanField())


def _until_judged(moment: str) -> Case:
    return Case(When(counts__isnull=True, then=F(moment)), output_field=DateTimeField())
