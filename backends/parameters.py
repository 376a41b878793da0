"""Knows which parameters of a system make sense, before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends.presets import PRESETS, Profile

_RANGES: dict[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "min_p": (0, 1),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
}
_WHOLE = ("max_tokens", "max_completion_tokens", "seed", "top_k", "num_ctx")
_CHOICES = {
    "limit_field": ("max_tokens", "max_completion_tokens"),
    "send_sampling": ("all", "set", "none"),
    "stream_usage": (True, False),
    "omit_top_p_1": (True, False),
    "avoid_cache": (True, False),
}
_OURS = {"model", "messages", "stream", "stream_options", "n"}


def problems(profile: Profile, parameters: Mapping[str, Any]) -> list[str]:
    """What is wrong with a system's parameters, a sentence each; empty if nothing is."""
    found = [*_of_type(parameters), *_of_range(parameters), *_of_stop(profile, parameters.get("stop"))]
    if {"max_tokens", "max_completion_tokens"} <= parameters.keys():
        found.append("max_tokens and max_completion_tokens mean the same: keep one.")
    for name in sorted(_OURS & parameters.keys()):
        found.append(f"{name} is set by Blindpair itself: remove it from the parameters.")
    for name, choices in _CHOICES.items():
        if name in parameters and parameters[name] not in choices:
            found.append(f"{name} must be one of {', '.join(map(str, choices))}, not {parameters[name]!r}.")
    if parameters.get("avoid_cache") is True and not profile.cache_off:
        able = ", ".join(one.title for one in PRESETS.values() if one.cache_off)
        found.append(f"avoid_cache is possible with {able} only, not with {profile.title}: remove it.")
    if "num_ctx" in parameters and profile.name != "ollama":
        found.append("num_ctx is understood by Ollama only: set the context length when the server is started.")
    return found


def _of_type(parameters: Mapping[str, Any]) -> list[str]:
    found = []
    for name in _WHOLE:
        value = parameters.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            found.append(f"{name} must be a whole number, not {value!r}.")
        elif isinstance(value, int) and value < 1 and name not in {"seed", "top_k"}:
            found.append(f"{name} must be at least 1, not {value}.")
    if not isinstance(parameters.get("extra_body", {}), Mapping):
        found.append("extra_body must be a table of fields to send as they are.")
    return found


def _of_range(parameters: Mapping[str, Any]) -> list[str]:
    """Out of range is refused here: llama.cpp takes a temperature of -3 without a word."""
    found = []
    for name, (low, high) in _RANGES.items():
        value = parameters.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            found.append(f"{name} must be a number from {low:g} to {high:g}, not {value!r}.")
    return found


def _of_stop(profile: Profile, stop: object) -> list[str]:
    if stop is None:
        return []
    listed = [stop] if isinstance(stop, str) else stop
    if not isinstance(listed, list) or not all(isinstance(text, str) and text for text in listed):
        return ["stop must be a text or a list of texts."]
    if len(listed) > 4 and profile.name in {"tgi", "openai", "azure"}:
        return [f"{profile.title} takes at most 4 stop sequences, not {len(listed)}."]
    return []
