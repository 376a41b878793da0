"""What stands beside the result without being part of it: public scores of the systems."""

from typing import Any

from reports import benchmarks
from reports.sections.study import Study

Section = dict[str, Any]


def context(study: Study) -> Section:
    """Benchmarks by system with source and date; `series` is filled where reports are kept."""
    return {"benchmarks": _benchmarks(study), "series": []}


def _benchmarks(study: Study) -> list[Section]:
    names = {code: study.name(arm) for arm, code in enumerate(study.ballots.arms)}
    rows = benchmarks.listed(study.experiment)
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
