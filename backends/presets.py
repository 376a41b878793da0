"""Knows the habits of each server as data: which fields it takes, how it wants the key, where it usually listens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import urlsplit

DIALECTS = ("openai", "anthropic", "gemini", "recorded")
Sampling = Literal["all", "set", "none"]
UNIQUE = "unique"  # stands for a value that no other request has


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The switches of one server. `local_port` is where it listens by default on an owner's machine."""

    name: str
    title: str
    dialect: str = "openai"
    base_url: str = ""  # where the maker serves it; empty for what one runs oneself
    path_prefix: str = "/v1"  # added to a base address without a path
    limit_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    send_sampling: Sampling = "set"  # "all" fills what is unset with neutral values; "none" sends none of it
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    stream_usage: bool = True
    stop_as_list: bool = True
    omit_top_p_1: bool = False
    auth: str = "bearer"  # or "none", or the name of a header
    needs_key: bool = False
    local_port: int | None = None
    cache_off: Mapping[str, Any] = field(default_factory=dict)  # what keeps the prefix cache out of a measurement
    avoid_cache: bool = False  # whether that is sent: a system's choice
    drops_silently: bool = False  # what does not fit into its context, without a word
    names_any_model: bool = False  # answers under a name that it does not have
    note: str = ""


def _api(name: str, title: str, base_url: str, **switches: Any) -> Profile:
    return Profile(name=name, title=title, base_url=base_url, needs_key=True, **switches)


PRESETS: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(name="generic", title="OpenAI-compatible server"),
        Profile(name="recorded", title="Recorded answers", dialect="recorded", auth="none"),
        Profile(name="vllm", title="vLLM", local_port=8000, cache_off={"cache_salt": UNIQUE}),
        Profile(
            name="sglang",
            title="SGLang",
            local_port=30000,
            cache_off={"cache_salt": UNIQUE},
            names_any_model=True,
            note="An adapter is asked for as base:adapter; its bare name serves the base model.",
        ),
        Profile(
            name="trtllm",
            title="TensorRT-LLM",
            local_port=8000,
            cache_off={"cache_salt": UNIQUE},
            names_any_model=True,
            note="Reports every inner fault as 400, and refuses unknown fields.",
        ),
        Profile(
            name="llamacpp",
            title="llama.cpp server",
            local_port=8080,
            cache_off={"cache_prompt": False},
            names_any_model=True,
            note="The context of -c is divided by the number of slots; unset sampling is 0.8 with top_k 40.",
        ),
        Profile(
            name="ollama",
            title="Ollama",
            local_port=11434,
            drops_silently=True,
            note="Drops the oldest messages of too long a prompt; num_ctx is raised where the inputs need it.",
        ),
        Profile(
            name="tgi",
            title="Text Generation Inference",
            local_port=8080,
            omit_top_p_1=True,
            note="Takes at most 4 stop sequences and no top_p of 1.",
        ),
        Profile(
            name="lmstudio",
            title="LM Studio",
            local_port=1234,
            note="A model loaded by the first request ignores its own settings; load it beforehand.",
        ),
        Profile(name="transformers", title="transformers serve", local_port=8000, note="Sends no end mark."),
        _api("openai", "OpenAI", "https://api.openai.com/v1", limit_field="max_completion_tokens"),
        Profile(
            name="azure",
            title="Azure OpenAI",
            path_prefix="/openai/v1",
            auth="api-key",
            limit_field="max_completion_tokens",
            needs_key=True,
            note="The model is the name of the deployment.",
        ),
        _api("openrouter", "OpenRouter", "https://openrouter.ai/api/v1", path_prefix="/api/v1"),
        _api("mistral", "Mistral", "https://api.mistral.ai/v1", stream_usage=False),
        _api("deepseek", "DeepSeek", "https://api.deepseek.com/v1"),
        _api("together", "Together", "https://api.together.xyz/v1"),
        _api("anthropic", "Anthropic", "https://api.anthropic.com/v1", dialect="anthropic", auth="x-api-key"),
        _api(
            "gemini",
            "Gemini",
            "https://generativelanguage.googleapis.com/v1beta",
            dialect="gemini",
            path_prefix="/v1beta",
            auth="x-goog-api-key",
        ),
    )
}
_MAKERS = {urlsplit(profile.base_url).hostname: name for name, profile in PRESETS.items() if profile.base_url}
SWITCHES = frozenset({"limit_field", "send_sampling", "stream_usage", "omit_top_p_1", "avoid_cache"})


class UnknownPreset(ValueError):
    """A preset or dialect that does not exist or does not fit; `str()` names those that do."""


def profile_for(*, dialect: str, preset: str = "", base_url: str = "") -> Profile:
    """The profile of an endpoint: by its preset, else by its maker's host, else what its dialect usually means."""
    if dialect not in DIALECTS:
        raise UnknownPreset(f"There is no dialect {dialect!r}. Use one of: {', '.join(DIALECTS)}.")
    host = urlsplit(base_url).hostname
    name = preset or _MAKERS.get(host) or _usual(dialect, base_url)
    if name not in PRESETS:
        known = ", ".join(sorted(PRESETS.keys() - {"generic", "recorded"}))
        raise UnknownPreset(f"There is no preset {name!r}. Use one of: {known}.")
    profile = PRESETS[name]
    if dialect == profile.dialect:
        return profile
    if dialect == "recorded":
        return replace(profile, dialect="recorded")  # the name of what gave the answers is kept
    if profile.base_url or profile.dialect != "openai":
        raise UnknownPreset(f"The preset {name!r} speaks {profile.dialect!r}, not {dialect!r}. Change one of the two.")
    # Servers of one's own that also speak another dialect (vLLM and llama.cpp: anthropic).
    return replace(PRESETS[dialect], name=name, title=profile.title, base_url="", needs_key=False, auth="bearer")


def _usual(dialect: str, base_url: str) -> str:
    if dialect == "openai":
        return "generic" if base_url else "openai"
    return dialect if dialect in PRESETS else "generic"


def base_url_for(profile: Profile, base_url: str) -> str:
    """The endpoint's own base address, else the maker's; empty where an owner must give one."""
    return base_url.rstrip("/") or profile.base_url


def with_switches(profile: Profile, parameters: Mapping[str, Any]) -> Profile:
    """The profile with what a system's parameters switch for itself."""
    chosen = {name: parameters[name] for name in SWITCHES & parameters.keys()}
    return replace(profile, **chosen) if chosen else profile
