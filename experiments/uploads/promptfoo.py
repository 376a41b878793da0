"""Results of promptfoo: one record for each test, prompt and provider."""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from experiments.uploads.nested import known, path, unpacked
from experiments.uploads.problems import BadRow
from experiments.uploads.records import Record
from experiments.uploads.shelf import Shelf

Item = Record | BadRow


def is_result(record: Any) -> bool:
    """Whether a record is the answer of one provider to one test."""
    return isinstance(record, Mapping) and bool({"vars", "testCase"} & record.keys()) and "provider" in record


def as_inputs(items: Iterator[Item]) -> Iterator[Item]:
    """One input for all providers that were asked the same; lines are the numbers of the results."""
    shelf: Shelf[Any] = Shelf()
    made: dict[str, tuple[int, int, dict[str, int]]] = {}
    for item in as_answers(items):
        if isinstance(item, BadRow) or "asked" not in item[1]:
            yield item
            continue
        line, answer = item
        key = str(answer["id"])
        if key not in made:
            made[key] = (line, shelf.append(known({**_asked(answer["asked"]), "id": key})), {})
        if "output" in answer and answer["system"] not in made[key][2]:
            made[key][2][answer["system"]] = shelf.append(answer["output"])
    for line, asked, outputs in made.values():
        yield line, {**shelf[asked], "outputs": {system: shelf[place] for system, place in outputs.items()}}


def as_answers(items: Iterator[Item]) -> Iterator[Item]:
    """The answers one by one. A test with several prompts has an id for each: 3, 3-2, 3-3."""
    prompts: dict[str, list[bytes]] = {}
    for item in items:
        if isinstance(item, BadRow) or not is_result(item[1]):
            yield item
            continue
        line, record = item
        test = _test(record)
        words = json.dumps(path(record, "prompt", "raw") or record.get("prompt"), default=str)
        asked = sha256(words.encode()).digest()  # the words themselves may be long
        known_prompts = prompts.setdefault(test, [])
        if asked not in known_prompts:
            known_prompts.append(asked)
        number = known_prompts.index(asked) + 1
        yield line, {**_answer(record), "id": test if number == 1 else f"{test}-{number}", "asked": record}


def _test(record: Mapping[str, Any]) -> str:
    if isinstance(record.get("testIdx"), int):
        return str(record["testIdx"])
    variables = record.get("vars") or path(record, "testCase", "vars")
    return json.dumps(variables, sort_keys=True, default=str, ensure_ascii=False)[:180]


def _asked(record: Mapping[str, Any]) -> dict[str, Any]:
    raw = path(record, "prompt", "raw") or record.get("prompt")
    asked = unpacked(raw)
    is_chat = isinstance(asked, list) and asked and all(isinstance(one, Mapping) and "role" in one for one in asked)
    metadata = path(record, "testCase", "metadata")
    kept = {key: one for key, one in metadata.items() if isinstance(one, str)} if isinstance(metadata, Mapping) else {}
    return {"input": asked if is_chat else raw, "tags": kept or None}


def _answer(record: Mapping[str, Any]) -> dict[str, Any]:
    provider = record["provider"]
    system = path(provider, "label") or path(provider, "id") or provider
    output = path(record, "response", "output")
    if output is not None and not isinstance(output, str):
        output = json.dumps(output, ensure_ascii=False)
    return known(
        {
            "output": output,
            "system": str(system),
            "latency_ms": record.get("latencyMs"),
            "input_tokens": path(record, "response", "tokenUsage", "prompt"),
            "output_tokens": path(record, "response", "tokenUsage", "completion"),
        }
    )
