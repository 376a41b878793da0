"""What the report's pages show: the report's data, and its pictures as geometry."""

from collections.abc import Mapping
from typing import Any

from reports.charts.economics import cost_against_volume, tornado
from reports.charts.forest import forest
from reports.charts.latency import latency
from reports.charts.load import load_curves
from reports.charts.sequence import sequences
from reports.charts.votes import bars
from reports.margin_table import margin_table
from reports.rounding import duration, limits

Report = Mapping[str, Any]


def page(report: Report) -> dict[str, Any]:
    """The context of the report's templates; nothing in it asks the database."""
    return {
        "report": report,
        "panels": _panels(report),
        "forest": forest(report),
        "bars": bars(report),
        "held": margin_table(report),
        "sequences": sequences(report),
        "public": _public(report),
        "benchmarks": [(one, None) for one in report["context"]["benchmarks"]],
        "latency": latency(report),
        "load_curves": load_curves(report),
        "gpu_lines": [_gpu_line(system) for system in report["systems"] if system["cost"]["lines"]],
        "third_way": _third_way(report),
        "volume": cost_against_volume(report),
        "tornado": tornado(report),
        "answer": ANSWERS[report["verdict"]["answer"]],
    }


ANSWERS = {"switch": "Switch", "stay": "Stay", "undecided": "Not decided"}


def _public(report: Report) -> list[dict[str, Any]]:
    """Public scores, one entry a benchmark and source, with the score of each system or None."""
    found: dict[tuple[str, str, str], dict[str, float]] = {}
    for one in report["context"]["benchmarks"]:
        found.setdefault((one["name"], one["source"], one["dated"]), {})[one["system"]] = one["score"]
    names = [system["name"] for system in report["systems"]]
    return [
        {
            "name": name,
            "source": source,
            "dated": dated,
            "scores": [(each, scores[each]) for each in names if each in scores],
        }
        for (name, source, dated), scores in found.items()
    ]


def _panels(report: Report) -> list[dict[str, Any]]:
    """The three numbers, each for every system, the baseline last: name, value, limits and a note."""
    return [
        _quality(report),
        {
            "title": "Latency",
            "what": "95 % of answers are complete within",
            "style": "duration",
            "figures": [_p95(system) for system in report["systems"]],
        },
        {
            "title": "Cost",
            "what": "per 1,000 requests",
            "style": "money",
            "figures": [_cost(system) for system in report["systems"]],
        },
    ]


def _quality(report: Report) -> dict[str, Any]:
    """The score against the system in use; where none is, the strength in the ranking of all."""
    if any(system["baseline"] for system in report["systems"]):
        what, style = "score against the system in use: 50 % is no difference", "percent"
        figures = [_score(report, system) for system in report["systems"]]
    else:
        what, style = "Elo points in the ranking of all: 0 is the mean", "rating"
        ranked = {one["name"]: {**one, "value": one["elo"], "method": None} for one in report["ranking"]}
        unranked = {"value": None, "low": None, "high": None, "method": None, "why": "not judged"}
        figures = [_figure(system, ranked.get(system["name"], unranked)) for system in report["systems"]]
    return {"title": "Quality", "what": what, "style": style, "figures": figures}


def _figure(system: Mapping[str, Any], interval: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": system["name"], "baseline": system["baseline"], "interval": interval, "note": ""}


def _p95(system: Mapping[str, Any]) -> dict[str, Any]:
    """That of the first pass where there were several, with the figure over all of them beside it."""
    times = system["latency"]
    figure = _figure(system, times["p95"])
    if times["p95"]["of"] == "all answers":
        return figure
    whole = times["e2e_p95"]
    note = f"in the first pass; over all {times['samples']} passes {duration(whole['value'])}, "
    return figure | {"note": note + limits(whole, "duration")}


def _cost(system: Mapping[str, Any]) -> dict[str, Any]:
    cost = system["cost"]
    figure = _figure(system, cost["per_1000_requests"])
    guessed = cost["basis"] == "tokens" and cost["estimated"]["answers"]
    return figure | {"note": "about: its tokens are estimated from characters"} if guessed else figure


def _gpu_line(system: Mapping[str, Any]) -> dict[str, Any]:
    lines = system["cost"]["lines"]
    return {"name": system["name"], "upper_bound": system["latency"]["throughput"]["lower_bound"], **lines}


def _third_way(report: Report) -> dict[str, Any] | None:
    """The candidate's model at a host that is paid by tokens; None where its prices are not stated."""
    found = report["break_even"]["hosted"]
    if not found:
        return None
    system = next(one for one in report["systems"] if one["name"] == found["candidate"])
    return {
        "name": found["candidate"],
        "p_in": found["input_per_million"],
        "p_out": found["output_per_million"],
        "price": system["cost"]["hosted"]["per_1000_requests"]["value"] if system["cost"]["hosted"] else None,
        "tokens_per_day": found["tokens_per_day"],
    }


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
