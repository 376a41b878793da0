"""Knows what each server tells about itself: its models, version, quantisation, context length and adapters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from backends.adapters.contract import ChatRequest, Json, Target, items, join, key_headers, mapping, root_of
from backends.client import WireClient, now
from backends.error_answers import from_status
from backends.failures import BackendError, BackendFailure, scrub

_CONTEXT_NAMES = (
    "max_model_len",
    "loaded_context_length",
    "context_length",
    "max_context_length",
    "inputTokenLimit",
    "max_total_tokens",
)
_NOT_FOR_US = {301, 302, 303, 307, 308, 401, 402, 403, 407, 429, 502, 503, 504}  # others: it has no such list
_OWNERS = {"vllm": "vllm", "sglang": "sglang", "llamacpp": "llamacpp", "library": "ollama"}


@dataclass(slots=True, kw_only=True)
class Facts:
    """What was found out; empty or None where the server does not say. Warnings are whole sentences."""

    server: str = ""
    models: list[str] = field(default_factory=list)
    listed: bool | None = None
    version: str = ""
    quantisation: str = ""
    context_length: int | None = None  # tokens of one conversation
    longest_context: int | None = None  # that the model was made for, where the server could be asked for more
    parent: str = ""  # the base model, where the model is an adapter
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Asking:
    client: WireClient
    target: Target
    chat: ChatRequest

    def get(self, path: str) -> Any:
        """What a path of the server's own says; None where it has no such path or cannot be reached."""
        return self._quietly(f"{root_of(self.target)}{path}", None)

    def post(self, path: str, body: Json) -> Any:
        return self._quietly(f"{root_of(self.target)}{path}", body)

    def models(self) -> Any:
        return self._quietly(join(self.target.base_url, self.target.profile.path_prefix, "/models"), None)

    def _quietly(self, url: str, body: Json | None) -> Any:
        headers = key_headers(self.target)
        if self.target.profile.dialect == "anthropic":
            headers.setdefault("anthropic-version", "2023-06-01")
        try:
            status, said = (
                self.client.get_json(url, headers) if body is None else self.client.post_json(url, headers, body)
            )
        except BackendFailure:
            return None  # the probe that follows names what is wrong
        return said if status == 200 else None


def ask_facts(client: WireClient, target: Target, chat: ChatRequest) -> Facts:
    """Asks the server about the model of `chat`: the list of models, then what this kind of server offers beside it."""
    asking = _Asking(client, target, chat)
    entries = _entries(asking.models())
    name = target.profile.name
    if name == "generic":
        name = _maker(entries) or name
    facts = Facts(server=name, models=[_id(entry) for entry in entries][:200])
    wanted = [chat.model, chat.model.partition(":")[0]] if name == "sglang" else [chat.model]
    entry = next((e for want in wanted for e in entries if want in _names(e)), None)
    facts.listed = None if not entries else entry is not None
    if entry is not None:
        facts.parent = str(entry.get("parent") or "")
        base = next((e for e in entries if facts.parent and _id(e) == facts.parent), {})
        facts.context_length = _context(entry) or _context(base)
        facts.quantisation = str(mapping(entry.get("meta")).get("ftype") or entry.get("quantization") or "")
    if (more := _SERVERS.get(name)) is not None:
        more(asking, facts)
    return facts


def listed_models(client: WireClient, target: Target) -> tuple[str, tuple[str, ...]]:
    """The preset that a list of models gives away ("" if none) and the models; raises `BackendFailure`."""
    url = join(target.base_url, target.profile.path_prefix, "/models")
    status, said = client.get_json(url, key_headers(target))
    if status in _NOT_FOR_US:
        raise from_status(
            status=status,
            headers={},
            body=scrub(json.dumps(said), target.secret) if said else "",
            host=urlsplit(url).netloc,
            dialect=target.profile.dialect,
            now=now(),
        )
    if status == 200 and said is None:
        raise BackendError(
            "not_an_api",
            f"{urlsplit(url).netloc} answered with something that is no list of models. "
            "Check the base address, and that no log-in page stands before it.",
        )
    entries = _entries(said) if status == 200 else []
    return _maker(entries), tuple(name for entry in entries if (name := _id(entry)))


def _maker(entries: list[Json]) -> str:
    return next((_OWNERS[owner] for entry in entries if (owner := str(entry.get("owned_by"))) in _OWNERS), "")


def _entries(said: Any) -> list[Json]:
    listed = said if isinstance(said, list) else items(mapping(said).get("data") or mapping(said).get("models"))
    return [entry for entry in listed if isinstance(entry, Mapping)]


def _id(entry: Json) -> str:
    return str(entry.get("id") or entry.get("name") or "").removeprefix("models/")


def _names(entry: Json) -> set[str]:
    name = _id(entry)
    return {name, f"models/{name}", name.removesuffix(":latest"), *map(str, items(entry.get("aliases")))}


def _context(entry: Json) -> int | None:
    found = [entry.get(name) for name in _CONTEXT_NAMES] + [mapping(entry.get("meta")).get("n_ctx")]
    return next((value for value in found if isinstance(value, int) and value > 0), None)


def _vllm(asking: _Asking, facts: Facts) -> None:
    facts.version = _text(asking.get("/version"), "version")


def _sglang(asking: _Asking, facts: Facts) -> None:
    said = mapping(asking.get("/server_info") or asking.get("/get_server_info"))
    facts.version = _text(said, "version")
    facts.quantisation = _text(said, "quantization") or facts.quantisation
    facts.context_length = facts.context_length or _context(said)
    model = asking.chat.model
    paths = said.get("lora_paths")
    listed = paths if isinstance(paths, Mapping) else {str(mapping(p).get("lora_name")) for p in items(paths)}
    by_path = "lora_path" in {**asking.chat.parameters, **mapping(asking.chat.parameters.get("extra_body"))}
    if ":" in model:
        facts.parent = facts.parent or model.partition(":")[0]
    elif (facts.parent or model in listed) and not by_path:
        base = facts.parent or "BASE"
        facts.warnings.append(
            f"SGLang answers with the base model when an adapter is asked for by its bare name. "
            f"Write the model as {base}:{model}."
        )


def _trtllm(asking: _Asking, facts: Facts) -> None:
    facts.version = _text(asking.get("/version"), "version")
    facts.quantisation = _text(asking.get("/server_info"), "quantization") or facts.quantisation


def _llamacpp(asking: _Asking, facts: Facts) -> None:
    props = mapping(asking.get("/props"))
    facts.version = _text(props, "build_info")
    facts.quantisation = _text(props, "model_ftype") or facts.quantisation
    slot = mapping(props.get("default_generation_settings")).get("n_ctx")
    if isinstance(slot, int):
        facts.context_length = slot  # of one slot: -c is divided by their number
    chosen = {**asking.chat.parameters, **mapping(asking.chat.parameters.get("extra_body"))}.get("lora")
    for adapter in items(asking.get("/lora-adapters")):
        if mapping(adapter).get("scale") == 0 and not chosen:
            facts.warnings.append(
                f"The adapter {_text(adapter, 'path')} is loaded with scale 0, so it is not applied. "
                "Choose it with extra_body = { lora = [{ id = 0, scale = 1.0 }] }."
            )


def _ollama(asking: _Asking, facts: Facts) -> None:
    model = asking.chat.model
    facts.version = _text(asking.get("/api/version"), "version")
    shown = mapping(asking.post("/api/show", {"model": model}))
    facts.quantisation = _text(mapping(shown.get("details")), "quantization_level") or facts.quantisation
    asked = asking.chat.parameters.get("num_ctx")
    loaded = [e for e in _entries(asking.get("/api/ps")) if model in _names(e) or model == e.get("model")]
    words = str(shown.get("parameters") or "").split()
    fixed = [int(b) for a, b in pairwise(words) if a == "num_ctx" and b.isdigit()]
    found = [asked, *(e.get("context_length") for e in loaded), *fixed]
    facts.context_length = next((value for value in found if isinstance(value, int) and value > 0), None)
    sizes = [value for name, value in mapping(shown.get("model_info")).items() if name.endswith(".context_length")]
    facts.longest_context = next((value for value in sizes if isinstance(value, int) and value > 0), None)


def _tgi(asking: _Asking, facts: Facts) -> None:
    said = mapping(asking.get("/info"))
    facts.version = _text(said, "version")
    facts.quantisation = _text(said, "quantize") or facts.quantisation
    facts.context_length = _context(said) or facts.context_length


def _lmstudio(asking: _Asking, facts: Facts) -> None:
    entries = _entries(asking.get("/api/v0/models"))
    entry = next((e for e in entries if asking.chat.model in _names(e)), {})
    facts.quantisation = _text(entry, "quantization") or facts.quantisation
    facts.context_length = _context(entry) or facts.context_length
    if entry and entry.get("state") == "not-loaded":
        facts.warnings.append(
            "LM Studio loads this model at the first request and then ignores its own settings. Load it beforehand."
        )


def _text(said: Any, name: str) -> str:
    value = mapping(said).get(name)
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


_SERVERS = {
    "vllm": _vllm,
    "sglang": _sglang,
    "trtllm": _trtllm,
    "llamacpp": _llamacpp,
    "ollama": _ollama,
    "tgi": _tgi,
    "lmstudio": _lmstudio,
}
