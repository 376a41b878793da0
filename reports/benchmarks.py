"""Public benchmark scores of the systems: context beside the result, entered by the owner with source and date."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import QuerySet

from accounts.actions import log
from accounts.models import User
from experiments.models import Arm, Experiment
from reports.models import Benchmark

MOST = 200


class TooMany(ValueError):
    """More scores than anybody compares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One benchmark's score, in the benchmark's own unit."""

    name: str
    score: float
    source: str
    dated: date


@transaction.atomic
def add(*, experiment: Experiment, scores: Mapping[str, list[Score]], by: User | None = None) -> int:
    """Keep scores by the code of their arm; one of the same name, source and date is replaced. Raises TooMany."""
    arms = {arm.code: arm for arm in Arm.objects.filter(experiment=experiment, code__in=scores)}
    count = 0
    for code, given in scores.items():
        for one in given:
            same = Benchmark.objects.filter(arm=arms[code], name=one.name, source=one.source, dated=one.dated)
            same.delete()
            Benchmark.objects.create(arm=arms[code], name=one.name, score=one.score, source=one.source, dated=one.dated)
            count += 1
    if Benchmark.objects.filter(arm__experiment=experiment).count() > MOST:
        raise TooMany(f"An experiment keeps at most {MOST} public scores: remove some first.")
    log(by, "added public scores", f"experiment {experiment.slug}", scores=count)
    return count


def keys(experiment: Experiment) -> list[int]:
    """By which `remove` knows them, in the order in which a report lists them."""
    return list(listed(experiment).values_list("pk", flat=True))


def listed(experiment: Experiment) -> QuerySet[Benchmark]:
    """By name, then as they were added."""
    return Benchmark.objects.filter(arm__experiment=experiment).select_related("arm").order_by("name", "pk")


@transaction.atomic
def remove(*, experiment: Experiment, key: int, by: User | None = None) -> None:
    """Take one back; nothing happens where it is gone already."""
    gone, _ = Benchmark.objects.filter(arm__experiment=experiment, pk=key).delete()
    if gone:
        log(by, "removed a public score", f"experiment {experiment.slug}")
