"""How far raters are and how they work: counts, pace and habits, never which arm they prefer."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from django.db.models import Count, F, Max, Q, QuerySet

from experiments.models import Experiment
from ratings.models import Assignment, AssignmentKind, Comparison, ComparisonKind, Judgment, Rater, Verdict

MIRRORED = {Verdict.LEFT: Verdict.RIGHT, Verdict.RIGHT: Verdict.LEFT}
LOOKED_BACK = 3000
TIES = {Verdict.BOTH_GOOD, Verdict.BOTH_BAD}
# The rater as an expression: to group by the bare column SQLite walks every experiment's assignments.
WHO = F("rater_id") + 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Judgments of one experiment: how many real pairs have, how many are wanted, and when the last one came; without
    those of raters who are left out."""

    done: int = 0
    wanted: int = 0
    last: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RaterProgress:
    """One rater: where the link stands, and what the judgments look like. `pk` names the rater in owners' forms.

    `done` counts real pairs, first showings only; controls and repeats are counted beside. `left_out` says that none of
    it counts.
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
    left_out: bool = False

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
    noted = (
        Assignment.objects.filter(
            rater__experiment__in=experiments, rater__left_out_at__isnull=True, counts__isnull=False
        )
        .values_list("rater__experiment")
        .annotate(n=Count("pk", filter=Q(kind=AssignmentKind.RATING)), last=Max("judged_at"))
        .order_by()
    )
    done = {experiment: (n, last) for experiment, n, last in noted}
    found = {}
    for experiment, each, n in pairs:
        there, last = done.get(experiment, (0, None))
        found[experiment] = Judged(done=there, wanted=n * each, last=last)
    return found


def active_raters(since: datetime) -> int:
    """How many people judged since then, as far as the last few thousand judgments tell."""
    last = Judgment.objects.order_by("-pk").values_list("assignment__rater", "judged_at")[:LOOKED_BACK]
    return len({rater for rater, at in last if at >= since})


def raters(experiment: Experiment, *, now: datetime, after: int = 0, most: int | None = None) -> list[RaterProgress]:
    """Raters in the order they were made, `most` of them without the first ones: six queries, whatever their work, and
    one more where some are left out."""
    end = None if most is None else after + most
    found = list(Rater.objects.filter(experiment=experiment).order_by("pk")[after:end])
    keys = [rater.pk for rater in found]
    (counts, last), right = _counts(keys), _right(keys)
    medians, repeats, skipped = _medians(keys), _repeats(keys), _skipped(keys)
    knowing = _knowing([rater.pk for rater in found if rater.left_out_at])
    return [
        _progress(
            rater,
            now=now,
            counts=counts[rater.pk],
            right=right.get(rater.pk, 0),
            last=last.get(rater.pk),
            seconds=medians.get(rater.pk),
            repeats=repeats[rater.pk],
            skipped=skipped.get(rater.pk, 0),
            knowing=knowing.get(rater.pk, 0),
        )
        for rater in found
    ]


def _judged(raters: Sequence[int]) -> QuerySet[Assignment]:
    return Assignment.objects.filter(rater__in=raters, counts__isnull=False)


Cell = tuple[str, str, bool]


def _counts(raters: Sequence[int]) -> tuple[defaultdict[int, Counter[Cell]], dict[int, datetime]]:
    """By rater: how many judgments of each kind and verdict, and whether they count; and when the last one came."""
    rows = (
        _judged(raters)
        .values_list(WHO, "kind", "verdict", "counts")
        .annotate(n=Count("pk"), at=Max("judged_at"))
        .order_by()
    )
    found: defaultdict[int, Counter[Cell]] = defaultdict(Counter)
    last: dict[int, datetime] = {}
    for rater, kind, verdict, counted, n, at in rows:
        found[rater][kind, verdict, counted] += n
        last[rater] = max(at, last.get(rater, at))
    return found, last


def _right(raters: Sequence[int]) -> dict[int, int]:
    """By rater: how many controls were answered as they should be."""
    left = Q(verdict=Verdict.LEFT, comparison__expected=F("left"))
    right = Q(verdict=Verdict.RIGHT, comparison__expected=F("right"))
    rows = _judged(raters).filter(left | right, kind=AssignmentKind.CONTROL)
    return dict(rows.values_list(WHO).annotate(n=Count("pk")).order_by())


def _medians(raters: Sequence[int]) -> dict[int, float]:
    rows = _judged(raters).filter(kind=AssignmentKind.RATING, seconds__isnull=False)
    times: defaultdict[int, array[float]] = defaultdict(lambda: array("f"))
    for rater, seconds in rows.values_list("rater", "seconds").order_by().iterator(chunk_size=5000):
        times[rater].append(seconds or 0.0)
    return {rater: median(values) for rater, values in times.items()}


def _repeats(raters: Sequence[int]) -> defaultdict[int, list[bool]]:
    """By rater, for each pair that was shown again: whether the same answer came."""
    again = _judged(raters).filter(kind=AssignmentKind.REPEAT, repeat_of__verdict__isnull=False)
    found: defaultdict[int, list[bool]] = defaultdict(list)
    for rater, before, verdict in again.values_list("rater", "repeat_of__verdict", "verdict"):
        found[rater].append(_as_before(before or "", verdict or ""))
    return found


def _skipped(raters: Sequence[int]) -> dict[int, int]:
    rows = Assignment.objects.filter(rater__in=raters, skipped_at__isnull=False)
    return dict(rows.values_list("rater").annotate(n=Count("pk")).order_by())


def _knowing(raters: Sequence[int]) -> dict[int, int]:
    """By rater who is left out: how many judgments were made by somebody who could see the key."""
    if not raters:
        return {}
    rows = Judgment.objects.current().filter(assignment__rater__in=raters, unblinded=True)
    return dict(rows.values_list("assignment__rater").annotate(n=Count("pk")).order_by())


def _as_before(before: str, again: str) -> bool:
    """A repeat shows the sides swapped: the same answer is the mirrored one, and both kinds of tie are alike."""
    return again in TIES if before in TIES else MIRRORED[Verdict(before)] == again


def _progress(
    rater: Rater,
    *,
    now: datetime,
    counts: Counter[Cell],
    right: int,
    last: datetime | None,
    seconds: float | None,
    repeats: list[bool],
    skipped: int,
    knowing: int,
) -> RaterProgress:
    verdicts: Counter[str] = Counter()
    controls, unblinded = 0, 0
    for (kind, verdict, counted), n in counts.items():
        unblinded += n * (not counted)
        if kind == AssignmentKind.RATING:
            verdicts[verdict] += n
        elif kind == AssignmentKind.CONTROL:
            controls += n
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
        unblinded=knowing if rater.left_out_at else unblinded,
        left_out=rater.left_out_at is not None,
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
