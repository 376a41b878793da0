"""Where a rater stands: what they were given, what they judged of it, how their sides fell, how long they take."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from math import ceil
from statistics import median
from uuid import UUID

from django.db.models import QuerySet

from config.prepared import Row, prepared
from ratings.models import Assignment, AssignmentKind, Guess, Judgment, Rater
from ratings.pairing import Group, orient

CONTROLS: Group = (0, 0)
UNJUDGED = (None, None, None)
IDLE_SECONDS = 300.0
RECENT = 20
ENOUGH = 5
SITTING_ENDS = timedelta(minutes=15)
BREAK_PAIRS = 40
BREAK_MINUTES = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A pair that was given to the rater; `judgment`, `judged_at` and `seconds` are those of the current judgment."""

    pk: int
    token: UUID
    position: int
    kind: str
    comparison: int
    item: int
    left: int
    right: int
    arms: tuple[int, int]
    expected: int | None
    skipped: bool
    lease_until: datetime | None
    shown_at: datetime | None
    judgment: int | None = None
    judged_at: datetime | None = None
    seconds: float | None = None

    @property
    def is_open(self) -> bool:
        """Neither judged nor skipped."""
        return self.judged_at is None and not self.skipped


@dataclass(frozen=True)
class Standing:
    """All turns of one rater, in the order they were given; `keys` are those of all their judgments, `guessed` the
    turns they guessed at. `unblinded` says that the rater judged while able to see the key, which nobody unlearns."""

    turns: Sequence[Turn]
    baseline: int | None
    guessed: frozenset[int]
    keys: frozenset[UUID] = frozenset()
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
        return next((turn for turn in self.turns if turn.token == token), None)

    def before(self, turn: Turn | None) -> Turn | None:
        """The judged turn before this one (None: before the next): what Undo brings back."""
        past = [one for one in self.done if turn is None or one.position < turn.position]
        return past[-1] if past else None

    def count(self, kind: str) -> int:
        """How many of a kind are judged or open."""
        return sum(turn.kind == kind and not turn.skipped for turn in self.turns)

    def number(self, turn: Turn) -> int:
        """The place of a turn among those that are judged or open, from 1."""
        return 1 + sum(one.position < turn.position and not one.skipped for one in self.turns)

    def group(self, turn: Turn) -> Group:
        """The pair of arms, the leading one first; controls are a group of their own."""
        return CONTROLS if turn.kind == AssignmentKind.CONTROL else orient(turn.arms, self.baseline)

    @cached_property
    def leads(self) -> Mapping[Group, int]:
        """By group: how many more first showings had the leading output on card A than on card B."""
        leads: Counter[Group] = Counter()
        for turn in self.turns:
            if turn.skipped or turn.kind == AssignmentKind.REPEAT:
                continue
            group = self.group(turn)
            ahead = turn.left == turn.expected if group == CONTROLS else turn.arms[0] == group[0]
            leads[group] += 1 if ahead else -1
        return leads

    def minutes_for(self, pairs: int) -> int | None:
        """Minutes that so many pairs will take at the pace of the last 20; None before there are 5."""
        recent = [turn.seconds for turn in self.done if turn.seconds is not None][-RECENT:]
        if len(recent) < ENOUGH:
            return None
        return max(1, ceil(median(recent) * pairs / 60))

    def break_after(self) -> int | None:
        """How many pairs this sitting has, each time it comes to 40 more or runs 25 minutes longer; else None."""
        times = sorted(turn.judged_at for turn in self.done if turn.judged_at is not None)
        start = len(times)
        while start > 0 and (start == len(times) or times[start] - times[start - 1] < SITTING_ENDS):
            start -= 1
        sitting = times[start:]
        if len(sitting) < 2:
            return None
        span = timedelta(minutes=BREAK_MINUTES)
        longer = (sitting[-1] - sitting[0]) // span > (sitting[-2] - sitting[0]) // span
        return len(sitting) if longer or len(sitting) % BREAK_PAIRS == 0 else None


def standing_of(rater: Rater, *, baseline: int | None) -> Standing:
    """Read a rater's turns: two queries, and a third one where guesses are asked for."""
    judgments = _judgments(rater.pk)
    judged = {row[0]: row[1:4] for row in judgments}  # the last one of an assignment is the current one
    turns = [
        Turn(
            pk=row[0],
            token=row[1],
            position=row[2],
            kind=row[3],
            comparison=row[4],
            item=row[5],
            left=row[6],
            right=row[7],
            arms=(row[8], row[9]),
            expected=row[10],
            skipped=row[11] is not None,
            lease_until=row[12],
            shown_at=row[13],
            judgment=judged.get(row[0], UNJUDGED)[0],
            judged_at=judged.get(row[0], UNJUDGED)[1],
            seconds=judged.get(row[0], UNJUDGED)[2],
        )
        for row in _assignments(rater.pk)
    ]
    guessed: frozenset[int] = frozenset()
    if rater.experiment.ask_guess:
        guessed = frozenset(Guess.objects.filter(assignment__rater=rater).values_list("assignment_id", flat=True))
    keys = frozenset(row[4] for row in judgments)
    return Standing(turns, baseline, guessed, keys, unblinded=any(row[5] for row in judgments))


@prepared
def _judgments(rater: int) -> QuerySet[Judgment, Row]:
    rows = Judgment.objects.filter(assignment__rater=rater).order_by("pk")
    return rows.values_list("assignment_id", "pk", "judged_at", "seconds", "key", "unblinded")


@prepared
def _assignments(rater: int) -> QuerySet[Assignment, Row]:
    return (
        Assignment.objects.filter(rater=rater)
        .order_by("position")
        .values_list(
            "pk",
            "token",
            "position",
            "kind",
            "comparison_id",
            "comparison__input_id",
            "left_id",
            "right_id",
            "left__arm_id",
            "right__arm_id",
            "comparison__expected_id",
            "skipped_at",
            "lease_until",
            "shown_at",
        )
    )
