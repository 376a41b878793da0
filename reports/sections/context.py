"""What stands beside the result without being part of it: public scores of the systems, and earlier experiments."""

from typing import Any

from experiments.models import Experiment
from reports.models import Benchmark, Result
from reports.sections.study import Study

Section = dict[str, Any]
LONGEST_SERIES = 20


def context(study: Study) -> Section:
    """Benchmarks by system with source and date; the series of experiments that this one follows, oldest first."""
    return {"benchmarks": _benchmarks(study), "series": _series(study.experiment)}


def _benchmarks(study: Study) -> list[Section]:
    names = {code: study.name(arm) for arm, code in enumerate(study.ballots.arms)}
    rows = Benchmark.objects.filter(arm__experiment=study.experiment).select_related("arm").order_by("name", "pk")
    return [
        {
            "system": names[row.arm.code],
            "name": row.name,
            "score": row.score,
            "source": row.source,
            "dated": row.dated.isoformat(),
        }
        for row in rows
    ]


def _series(experiment: Experiment) -> list[Section]:
    chain: list[Section] = []
    earlier = experiment.follows
    while earlier is not None and len(chain) < LONGEST_SERIES:
        stored = Result.objects.filter(experiment=earlier).first() if not earlier.is_blind else None
        answer = stored.document["verdict"] if stored else {}
        chain.append(
            {
                "id": earlier.pk,
                "slug": earlier.slug,
                "title": earlier.title,
                "closed_at": earlier.closed_at.isoformat() if earlier.closed_at else None,
                "answer": answer.get("answer"),
                "sentence": answer.get("sentence"),
            }
        )
        earlier = earlier.follows
    return chain[::-1]
