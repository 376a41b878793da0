"""Knows how to tell, before anyone rates, whether a system is what its label says and whether two systems differ."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import combinations
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from backends.adapters.contract import SAMPLING, ChatRequest, Target, mapping
from backends.client import WireClient
from backends.failures import BackendFailure
from backends.fetching import fetch
from backends.server_facts import Facts, ask_facts
from backends.streams import Fetched

PROBES = (
    "Name three rivers and say one thing about each.",
    "Write a short, friendly reply to a customer whose parcel is late.",
    "Continue this list: apple, river, seven,",
)
_PROBE_TOKENS = 48
_OLLAMA_LEAST = 2048  # tokens of context that any version takes by itself
_CHARS_PER_TOKEN = 3.0  # cautious: prose has about four
_SILENT_BASE = {
    "vllm": "vLLM accepts an adapter whose module names do not match and then serves the base model.",
    "sglang": "SGLang serves the base model when an adapter is asked for by its bare name: write base:adapter.",
    "tgi": "TGI has answered with the base model for a wrong adapter id.",
    "llamacpp": "llama-server applies an adapter by its scale: look at /lora-adapters.",
    "lmstudio": "Check which model is loaded.",
    "ollama": "Check the ADAPTER line of the Modelfile.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """What a server said about one system before collecting; empty or None where it does not say.

    `adapter`: what the request itself says of one. `num_ctx`: what Ollama is asked for, as its own is too short.
    `probes`: SHA-256 of each greedy answer, "" for one that failed or was empty. `failure_kind` and `sentence`: why
    the system could not be asked at all. `warnings`: whole sentences for the owner.
    """

    server: str = ""
    host: str = ""
    model: str = ""
    listed: bool | None = None
    models: tuple[str, ...] = ()
    echoed: str = ""
    fingerprint: str = ""
    version: str = ""
    quantisation: str = ""
    context_length: int | None = None
    num_ctx: int | None = None
    parent: str = ""
    adapter: str = ""
    probes: tuple[str, ...] = ()
    failure_kind: str = ""
    sentence: str = ""
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """From `as_json`, as it comes back from a database; unknown names are left out."""
        known: dict[str, Any] = {field.name: stored[field.name] for field in fields(cls) if field.name in stored}
        lists: dict[str, Any] = {name: tuple(known[name]) for name in ("models", "probes", "warnings") if name in known}
        return cls(**{**known, **lists})


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence for the owner about some systems; red: rating would compare nothing."""

    level: Literal["red", "amber"]
    sentence: str
    systems: tuple[str, ...]


def preflight(
    client: WireClient,
    target: Target,
    *,
    model: str,
    system_prompt: str = "",
    parameters: Mapping[str, Any] | None = None,
    longest_input: int = 0,
    probes: Sequence[str] = PROBES,
) -> Preflight:
    """Asks a server about one system and has it answer the probes greedily; `longest_input` in characters.

    Raises nothing that a server can cause: what is wrong stands in the record.
    """
    given = dict(parameters or {})
    chat = ChatRequest(model=model, messages=(), system_prompt=system_prompt, parameters=given)
    facts = ask_facts(client, target, chat)
    needed = tokens_needed(longest_input + len(system_prompt), given)
    num_ctx = _num_ctx(facts, needed) if target.profile.name == "ollama" and "num_ctx" not in given else None
    if num_ctx:
        chat = replace(chat, parameters={**given, "num_ctx": num_ctx})  # the probes load the model with it
    answers, failed = _probe(client, target, chat, probes)
    first = next((answer for answer in answers if answer is not None), None)
    record = Preflight(
        server=facts.server,
        host=urlsplit(target.base_url).netloc,
        model=model,
        listed=facts.listed,
        models=tuple(facts.models),
        echoed=first.model if first else "",
        fingerprint=first.fingerprint if first else "",
        version=facts.version,
        quantisation=facts.quantisation,
        context_length=num_ctx or facts.context_length,
        num_ctx=num_ctx,
        parent=facts.parent,
        adapter=_adapter(given),
        probes=tuple(_hash(answer) for answer in answers),
        failure_kind=failed.kind.name if failed else "",
        sentence=failed.sentence if failed else "",
    )
    return replace(record, warnings=tuple(_warnings(record, facts, target, given, needed)))


def _adapter(parameters: Mapping[str, Any]) -> str:
    """llama.cpp, SGLang and TensorRT-LLM choose it by a field of the request."""
    sent = {**parameters, **mapping(parameters.get("extra_body"))}
    chosen = {name: sent[name] for name in ("lora", "lora_path", "lora_request") if sent.get(name)}
    return json.dumps(chosen, sort_keys=True) if chosen else ""


def tokens_needed(longest_input: int, parameters: Mapping[str, Any]) -> int:
    """At most, for an input of so many characters (0: none is known) and its answer."""
    limit = parameters.get("max_tokens", parameters.get("max_completion_tokens"))
    return int(longest_input / _CHARS_PER_TOKEN) + (limit if isinstance(limit, int) else 0) if longest_input else 0


def _num_ctx(facts: Facts, needed: int) -> int | None:
    """What Ollama must be asked for, a whole number of 1,024s within what the model was made for; None: nothing."""
    there = facts.context_length or _OLLAMA_LEAST
    most = facts.longest_context
    wanted = min(-(-needed // 1024) * 1024, most or needed + 1024)
    return wanted if needed > there and wanted > there else None


def _probe(
    client: WireClient, target: Target, chat: ChatRequest, probes: Sequence[str]
) -> tuple[list[Fetched | None], BackendFailure | None]:
    """The greedy answers, without the system's own prompt and sampling, so that only the model can differ."""
    own = {*SAMPLING, "stop", "max_completion_tokens"}
    kept = {name: value for name, value in chat.parameters.items() if name not in own}
    greedy: dict[str, Any] = {**kept, "max_tokens": _PROBE_TOKENS, "temperature": 0}
    answers: list[Fetched | None] = []
    failed: BackendFailure | None = None
    for text in probes:
        question = replace(
            chat, system_prompt="", messages=({"role": "user", "content": text},), parameters=dict(greedy)
        )
        _, result = fetch(client, target, question)
        if isinstance(result, BackendFailure) and "temperature" in f"{result.sentence} {result.raw}":
            greedy["send_sampling"] = "none"  # a model that refuses to be told
            _, result = fetch(client, target, replace(question, parameters=greedy))
        answers.append(result if isinstance(result, Fetched) else None)
        if isinstance(result, BackendFailure):
            failed = failed or result
            if result.kind.stops_system or result.kind.trips_circuit:
                break
    return answers, failed if not any(answers) else None


def _hash(answer: Fetched | None) -> str:
    if answer is None or not (answer.text or answer.reasoning):
        return ""
    return hashlib.sha256(f"{answer.reasoning}\0{answer.text}".encode()).hexdigest()


def _warnings(record: Preflight, facts: Facts, target: Target, parameters: Mapping[str, Any], needed: int) -> list[str]:
    found = list(facts.warnings)
    if record.listed is False:
        some = ", ".join(record.models[:5]) or "none"
        answers_any = target.profile.names_any_model or not record.failure_kind
        found.append(
            f"The server does not list {record.model!r} (it lists {some})"
            + (", yet it answers: it may be another model." if answers_any else ".")
        )
    if record.echoed and not _same_name(record.echoed, record.model):
        found.append(f"Asked for {record.model!r}, the server says that {record.echoed!r} answered.")
    found += _context_warnings(record, facts, needed)
    unset = "temperature" not in parameters and "temperature" not in mapping(parameters.get("extra_body"))
    if unset and record.server in {"vllm", "sglang", "llamacpp", "transformers"}:
        found.append(
            "No temperature is sent, so the server's or the checkpoint's own default counts, "
            "which a quantised copy may not share. Set it to compare like with like."
        )
    return found


def _context_warnings(record: Preflight, facts: Facts, needed: int) -> list[str]:
    may_need = f"The longest input and its answer may need {needed} tokens"
    found = []
    if record.num_ctx:
        now = f"of {facts.context_length}" if facts.context_length else "that it chooses by itself"
        found.append(
            f"{may_need}, more than the context {now}: Ollama is asked through its own API with "
            f"num_ctx = {record.num_ctx}, where unset sampling is the Modelfile's."
        )
    if record.context_length is None or needed <= record.context_length:
        return found
    what = (
        "Ollama refuses such inputs then; shorten them, or choose a model with a longer context."
        if record.num_ctx
        else "Ollama would drop the oldest messages; raise num_ctx in the parameters, with the preset ollama."
        if record.server == "ollama"
        else "Such inputs will be refused or their answers cut; serve the model with a longer context."
    )
    return [*found, f"{may_need}, the server has a context of {record.context_length}. {what}"]


def _same_name(echoed: str, asked: str) -> bool:
    """Dated and pinned names are the same model: gpt-5-2026-01-01, hf@main, models/x, x:latest."""
    a, b = (name.removeprefix("models/").removesuffix(":latest").lower() for name in (echoed, asked))
    return a == b or a.startswith((f"{b}-", f"{b}@")) or a.endswith(f"/{b}") or b.endswith(f"/{a}")


def compare(preflights: Mapping[str, Preflight]) -> list[Finding]:
    """What stands against comparing these systems (by name), the worst first."""
    findings = [
        Finding("red", f"{name} cannot be asked: {record.sentence}", (name,))
        for name, record in preflights.items()
        if record.failure_kind
    ]
    findings += [
        finding
        for (one, a), (two, b) in combinations(preflights.items(), 2)
        if (finding := _alike(one, a, two, b)) is not None
    ]
    findings += [
        Finding("amber", f"{name}: {warning}", (name,))
        for name, record in preflights.items()
        for warning in record.warnings
    ]
    return sorted(findings, key=lambda finding: finding.level != "red")


def _alike(one: str, a: Preflight, two: str, b: Preflight) -> Finding | None:
    shared = [x == y for x, y in zip(a.probes, b.probes, strict=False) if x and y]
    if not shared or not all(shared):
        return None
    said = f"{one} and {two} answer all {len(shared)} probes word for word alike"
    if (a.host, a.model, a.adapter) == (b.host, b.model, b.adapter):
        return Finding(
            "amber", f"{said}: they are the same model, and differ in prompt or sampling at most.", (one, two)
        )
    adapter = a.parent or b.parent or a.host == b.host
    why = "the LoRA adapter seems not to be applied" if adapter else "they seem to be the same model"
    hint = next((_SILENT_BASE[r.server] for r in (a, b) if r.server in _SILENT_BASE), "") if adapter else ""
    return Finding("red", f"{said}: {why}. {hint}".strip(), (one, two))


def changes(before: Preflight, after: Preflight) -> list[str]:
    """What is no longer as it was when collecting began, a sentence each: a server restarted with another model."""
    found = []
    names = {
        "echoed": "model name",
        "fingerprint": "fingerprint",
        "version": "version",
        "quantisation": "quantisation",
        "context_length": "context length",
        "parent": "base model",
    }
    for name, title in names.items():
        old, new = getattr(before, name), getattr(after, name)
        if old and new and old != new:
            found.append(
                f"The server's {title} changed during collecting from {old} to {new}: "
                "the answers may come from two different systems. Collect them again."
            )
    return found
