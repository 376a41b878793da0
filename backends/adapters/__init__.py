"""Knows which dialects there are: one line each."""

from __future__ import annotations

from backends.adapters.contract import Adapter, ChatRequest, Target
from backends.adapters.openai import OpenAI

ADAPTERS: dict[str, Adapter | None] = {
    "openai": OpenAI(),
    "recorded": None,  # answers already at hand: nothing is ever sent
}


def is_recorded(dialect: str) -> bool:
    """Whether a system of this dialect is never called."""
    return ADAPTERS[dialect] is None


def adapter_for(target: Target, chat: ChatRequest) -> Adapter:
    """The adapter that this question needs; raises `LookupError` for answers that are recorded."""
    adapter = ADAPTERS[target.profile.dialect]
    if adapter is None:
        raise LookupError("A recorded system has its answers already and is never called.")
    return adapter
