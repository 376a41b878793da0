"""The decision report as data: `report.json`, computed from the votes or taken from where it was stored."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.utils import timezone

from experiments.models import Experiment
from reports import series, unblinding
from reports.fingerprint import fingerprint
from reports.models import Result
from reports.sections import (
    agreement,
    blinding,
    contested,
    context,
    counts,
    economics,
    latencies,
    method,
    pairs,
    ranking,
    rater_pairs,
    raters,
    sides,
    slices,
    study,
    systems,
    verdict,
)

SCHEMA = "blindpair.report/1"
Report = dict[str, Any]


def build(experiment: Experiment, *, made_from: str = "") -> Report:
    """Compute the whole report afresh and keep it. Raises StillBlind until the experiment is closed.

    `made_from` is the fingerprint of the experiment, where somebody has just taken it.
    """
    unblinding.require_closed(experiment)
    steps = [series.step(_kept(earlier)) for earlier in series.before(experiment)]
    if steps or not made_from:  # a report that was made for one of the steps moves it
        made_from = fingerprint(experiment)
    report = compute(study.read(experiment))
    report["context"]["series"] = [*steps, series.step(report)] if steps else []
    Result.objects.update_or_create(
        experiment=experiment,
        defaults={"made_from": made_from, "report": json.dumps(report), "made_at": timezone.now()},
    )
    return report


def current(experiment: Experiment) -> Report:
    """The stored report where nothing it was made from has changed, else a new one. Raises StillBlind."""
    unblinding.require_closed(experiment)
    made_from = fingerprint(experiment)
    stored = Result.objects.filter(experiment=experiment, made_from=made_from).first()
    return stored.document if stored else build(experiment, made_from=made_from)


def _kept(experiment: Experiment) -> Report:
    """The stored report of an earlier experiment, whatever was stated since; a new one where there is none."""
    stored = Result.objects.filter(experiment=experiment).first()
    return stored.document if stored else build(experiment)


def compute(read: study.Study) -> Report:
    """report.json as `docs` describe it: every key is there, what cannot be computed is null and says why."""
    with ThreadPoolExecutor(max_workers=1) as beside:
        # Shuffling inputs is a quarter of the work, asks no database, and takes another processor where there is one.
        shuffled = beside.submit(slices.interactions, read)
        return _computed(read, shuffled.result)


def _computed(read: study.Study, interactions: Callable[[], list[Report]]) -> Report:
    standings, note = ranking.ranking(read)
    report: Report = {
        "schema": SCHEMA,
        "experiment": counts.experiment(read),
        "counts": counts.counts(read),
        "left_out": counts.left_out(read),
        "personal_data": counts.personal_data(read),
        "systems": systems.systems(read),
        "latency_differences": latencies.differences(read),
        "pairs": pairs.pairs(read),
        "ranking": standings,
        "ranking_note": note,
        "agreement": {**agreement.agreement(read), "kappa": rater_pairs.kappas(read)},
        "sides": sides.sides(read),
        "raters": raters.raters(read),
        "blinding": blinding.blinding(read),
        "slices": slices.slices(read),
        "interactions": interactions(),
        "contested": contested.contested(read),
        "context": context.context(read),
        "method": method.method(read),
    }
    report["without_flagged_raters"] = raters.without_flagged(read, report["raters"])
    report["verdict"] = verdict.verdict(report)
    report["break_even"] = economics.break_even(read, report)
    return report
