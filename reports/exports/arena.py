"""The votes that count, as ranking tools read them: FastChat and arena-rank battles, evalica's table."""

import csv
import io
import json
from datetime import datetime
from typing import Any, BinaryIO

from experiments.models import Experiment
from reports.exports.cells import written
from reports.exports.rows import JudgmentRow, counted

# arena-rank silently takes a label it does not know for a tie, FastChat for a loss, and the two write "both bad" in
# different ways: only these three mean the same to both. An unknown verdict has to fail here.
BATTLE_LABELS = {"left": "model_a", "right": "model_b", "both_good": "tie", "both_bad": "tie"}
EVALICA_LABELS = {"left": "left", "right": "right", "both_good": "tie", "both_bad": "tie"}
EVALICA_COLUMNS = ("left", "right", "winner", "input", "rater")


def to_battles(experiment: Experiment, stream: BinaryIO) -> None:
    """A JSON array with one object a line: question_id, model_a, model_b, winner, judge, turn, anony, language, tstamp.

    `winner` is model_a, model_b or tie; `verdict`, which neither tool reads, tells both good from both bad; `tstamp` is
    in seconds since 1970.
    """
    stream.write(b"[")
    separator = b"\n"
    for row in counted(experiment):
        stream.write(separator + json.dumps(battle(row), ensure_ascii=False).encode())
        separator = b",\n"
    stream.write(b"\n]\n")


def to_evalica(experiment: Experiment, stream: BinaryIO) -> None:
    """CSV with left, right and winner (left, right, tie), then the input and the rater."""
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    writer = csv.writer(text)
    writer.writerow(EVALICA_COLUMNS)
    for row in counted(experiment):
        cells = (row.left, row.right, EVALICA_LABELS[row.verdict], row.input, row.rater)
        writer.writerow([written(cell) for cell in cells])
    text.flush()
    text.detach()


def battle(row: JudgmentRow) -> dict[str, Any]:
    """One entry of the battles."""
    return {
        "question_id": row.input,
        "model_a": row.left,
        "model_b": row.right,
        "winner": BATTLE_LABELS[row.verdict],
        "verdict": row.verdict,
        "judge": row.rater,
        "turn": 1,
        "anony": True,
        "language": "unknown",
        "tstamp": datetime.fromisoformat(row.judged_at).timestamp(),
    }
