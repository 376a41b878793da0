"""Preference data for fine-tuning, in the conversational formats of TRL: DPO pairs and KTO labels."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from experiments.models import Experiment
from reports.exports import rows
from reports.exports.lines import write_lines
from reports.exports.rows import JudgmentRow

Key = tuple[str, str]


def to_dpo(experiment: Experiment, stream: BinaryIO) -> None:
    """One line for each pair of answers that a majority of the raters who decided prefers one way:
    prompt, chosen and rejected as messages; score_chosen and score_rejected are the votes for each."""
    write_lines(preferences(experiment), stream)


def to_kto(experiment: Experiment, stream: BinaryIO) -> None:
    """One line for each answer with a majority for or against it: prompt, completion, label.

    A vote counts as "good enough to use?" answered it, where that was asked; else a preferred answer and both of a
    good pair count for, a beaten one and both of a bad pair against.
    """
    write_lines(labels(experiment), stream)


def preferences(experiment: Experiment, *, on: Sequence[int] | None = None) -> Iterator[dict[str, Any]]:
    """The lines of the DPO file; with `on` those on these inputs."""
    prompts, texts = _prompts(experiment, on), _texts(experiment, on)
    votes: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows.counted(experiment, on=on):
        if row.verdict in {"left", "right"}:
            first, second = sorted((row.left, row.right))
            votes[row.input, first, second][row.winner == second] += 1
    for (item, first, second), (ahead, behind) in votes.items():
        if ahead != behind:
            chosen, rejected = (first, second) if ahead > behind else (second, first)
            yield {
                "prompt": prompts[item],
                "chosen": _answer(texts[item, chosen]),
                "rejected": _answer(texts[item, rejected]),
                "score_chosen": max(ahead, behind),
                "score_rejected": min(ahead, behind),
                "input": item,
                "chosen_system": chosen,
                "rejected_system": rejected,
            }


def labels(experiment: Experiment, *, on: Sequence[int] | None = None) -> Iterator[dict[str, Any]]:
    """The lines of the KTO file; with `on` those on these inputs."""
    prompts, texts = _prompts(experiment, on), _texts(experiment, on)
    votes: dict[Key, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows.counted(experiment, on=on):
        for system, good in _opinions(row):
            votes[row.input, system][good] += 1
    for (item, system), (against, in_favour) in votes.items():
        if against != in_favour:
            yield {
                "prompt": prompts[item],
                "completion": _answer(texts[item, system]),
                "label": in_favour > against,
                "input": item,
                "system": system,
            }


def _opinions(row: JudgmentRow) -> Iterator[tuple[str, bool]]:
    sides = (("left", row.left, row.left_acceptable), ("right", row.right, row.right_acceptable))
    for side, system, acceptable in sides:
        yield system, acceptable if acceptable is not None else row.verdict in {side, "both_good"}


def _prompts(experiment: Experiment, on: Sequence[int] | None) -> dict[str, Any]:
    return {row["id"]: row["messages"] for row in rows.inputs(experiment, on=on)}


def _texts(experiment: Experiment, on: Sequence[int] | None) -> dict[Key, str]:
    return {(row.input, row.system): row.text for row in rows.outputs(experiment, on=on)}


def _answer(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]
