"""What the report's pages show: the report's data, and its pictures as geometry."""

from collections.abc import Mapping
from typing import Any

from reports.charts.economics import cost_against_volume, tornado
from reports.charts.forest import forest
from reports.charts.latency import latency
from reports.charts.votes import bars

Report = Mapping[str, Any]


def page(report: Report) -> dict[str, Any]:
    """The context of the report's templates; nothing in it asks the database."""
    systems = {system["name"]: system for system in report["systems"]}
    return {
        "report": report,
        "main": _main_pair(report),
        "panels": _panels(report),
        "forest": forest(report),
        "bars": bars(report),
        "latency": latency(report),
        "volume": cost_against_volume(report),
        "tornado": tornado(report),
        "systems": systems,
        "answer": ANSWERS[report["verdict"]["answer"]],
    }


ANSWERS = {"switch": "Switch", "stay": "Stay", "undecided": "Not decided"}


def _main_pair(report: Report) -> Mapping[str, Any] | None:
    """The pair that the verdict speaks of, else the first."""
    candidate = report["verdict"].get("candidate")
    named = [pair for pair in report["pairs"] if pair["candidate"] == candidate]
    return next(iter(named or report["pairs"]), None)


def _panels(report: Report) -> list[dict[str, Any]]:
    """The three numbers, each for every system, the baseline last: name, value, limits and a note."""
    return [
        {
            "title": "Quality",
            "what": "score against the system in use: 50 % is no difference",
            "style": "percent",
            "figures": [_score(report, system) for system in report["systems"]],
        },
        {
            "title": "Latency",
            "what": "95 % of answers are complete within",
            "style": "duration",
            "figures": [_figure(system, system["latency"]["e2e_p95"]) for system in report["systems"]],
        },
        {
            "title": "Cost",
            "what": "per 1,000 requests",
            "style": "money",
            "figures": [_figure(system, system["cost"]["per_1000_requests"]) for system in report["systems"]],
        },
    ]


def _figure(system: Mapping[str, Any], interval: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": system["name"], "baseline": system["baseline"], "interval": interval, "note": ""}


def _score(report: Report, system: Mapping[str, Any]) -> dict[str, Any]:
    baseline = next((one["name"] for one in report["systems"] if one["baseline"]), None)
    pair = next((p for p in report["pairs"] if p["candidate"] == system["name"] and p["baseline"] == baseline), None)
    figure = _figure(system, {"value": None, "low": None, "high": None, "method": None, "why": None})
    if system["baseline"]:
        return figure | {"note": "what the others are compared with"}
    if pair is None:
        return figure | {"note": "not compared with the system in use"}
    held = pair["noninferiority"]
    return figure | {
        "interval": pair["score"][held["scope"]],
        "note": held["settled"] or held["why"],
    }
