"""Which tool wrote a file, seen from its records, and those records as inputs or as recorded answers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from experiments.uploads import chat_files, promptfoo, trace_files
from experiments.uploads.nested import path
from experiments.uploads.problems import BadRow, UploadError
from experiments.uploads.records import Record
from experiments.uploads.values import BadValue

Item = Record | BadRow
Items = Callable[[Iterator[Item]], Iterator[Item]]
# Where a file is one object, its records may lie under one of these keys.
_WRAPPERS = ("results", "data", "inputs", "rows", "items", "traces", "examples", "observations")
_TRACE_KEYS = {
    *("traceId", "trace_id", "sessionId", "session_id", "userId", "user_id", "environment", "htmlPath", "latency"),
    *("metadata", "observations", "projectId", "project_id", "bookmarked", "release", "totalCost", "total_cost"),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """How one tool writes records: what they look like, and how to read them as inputs and as recorded answers."""

    name: str
    fits: Callable[[Mapping[str, Any]], bool]
    as_inputs: Items
    as_answers: Items | None = None


def shaped(items: Iterator[Item]) -> tuple[str, Iterator[Item]]:
    """The name of the tool that wrote the records (empty for none), and the records as inputs."""
    shape, items = _recognised(_opened_up(items))
    return ("", items) if shape is None else (shape.name, shape.as_inputs(items))


def shaped_outputs(items: Iterator[Item]) -> tuple[str, Iterator[Item]]:
    """The name of the tool that wrote the records (empty for none), and the records as recorded answers."""
    shape, items = _recognised(_opened_up(items))
    if shape is None:
        return "", items
    if shape.as_answers is None:
        raise UploadError(f"This is a file of {shape.name}: it holds inputs, no answers.")
    return shape.name, shape.as_answers(items)


def _recognised(items: Iterator[Item]) -> tuple[Shape | None, Iterator[Item]]:
    ahead: list[Item] = []
    for item in items:
        ahead.append(item)
        if not isinstance(item, BadRow):
            found = next((shape for shape in SHAPES if shape.fits(item[1])), None)
            return found, chain(ahead, items)
    return None, iter(ahead)


def where_records_lie(record: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The keys that lead to the list of records in an object; None where it is a record itself."""
    if any(shape.fits(record) for shape in SHAPES) or {"input", "prompt", "messages", "output"} & record.keys():
        return None
    for keys in (("results", "results"), *((key,) for key in _WRAPPERS)):
        value = path(record, *keys)
        if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
            return keys
    return None


def _opened_up(items: Iterator[Item]) -> Iterator[Item]:
    """The records inside a line that is the only one; they are numbered."""
    first = next(items, None)
    if first is None:
        return
    keys = None if isinstance(first, BadRow) else where_records_lie(first[1])
    if keys is None or isinstance(first, BadRow):
        yield first
    else:
        yield from enumerate(path(first[1], *keys), start=1)
    yield from items


def _each(fits: Callable[[Mapping[str, Any]], bool], translate: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Items:
    """A translation of each record that fits; others pass as they are."""

    def translated(items: Iterator[Item]) -> Iterator[Item]:
        for item in items:
            if isinstance(item, BadRow) or not fits(item[1]):
                yield item
                continue
            try:
                yield item[0], translate(item[1])
            except BadValue as error:
                yield BadRow(item[0], error.field, error.sentence)

    return translated


def _is_list_with(value: Any, key: str) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) and key in one for one in value)


def _is_request(record: Mapping[str, Any]) -> bool:
    return "custom_id" in record and isinstance(record.get("body"), Mapping)


def _is_batch_result(record: Mapping[str, Any]) -> bool:
    return "custom_id" in record and "response" in record


def _is_sharegpt(record: Mapping[str, Any]) -> bool:
    return _is_list_with(record.get("conversations"), "from")


def _is_gemini(record: Mapping[str, Any]) -> bool:
    return _is_list_with(record.get("contents"), "parts")


def _is_preference(record: Mapping[str, Any]) -> bool:
    return "preferred_output" in record and isinstance(record.get("input"), Mapping)


def _is_logged(record: Mapping[str, Any]) -> bool:
    told = {"conversation_id", "datetime_utc", "response_json"} & record.keys()
    return {"prompt", "response", "model"} <= record.keys() and bool(told)


def _is_trace(record: Mapping[str, Any]) -> bool:
    return "input" in record and "output" in record and len(_TRACE_KEYS & record.keys()) >= 2


SHAPES = (
    Shape("OpenAI batch requests", _is_request, _each(_is_request, chat_files.batch_request)),
    Shape(
        "OpenAI batch results",
        _is_batch_result,
        _each(_is_batch_result, chat_files.no_inputs),
        _each(_is_batch_result, chat_files.batch_result),
    ),
    Shape("ShareGPT conversations", _is_sharegpt, _each(_is_sharegpt, chat_files.sharegpt)),
    Shape("Gemini conversations", _is_gemini, _each(_is_gemini, chat_files.contents)),
    Shape("OpenAI preferences", _is_preference, _each(_is_preference, chat_files.preference)),
    Shape("promptfoo", promptfoo.is_result, promptfoo.as_inputs, promptfoo.as_answers),
    Shape("llm logs", _is_logged, _each(_is_logged, trace_files.logged), _each(_is_logged, trace_files.logged_answer)),
    Shape("Langfuse", _is_trace, _each(_is_trace, trace_files.trace), _each(_is_trace, trace_files.trace_answer)),
)
