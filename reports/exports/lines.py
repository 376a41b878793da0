"""Exact rows, one JSON object a line: every judgment that was ever made, inputs and outputs."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, BinaryIO

from experiments.models import Experiment
from reports.exports import rows


def to_jsonl(experiment: Experiment, stream: BinaryIO) -> None:
    """Every judgment, replaced ones and those of the other kinds too: `counted` tells which enter the score."""
    write_lines((asdict(row) for row in rows.judgments(experiment, superseded=True)), stream)


def outputs_to_jsonl(experiment: Experiment, stream: BinaryIO) -> None:
    """Every output with its text as raters saw it."""
    write_lines((asdict(row) for row in rows.outputs(experiment)), stream)


def inputs_to_jsonl(experiment: Experiment, stream: BinaryIO) -> None:
    """Every input, as `add_experiment` reads it."""
    write_lines(rows.inputs(experiment), stream)


def write_lines(records: Iterable[Mapping[str, Any]], stream: BinaryIO) -> None:
    """UTF-8, a line feed after each."""
    for record in records:
        stream.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
