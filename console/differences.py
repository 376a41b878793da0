"""What is not equal between systems that are compared, and which of it would spoil the comparison."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backends.listing import SystemCard
from reports.cost_fields import LABELS

ABSENT = "not set"
SAMPLING = frozenset({"temperature", "top_p", "top_k", "min_p", "seed", "stop"})
LENGTH = frozenset({"max_tokens", "max_completion_tokens"})
WHY = {
    "system prompt": "The prompts differ: the result says which prompt and model together are better, not which model.",
    "concurrency": "The systems are measured under a different load, so their latencies do not compare.",
}
SAMPLING_WHY = "Sampled differently: part of the difference may come from this, not from the models."
LENGTH_WHY = "One may write longer answers than the other, and raters notice length."
UNLIKE = "Where a parameter is not set, the server's own default counts, which the others may not share."


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One line of the comparison, a value for each system; `why` warns where they should be alike but are not."""

    name: str
    values: tuple[str, ...]
    differs: bool
    why: str = ""


def settings(cards: Sequence[SystemCard]) -> list[Setting]:
    """All that can be compared between systems, in the order in which one would read it."""
    plain: tuple[tuple[str, Callable[[SystemCard], object]], ...] = (
        ("endpoint", lambda card: card.endpoint or "recorded answers"),
        ("model", lambda card: card.model or ("" if card.recorded else ABSENT)),
        ("system prompt", lambda card: card.system_prompt or ("" if card.recorded else "none")),
    )
    found = [_setting(name, [value(card) for card in cards]) for name, value in plain]
    found += _mapping(cards, lambda card: card.parameters, asked_only=True)
    found.append(_setting("samples of each input", [card.samples for card in cards]))
    found.append(_setting("concurrency", ["" if card.recorded else card.concurrency for card in cards]))
    return found + _mapping(cards, lambda card: card.facts)


def prices(card: SystemCard) -> list[tuple[str, str]]:
    """What a system costs, in the words of the form, as label and value."""
    return [
        (LABELS[name][0] if name in LABELS else name, f"{value:g}" if isinstance(value, float) else str(value))
        for name, value in card.cost.items()
    ]


def warnings(found: Sequence[Setting]) -> list[tuple[str, str]]:
    """What differs that should not, as name and sentence."""
    return [(one.name, one.why) for one in found if one.why]


def _mapping(
    cards: Sequence[SystemCard], of: Callable[[SystemCard], Mapping[str, Any]], *, asked_only: bool = False
) -> list[Setting]:
    names = dict.fromkeys(name for card in cards for name in of(card))
    return [
        _setting(
            name,
            [
                of(card).get(name, "" if asked_only and card.recorded and not card.parameters else ABSENT)
                for card in cards
            ],
        )
        for name in names
    ]


def _setting(name: str, values: Sequence[object]) -> Setting:
    shown = tuple(_words(value) for value in values)
    known = [value for value in shown if value]
    differs = len(set(known)) > 1
    return Setting(name=name, values=shown, differs=differs, why=_why(name, known) if differs else "")


def _why(name: str, known: Sequence[str]) -> str:
    if name in SAMPLING:
        return f"{SAMPLING_WHY} {UNLIKE}" if ABSENT in known else SAMPLING_WHY
    if name in LENGTH:
        return LENGTH_WHY
    return WHY.get(name, "")


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
