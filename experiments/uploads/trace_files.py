"""What Langfuse exports (traces and observations), and `llm logs --json`."""

from collections.abc import Mapping
from typing import Any

from experiments.uploads.nested import asked_in, known, path, text_in, unpacked

LOGGED = "logged"  # the system of an answer whose model the file does not name


def trace(record: Mapping[str, Any]) -> dict[str, Any]:
    """A trace or an observation as an input, with the answer that was given."""
    answer = text_in(unpacked(record.get("output")))
    return known(
        {
            "id": record.get("id") or record.get("traceId") or record.get("trace_id"),
            "input": asked_in(unpacked(record.get("input"))),
            "tags": unpacked(record.get("tags")) or None,
            "outputs": {_model_of(record): answer} if answer else None,
        }
    )


def trace_answer(record: Mapping[str, Any]) -> dict[str, Any]:
    """A trace or an observation as a recorded answer; Langfuse gives times in seconds."""
    usage = unpacked(record.get("usageDetails") or record.get("usage_details") or record.get("usage"))
    first = record.get("timeToFirstToken") or record.get("time_to_first_token")
    return known(
        {
            "id": record.get("id") or record.get("traceId") or record.get("trace_id"),
            "output": text_in(unpacked(record.get("output"))) or "",
            "system": _model_of(record),
            "latency_ms": _milliseconds(record.get("latency")),
            "ttft_ms": _milliseconds(first),
            "input_tokens": path(usage, "input"),
            "output_tokens": path(usage, "output"),
        }
    )


def _model_of(record: Mapping[str, Any]) -> str:
    names = (record.get(key) for key in ("model", "providedModelName", "provided_model_name", "modelId"))
    return next((name for name in names if isinstance(name, str) and name), LOGGED)


def _milliseconds(seconds: Any) -> Any:
    try:
        return None if seconds in (None, "") else float(seconds) * 1000
    except (TypeError, ValueError):
        return seconds


def logged(record: Mapping[str, Any]) -> dict[str, Any]:
    """A log line as an input, with the answer that was given."""
    model, answer = record.get("model"), record.get("response")
    return known(
        {
            "id": record.get("id"),
            "input": record.get("prompt"),
            "system_prompt": record.get("system") or None,
            "outputs": {str(model or LOGGED): answer} if isinstance(answer, str) else None,
        }
    )


def logged_answer(record: Mapping[str, Any]) -> dict[str, Any]:
    """A log line as a recorded answer."""
    return known(
        {
            "id": record.get("id"),
            "output": record.get("response"),
            "system": record.get("model"),
            "latency_ms": record.get("duration_ms"),
            "input_tokens": record.get("input_tokens"),
            "output_tokens": record.get("output_tokens"),
        }
    )
