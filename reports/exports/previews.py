"""A line of each export as its file has it: of a table the columns, of a bundle its files, else a record."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from experiments.models import Experiment
from reports.exports import arena, bundle, rows, tables, training

# Of so many inputs the judgments are read, however many there are.
INPUTS = 3
LONGEST = 140
Record = dict[str, Any]


def previews(experiment: Experiment) -> dict[str, str]:
    """By format: a line, cut where it is long; empty where the first inputs give none. Raises StillBlind."""
    columns = tables.columns(experiment)
    found = {name: ", ".join(columns) for name in ("csv", "xlsx", "parquet")}
    found |= {"evalica": ", ".join(arena.EVALICA_COLUMNS), "bundle": ", ".join(bundle.NAMES)}
    on = list(experiment.inputs.order_by("position").values_list("pk", flat=True)[:INPUTS])
    found |= {name: _line(read(experiment, on)) for name, read in RECORDS.items()}
    return {name: line if len(line) <= LONGEST else line[: LONGEST - 1] + "…" for name, line in found.items()}


def _line(record: Record | None) -> str:
    return json.dumps(record, ensure_ascii=False) if record else ""


def _judgment(experiment: Experiment, on: Sequence[int]) -> Record | None:
    row = next(rows.judgments(experiment, superseded=True, on=on), None)
    return asdict(row) if row else None


def _battle(experiment: Experiment, on: Sequence[int]) -> Record | None:
    row = next(rows.counted(experiment, on=on), None)
    return arena.battle(row) if row else None


RECORDS: dict[str, Callable[[Experiment, Sequence[int]], Record | None]] = {
    "jsonl": _judgment,
    "battles": _battle,
    "dpo": lambda experiment, on: next(training.preferences(experiment, on=on), None),
    "kto": lambda experiment, on: next(training.labels(experiment, on=on), None),
}
