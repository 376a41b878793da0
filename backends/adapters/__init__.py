"""Knows which dialects there are: one line each."""

from __future__ import annotations

from backends.adapters.anthropic import Anthropic
from backends.adapters.contract import Adapter, ChatRequest, Target
from backends.adapters.gemini import Gemini
from backends.adapters.ollama import Ollama
from backends.adapters.openai import OpenAI

ADAPTERS: dict[str, Adapter | None] = {
    "openai": OpenAI(),
    "anthropic": Anthropic(),
    "gemini": Gemini(),
    "ollama": Ollama(),  # chosen by the preset, where a context length is asked for
    "recorded": None,  # answers already at hand: nothing is ever sent
}


def is_recorded(dialect: str) -> bool:
    """Whether a system of this dialect is never called."""
    return ADAPTERS[dialect] is None


def adapter_for(target: Target, chat: ChatRequest) -> Adapter:
    """The adapter that this question needs; raises `LookupError` for answers that are recorded."""
    own_api = target.profile.name == "ollama" and "num_ctx" in chat.parameters
    adapter = ADAPTERS["ollama" if own_api else target.profile.dialect]
    if adapter is None:
        raise LookupError("A recorded system has its answers already and is never called.")
    return adapter
