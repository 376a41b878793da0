"""Looking into nested values that others wrote: paths that may break off, texts and messages in any wrapping."""

from collections.abc import Mapping
from typing import Any

from experiments.uploads.json_values import Unreadable, parse
from experiments.uploads.limits import INPUTS
from experiments.uploads.values import content_of


def path(value: Any, *keys: str | int) -> Any:
    """What lies at the end of a path, or None where it breaks off."""
    for key in keys:
        if isinstance(value, Mapping) and isinstance(key, str):
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return None
    return value


def listed(value: Any) -> list[Any]:
    """The value if it is a list, else nothing."""
    return value if isinstance(value, list) else []


def known(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are there."""
    return {key: value for key, value in values.items() if value is not None}


def plain_message(value: Any) -> Any:
    """A message with its role and its text; anything else as it is."""
    if not isinstance(value, Mapping) or "content" not in value:
        return value
    content = value["content"]
    return {"role": value.get("role"), "content": content_of(content) if isinstance(content, list) else content}


def unpacked(value: Any) -> Any:
    """A cell of a CSV export holds JSON as text."""
    if isinstance(value, str) and value.strip()[:1] in {"[", "{", '"'}:
        try:
            return parse(value, INPUTS)
        except Unreadable:
            return value
    return value


def asked_in(value: Any) -> Any:
    """Messages or a text, wherever a tracing library put them."""
    if isinstance(value, Mapping):
        keys = ("messages", "input", "prompt", "question", "query", "text", "content", "user_input")
        inner = next((value[key] for key in keys if value.get(key)), None)
        # The decorator of the Python library records a call: {"args": […], "kwargs": {…}}.
        return asked_in(inner or value.get("kwargs") or path(value, "args", 0)) if inner != value else None
    if isinstance(value, list) and value and all(isinstance(one, Mapping) and "role" in one for one in value):
        return [plain_message(one) for one in value]
    return value


def text_in(value: Any) -> str | None:
    """The text of an answer, wherever a tracing library put it; of messages, the last one's."""
    if isinstance(value, Mapping):
        keys = ("content", "output", "text", "answer", "response", "completion", "message")
        return text_in(next((value[key] for key in keys if value.get(key)), None))
    if isinstance(value, list):
        is_chat = bool(value) and isinstance(value[-1], Mapping) and "role" in value[-1]
        value = text_in(value[-1]) if is_chat else content_of(value)
    return value if isinstance(value, str) else None
