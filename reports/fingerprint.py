"""A hash of everything a report is made from: where it differs, the stored report is out of date."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    ExpressionWrapper,
    F,
    Max,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.expressions import CombinedExpression

from experiments.models import Experiment
from experiments.sealing import PROTOCOL
from ratings.models import Assignment, CriterionVerdict, Guess, Judgment, Rater, Verdict
from reports import measurements, unblinding
from reports.ballot_rows import stretch
from reports.models import Assumptions, Benchmark, Result
from reports.series import before

# Primes, so that sums of keys and verdicts stay within 64 bits for a hundred million rows.
WRAP, SIDES = 1_000_003, 10_007
MOST_WATCHED = 20_000


def fingerprint(experiment: Experiment) -> str:
    """64 hexadecimal digits; one pass over the votes in the database, no rows read.

    Beyond MOST_WATCHED assignments the votes are trusted to be what was noted beside each when it was judged, which is
    everything but whether an answer was good enough: judgments are only ever added, and none after the closing.
    """
    whole = {
        "edition": _edition(),
        "experiment": _about(experiment),
        "ballots": _ballots(experiment),
        "measured": measurements.mark(experiment),
        "identities": unblinding.mark(experiment),
        "assumptions": Assumptions.objects.filter(experiment=experiment).aggregate(at=Max("pk"), n=Count("pk")),
        "series": _series(experiment),
        "benchmarks": Benchmark.objects.filter(arm__experiment=experiment).aggregate(at=Max("pk"), n=Count("pk")),
    }
    return hashlib.sha256(json.dumps(whole, sort_keys=True, default=str).encode()).hexdigest()


def _about(experiment: Experiment) -> list[Any]:
    columns = ("status", "closed_at", "seal", "sealed", "baseline_id", "title", *PROTOCOL)
    return [getattr(experiment, name) for name in columns]


def _series(experiment: Experiment) -> list[Any]:
    """What was found in the experiments that this one follows."""
    earlier = [one.pk for one in before(experiment)]
    return list(Result.objects.filter(experiment__in=earlier).order_by("experiment").values_list("made_from"))


def _ballots(experiment: Experiment) -> dict[str, Any]:
    shown = Assignment.objects.filter(rater__experiment=experiment)
    few = shown.values("pk")[: MOST_WATCHED + 1].count() <= MOST_WATCHED
    shown = shown if few else _in_one_sweep(experiment, shown)
    return {
        "judgments": _judgments(experiment) if few else None,
        "criteria": _criteria(experiment),
        "guesses": _guesses(experiment),
        "assignments": _assignments(shown),
        "left_out": list(
            experiment.raters.filter(left_out_at__isnull=False).order_by("pk").values_list("pk", flat=True)
        ),
    }


def _in_one_sweep(experiment: Experiment, shown: QuerySet[Assignment]) -> QuerySet[Assignment]:
    """The same, where they lie together: one sweep is six times as fast as looking up those of each rater."""
    together = stretch(experiment)
    if together is None:
        return shown
    # The rater as an expression, since by the bare column SQLite looks them up again.
    own = Assignment.objects.filter(pk__range=together).alias(
        of=ExpressionWrapper(F("rater_id") + 0, output_field=BigIntegerField())
    )
    return own.filter(of__in=Rater.objects.filter(experiment=experiment).order_by().values("pk"))


@cache
def _edition() -> str:
    """A hash of this package's own source: another version may say something else of the same votes."""
    package = Path(__file__).parent
    source = hashlib.sha256()
    for module in sorted(package.rglob("*.py")):
        source.update(module.read_bytes())
    return source.hexdigest()


def votes_in(experiment: Experiment) -> int:
    """How many judgments there are, of whatever kind."""
    return Judgment.objects.filter(assignment__rater__experiment=experiment).count()


def _judgments(experiment: Experiment) -> dict[str, Any]:
    answers = Case(When(left_acceptable=True, then=Value(7)), When(left_acceptable=False, then=Value(11)), default=0)
    more = Case(When(right_acceptable=True, then=Value(64)), When(right_acceptable=False, then=Value(128)), default=0)
    unblinded = Case(When(unblinded=True, then=Value(1024)), default=0)
    return Judgment.objects.filter(assignment__rater__experiment=experiment).aggregate(
        n=Count("pk"),
        last=Max("pk"),
        superseded=Count("supersedes_id"),
        mark=Sum(_place("pk") * (_verdict() + answers + more + unblinded), output_field=BigIntegerField()),
        seconds=measurements.exact_sum("seconds"),
    )


def _criteria(experiment: Experiment) -> dict[str, Any]:
    # By the keys of the criteria, which are few and lead straight to the verdicts.
    keys = list(experiment.criteria.order_by("pk").values_list("pk", flat=True))
    return CriterionVerdict.objects.filter(criterion__in=keys).aggregate(
        n=Count("pk"), mark=Sum(_place("pk") * _verdict(), output_field=BigIntegerField())
    )


def _guesses(experiment: Experiment) -> dict[str, Any]:
    """How many of each side, and a sum that moves when two swap theirs; nothing where none were asked for."""
    made = (
        Guess.objects.filter(assignment__rater__experiment=experiment) if experiment.ask_guess else Guess.objects.none()
    )
    mark = Sum(_place("assignment_id"), output_field=BigIntegerField())
    sides = made.order_by("side").values_list("side").annotate(n=Count("pk"), mark=mark)
    return {side: [n, mark] for side, n, mark in sides}


def _assignments(shown: QuerySet[Assignment]) -> dict[str, Any]:
    counted = Case(When(counts=True, then=Value(1024)), default=Value(0))
    return shown.aggregate(
        n=Count("pk"),
        skipped=Count("skipped_at"),
        left=Sum(F("left_id") % SIDES * _place("pk"), output_field=BigIntegerField()),
        judged=Count("counts"),
        last=Max("judged_at"),
        mark=Sum(_place("pk") * (_verdict() + counted), output_field=BigIntegerField()),
    )


def _place(key: str) -> CombinedExpression:
    """What tells a row from others, small enough to be summed."""
    return F(key) % WRAP + 1


def _verdict() -> Case:
    """The verdict as a number, 0 where there is none."""
    named = (When(verdict=name, then=Value(code)) for code, name in enumerate(Verdict.values, start=1))
    return Case(*named, default=Value(0), output_field=BigIntegerField())
