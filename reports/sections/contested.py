"""The inputs on which raters disagree most: worth reading before anything is decided."""

from typing import Any

import numpy as np

from experiments.models import Input
from reports.sections.study import Study
from reports.votes import Versus

Section = dict[str, Any]
MOST = 10
WORDS = 220


def contested(study: Study) -> list[Section]:
    """At most ten, the widest disagreement first; only inputs with two votes or more on a pair."""
    found = [(spread, item, pair) for pair in study.pairs for spread, item in _spreads(study.versus(pair))]
    found.sort(key=lambda one: (-one[0], one[1], one[2]))
    widest = found[:MOST]
    texts = _texts(study, [study.ballots.inputs[item] for _, item, _ in widest])
    return [_entry(study, spread, item, pair, texts) for spread, item, pair in widest]


def _spreads(cast: Versus) -> list[tuple[float, int]]:
    if not len(cast):
        return []
    votes = np.bincount(cast.input)
    mean = np.bincount(cast.input, weights=cast.y) / np.maximum(votes, 1)
    square = np.bincount(cast.input, weights=cast.y**2) / np.maximum(votes, 1)
    spread = np.where(votes >= 2, np.maximum(square - mean**2, 0), 0.0)
    # More votes first where the spread is the same: their disagreement is the surer one.
    order = np.lexsort((-votes, -np.round(spread, 12)))[:MOST]
    return [(float(spread[item]), int(item)) for item in order if spread[item] > 0]


def _entry(study: Study, spread: float, item: int, pair: tuple[int, int], texts: dict[str, str]) -> Section:
    cast = study.versus(pair)
    here = cast.where(cast.input == item)
    name = study.ballots.inputs[item]
    return {
        "input": name,
        "text": texts.get(name, ""),
        "candidate": study.name(pair[0]),
        "baseline": study.name(pair[1]),
        "wins": int(np.sum(here.y == 1)),
        "both_good": int(np.sum(here.both_good)),
        "both_bad": int(np.sum(here.both_bad)),
        "losses": int(np.sum(here.y == 0)),
        "spread": spread,
    }


def _texts(study: Study, names: list[str]) -> dict[str, str]:
    rows = Input.objects.filter(experiment=study.experiment, external_id__in=names)
    return {name: start_of(messages) for name, messages in rows.values_list("external_id", "messages")}


def start_of(messages: list[dict[str, Any]], characters: int = WORDS) -> str:
    """The beginning of the last message, on one line."""
    text = " ".join(str(messages[-1].get("content", "")).split()) if messages else ""
    return text if len(text) <= characters else text[: characters - 1].rstrip() + "…"
