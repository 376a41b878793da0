"""Experiments that follow one another, each the next version against the one in use, and what each of them found."""

from collections.abc import Mapping
from typing import Any

from experiments.models import Experiment

LONGEST = 20
Step = dict[str, Any]


def before(experiment: Experiment) -> list[Experiment]:
    """The closed experiments that this one follows, the oldest first; at most LONGEST."""
    chain: list[Experiment] = []
    seen, earlier = {experiment.pk}, experiment.follows
    while earlier is not None and earlier.pk not in seen and len(chain) < LONGEST:
        seen.add(earlier.pk)
        chain.append(earlier)
        earlier = earlier.follows
    return [one for one in chain[::-1] if not one.is_blind]


def step(report: Mapping[str, Any]) -> Step:
    """One report as a line of the series: its candidate's three numbers and the answer."""
    about, verdict = report["experiment"], report["verdict"]
    systems = {system["name"]: system for system in report["systems"]}
    candidate = systems.get(verdict["candidate"])
    return {
        **{name: about[name] for name in ("id", "slug", "title", "closed_at")},
        "candidate": verdict["candidate"],
        "baseline": verdict["baseline"],
        "score": _score(report, verdict),
        "p95": candidate["latency"]["e2e_p95"] if candidate else None,
        "cost": candidate["cost"]["per_1000_requests"] if candidate else None,
        "answer": verdict["answer"],
        "sentence": verdict["sentence"],
    }


def _score(report: Mapping[str, Any], verdict: Mapping[str, Any]) -> Mapping[str, Any] | None:
    names = (verdict["candidate"], verdict["baseline"])
    pair = next((one for one in report["pairs"] if (one["candidate"], one["baseline"]) == names), None)
    found: Mapping[str, Any] | None = pair["score"][pair["noninferiority"]["scope"]] if pair else None
    return found
