"""Which column holds what: found by its usual names, whatever their case, or said by the person."""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.uploads.problems import UploadError
from experiments.uploads.values import near

Aliases = Mapping[str, tuple[str, ...]]

INPUTS: Aliases = {
    "id": ("id", "input_id", "external_id", "custom_id", "question_id", "prompt_id", "item_id", "row_id", "uuid"),
    "input": (
        *("messages", "input", "prompt", "question", "text", "query", "user_input", "user_prompt", "user_message"),
        *("instruction", "request", "conversation", "conversations"),
    ),
    "system_prompt": ("system_prompt", "system_message"),
    "reference": (
        *("reference", "reference_answer", "expected", "expected_output", "expected_answer", "ideal", "gold"),
        *("ground_truth", "golden_answer", "completion"),
    ),
    "tags": ("tags", "tag", "labels"),
    "outputs": ("outputs",),
}
# Each of these becomes a tag of its own name, where no column is called tags.
TAG_COLUMNS = ("segment", "topic", "category", "domain", "language", "intent", "difficulty")
OUTPUT_PREFIXES = ("output:", "outputs.", "output.", "outputs:")

OUTPUTS: Aliases = {
    "id": INPUTS["id"],
    "output": ("output", "response", "answer", "completion", "generation", "text"),
    "latency_ms": ("latency_ms", "latencyms", "duration_ms", "e2e_ms"),
    "ttft_ms": ("ttft_ms", "time_to_first_token_ms"),
    "input_tokens": ("input_tokens", "prompt_tokens"),
    "output_tokens": ("output_tokens", "completion_tokens"),
    "system": ("system", "model", "provider"),
}
JUDGMENTS: Aliases = {
    "input": ("input", "input_id"),
    "rater": ("rater", "rater_id"),
    "left": ("left", "model_left", "system_left", "left_system"),
    "right": ("right", "model_right", "system_right", "right_system"),
    "verdict": ("verdict", "choice"),
    "criterion": ("criterion",),
    "left_acceptable": ("left_acceptable",),
    "right_acceptable": ("right_acceptable",),
    "seconds": ("seconds",),
    "comment": ("comment",),
    "judged_at": ("judged_at",),
}

_USUAL = {alias for aliases in (INPUTS, OUTPUTS, JUDGMENTS) for names in aliases.values() for alias in names}


def found(keys: Sequence[str], aliases: Aliases, said: Mapping[str, str], name: str) -> dict[str, str]:
    """field → column. `said` overrules the usual names; UploadError where it names a column that is not there."""
    by_fold: dict[str, str] = {}
    for key in keys:
        by_fold.setdefault(key.strip().casefold(), key)
    chosen: dict[str, str] = {}
    for field, column in said.items():
        if field not in aliases:
            raise UploadError(f"{field!r} is no field. Known: {', '.join(aliases)}.", file=name)
        if column.strip().casefold() not in by_fold:
            raise missing(column, keys, name)
        chosen[field] = by_fold[column.strip().casefold()]
    for field, usual in aliases.items():
        if field not in chosen:
            hit = next((by_fold[alias] for alias in usual if alias in by_fold), None)
            if hit is not None and hit not in chosen.values():
                chosen[field] = hit
    return chosen


def missing(column: str, keys: Sequence[str], name: str, usual: Sequence[str] = ()) -> UploadError:
    """The error for a column that is not there; `usual` are the names it may have."""
    others = f" It may also be called {', '.join(usual)}." if usual else ""
    shown = ", ".join(key[:40] for key in keys[:12]) + (", …" if len(keys) > 12 else "")
    if usual and not any(key.strip().casefold() in _USUAL for key in keys):
        others += " Has the file a header line?"
    guess = near(column, keys) or next((hint for one in usual if (hint := near(one, keys))), "")
    return UploadError(f"Column {column!r} not found. Found: {shown}.{guess}{others}", file=name)


def value(record: Mapping[str, Any], columns: Mapping[str, str], field: str) -> Any:
    """What the record has for a field; None where the column is not there."""
    column = columns.get(field)
    return None if column is None else record.get(column)
