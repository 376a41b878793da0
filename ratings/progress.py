"""How far raters are and how they work: counts, pace and habits, never which arm they prefer."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from django.db.models import Case, Count, F, Max, QuerySet, Value, When

from experiments.models import Experiment
from ratings.models import Assignment, AssignmentKind, Comparison, ComparisonKind, Judgment, Rater, Verdict

MIRRORED = {Verdict.LEFT: Verdict.RIGHT, Verdict.RIGHT: Verdict.LEFT}
LOOKED_BACK = 3000
TIES = {Verdict.BOTH_GOOD, Verdict.BOTH_BAD}
# The rater as an expression: to group by the bare column SQLite walks every experiment's assignments.
WHO = F("assignment__rater_id") + 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Judgments of one experiment: how many real pairs have, and how many are wanted."""

    done: int = 0
    wanted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RaterProgress:
    """One rater: where the link stands, and what the judgments look like. `pk` names the rater in owners' forms.

    `done` counts real pairs, first showings only; controls and repeats are counted beside.
    """

    pk: int
    label: str
    link: str
    expires: datetime | None
    last: datetime | None
    done: int = 0
    skipped: int = 0
    median_seconds: float | None = None
    left: int = 0
    decisive: int = 0
    ties: int = 0
    repeats_same: int = 0
    repeats: int = 0
    controls_right: int = 0
    controls: int = 0
    unblinded: int = 0

    @property
    def tie_share(self) -> float | None:
        """Of the real pairs."""
        return self.ties / self.done if self.done else None

    @property
    def left_share(self) -> float | None:
        """Of the pairs with a preference."""
        return self.left / self.decisive if self.decisive else None


def judged(experiments: Sequence[int]) -> dict[int, Judged]:
    """How far rating is, for many experiments in two queries; one without pairs is missing."""
    pairs = (
        Comparison.objects.filter(input__experiment__in=experiments, kind=ComparisonKind.REAL)
        .values_list("input__experiment", "input__experiment__ratings_per_pair")
        .annotate(n=Count("pk"))
        .order_by()
    )
    done = dict(
        Assignment.objects.filter(rater__experiment__in=experiments, kind=AssignmentKind.RATING, counts__isnull=False)
        .values_list("rater__experiment")
        .annotate(n=Count("pk"))
        .order_by()
    )
    return {experiment: Judged(done=done.get(experiment, 0), wanted=n * each) for experiment, each, n in pairs}


def last_judged(experiments: Sequence[int]) -> dict[int, datetime]:
    """When the last judgment of each came; one without judgments is missing."""
    rows = Judgment.objects.filter(assignment__rater__experiment__in=experiments)
    return dict(rows.values_list("assignment__rater__experiment").annotate(last=Max("judged_at")).order_by())


def active_raters(since: datetime) -> int:
    """How many people judged since then, as far as the last few thousand judgments tell."""
    last = Judgment.objects.order_by("-pk").values_list("assignment__rater", "judged_at")[:LOOKED_BACK]
    return len({rater for rater, at in last if at >= since})


def raters(experiment: Experiment, *, now: datetime, after: int = 0, most: int | None = None) -> list[RaterProgress]:
    """Raters in the order they were made, `most` of them without the first ones: six queries, whatever their work."""
    end = None if most is None else after + most
    found = list(Rater.objects.filter(experiment=experiment).order_by("pk")[after:end])
    keys = [rater.pk for rater in found]
    counts, last = _counts(keys)
    medians, repeats, skipped = _medians(keys), _repeats(keys), _skipped(keys)
    return [
        _progress(
            rater,
            now=now,
            counts=counts[rater.pk],
            last=last.get(rater.pk),
            seconds=medians.get(rater.pk),
            repeats=repeats[rater.pk],
            skipped=skipped.get(rater.pk, 0),
        )
        for rater in found
    ]


def _current(raters: Sequence[int]) -> QuerySet[Judgment]:
    return Judgment.objects.current().filter(assignment__rater__in=raters)


Cell = tuple[str, str, bool, bool]


def _counts(raters: Sequence[int]) -> tuple[defaultdict[int, Counter[Cell]], dict[int, datetime]]:
    """By rater: how many judgments of each kind and verdict, with the known answer on the left, and unblinded; and
    when the last one came."""
    rows = (
        _current(raters)
        .annotate(
            known_left=Case(
                When(assignment__comparison__expected=F("assignment__left"), then=Value(True)), default=Value(False)
            )
        )
        .values_list(WHO, "assignment__kind", "verdict", "known_left", "unblinded")
        .annotate(n=Count("pk"), at=Max("judged_at"))
        .order_by()
    )
    found: defaultdict[int, Counter[Cell]] = defaultdict(Counter)
    last: dict[int, datetime] = {}
    for rater, kind, verdict, known_left, unblinded, n, at in rows:
        found[rater][kind, verdict, known_left, unblinded] += n
        last[rater] = max(at, last.get(rater, at))
    return found, last


def _medians(raters: Sequence[int]) -> dict[int, float]:
    rows = _current(raters).filter(assignment__kind=AssignmentKind.RATING, seconds__isnull=False)
    times: defaultdict[int, array[float]] = defaultdict(lambda: array("f"))
    for rater, seconds in rows.values_list("assignment__rater", "seconds").order_by().iterator(chunk_size=5000):
        times[rater].append(seconds or 0.0)
    return {rater: median(values) for rater, values in times.items()}


def _repeats(raters: Sequence[int]) -> defaultdict[int, list[bool]]:
    """By rater, for each pair that was shown again: whether the same answer came."""
    again = _current(raters).filter(assignment__kind=AssignmentKind.REPEAT)
    verdicts = dict(
        Judgment.objects.current().filter(assignment__repeat__rater__in=raters).values_list("assignment", "verdict")
    )
    found: defaultdict[int, list[bool]] = defaultdict(list)
    for rater, before, verdict in again.values_list("assignment__rater", "assignment__repeat_of", "verdict"):
        if before in verdicts:
            found[rater].append(_as_before(verdicts[before], verdict))
    return found


def _skipped(raters: Sequence[int]) -> dict[int, int]:
    rows = Assignment.objects.filter(rater__in=raters, skipped_at__isnull=False)
    return dict(rows.values_list("rater").annotate(n=Count("pk")).order_by())


def _as_before(before: str, again: str) -> bool:
    """A repeat shows the sides swapped: the same answer is the mirrored one, and both kinds of tie are alike."""
    return again in TIES if before in TIES else MIRRORED[Verdict(before)] == again


def _progress(
    rater: Rater,
    *,
    now: datetime,
    counts: Counter[Cell],
    last: datetime | None,
    seconds: float | None,
    repeats: list[bool],
    skipped: int,
) -> RaterProgress:
    verdicts: Counter[str] = Counter()
    controls, right, unblinded = 0, 0, 0
    for (kind, verdict, known_left, seen), n in counts.items():
        unblinded += n * seen
        if kind == AssignmentKind.RATING:
            verdicts[verdict] += n
        elif kind == AssignmentKind.CONTROL:
            controls += n
            right += n * (verdict == (Verdict.LEFT if known_left else Verdict.RIGHT))
    return RaterProgress(
        pk=rater.pk,
        label=rater.label,
        link=_link(rater, now),
        expires=rater.expires_at,
        last=last,
        done=verdicts.total(),
        skipped=skipped,
        median_seconds=seconds,
        left=verdicts[Verdict.LEFT],
        decisive=verdicts[Verdict.LEFT] + verdicts[Verdict.RIGHT],
        ties=sum(verdicts[tie] for tie in TIES),
        repeats_same=sum(repeats),
        repeats=len(repeats),
        controls_right=right,
        controls=controls,
        unblinded=unblinded,
    )


def _link(rater: Rater, now: datetime) -> str:
    """Where the personal link stands: "none" (imported), "revoked", "expired", "used" or "unused"."""
    if rater.revoked_at is not None:
        return "revoked"
    if rater.token_hash is None:
        return "none"
    if not rater.may_rate(now):
        return "expired"
    return "used" if rater.first_used_at else "unused"
