"""OpenAI's batch files, and conversations written for fine-tuning."""

from collections.abc import Mapping
from typing import Any

from experiments.uploads.nested import known, listed, path, plain_message
from experiments.uploads.problems import UploadError
from experiments.uploads.values import BadValue, content_of

_ROLES = {"human": "user", "gpt": "assistant", "model": "assistant", "bot": "assistant", "chatgpt": "assistant"}


def batch_request(record: Mapping[str, Any]) -> dict[str, Any]:
    """A request of any of the three dialects as an input."""
    body = record["body"]
    asked = next((body[key] for key in ("messages", "input", "prompt") if body.get(key) is not None), None)
    if isinstance(asked, list):
        asked = [plain_message(one) for one in asked]
    system = body.get("instructions")
    return known({"id": record["custom_id"], "input": asked, "system_prompt": system})


def no_inputs(record: Mapping[str, Any]) -> dict[str, Any]:
    """Results say nothing of what was asked: raises UploadError."""
    raise UploadError(
        "These are results of an OpenAI batch: answers without their inputs. Give the batch's request file."
    )


def batch_result(record: Mapping[str, Any]) -> dict[str, Any]:
    """A result as a recorded answer; raises BadValue where the request failed."""
    body = path(record, "response", "body")
    status = path(record, "response", "status_code")
    if record.get("error") or body is None or (isinstance(status, int) and status >= 400):
        why = path(record, "error", "message") or path(body, "error", "message") or f"status {status}"
        raise BadValue("response", f"the request failed ({str(why)[:200]}).")
    usage = body.get("usage") if isinstance(body, Mapping) else None
    return known(
        {
            "id": record["custom_id"],
            "output": _answer_of(body),
            "system": body.get("model") if isinstance(body, Mapping) else None,
            "input_tokens": path(usage, "prompt_tokens") or path(usage, "input_tokens"),
            "output_tokens": path(usage, "completion_tokens") or path(usage, "output_tokens"),
        }
    )


def _answer_of(body: Any) -> str:
    """The text of an answer in any of OpenAI's three dialects; empty where the model said nothing."""
    choice = path(body, "choices", 0)
    if choice is not None:
        text = path(choice, "message", "content") or path(choice, "text")
        return str(content_of(text) or "")
    parts = [
        part.get("text", "")
        for one in listed(path(body, "output"))
        for part in listed(path(one, "content"))
        if isinstance(part, Mapping) and isinstance(part.get("text"), str)
    ]
    return "\n".join(parts)


def sharegpt(record: Mapping[str, Any]) -> dict[str, Any]:
    """Turns `from` and `value`, as ShareGPT and Axolotl write them."""
    turns = record["conversations"]
    messages = [
        {"role": _ROLES.get(str(path(one, "from")), path(one, "from")), "content": path(one, "value")} for one in turns
    ]
    return {**{key: value for key, value in record.items() if key != "conversations"}, "messages": messages}


def contents(record: Mapping[str, Any]) -> dict[str, Any]:
    """Turns of `parts`, as Gemini writes them."""
    messages = [
        {"role": _ROLES.get(str(path(one, "role")), path(one, "role")), "content": content_of(path(one, "parts"))}
        for one in record["contents"]
    ]
    system = content_of(path(record, "systemInstruction", "parts"))
    rest = {key: value for key, value in record.items() if key not in {"contents", "systemInstruction"}}
    return known({**rest, "messages": messages, "system_prompt": system})


def preference(record: Mapping[str, Any]) -> dict[str, Any]:
    """A pair for preference tuning: the input, and the preferred answer as its reference."""
    chosen = path(record, "preferred_output", 0, "content")
    return known({"id": record.get("id"), "messages": record["input"].get("messages"), "reference": chosen})
