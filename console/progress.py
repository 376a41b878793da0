"""How far an experiment is, as facts: counts and failures, never direction."""

from typing import Any

from backends.queries import failures, progress
from experiments.models import Experiment
from ratings.progress import Judged, judged


def of(experiment: Experiment) -> dict[str, Any]:
    """`status`, `completions` (done, failed, pending with the running ones), `failures`, `judgments` (done, wanted)."""
    fetched = progress(experiment)
    return {
        "id": experiment.pk,
        "slug": experiment.slug,
        "status": experiment.status,
        "completions": {
            "done": fetched.done,
            "failed": fetched.failed,
            "pending": fetched.pending + fetched.running,
        },
        "failures": [
            {"system": one.system, "input": one.input, "kind": one.kind, "sentence": one.sentence}
            for one in failures(experiment)
        ],
        "judgments": judgments(experiment),
    }


def judgments(experiment: Experiment) -> dict[str, int]:
    """`done`: current judgments of real pairs, first showings only, without those of raters who are left out; `wanted`:
    pairs times judgments wanted for each."""
    found = judged([experiment.pk]).get(experiment.pk, Judged())
    return {"done": found.done, "wanted": found.wanted}
