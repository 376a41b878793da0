"""The words that give a system away in an answer: its own names, beside the makers that everybody knows."""

import re

from backends.models import System

# What owners call their systems for short; as words of an answer they tell nothing.
ORDINARY = frozenset(
    {
        *("api", "base", "baseline", "candidate", "challenger", "control", "current", "default", "demo", "first"),
        *("hosted", "large", "local", "main", "model", "new", "newer", "old", "one", "our", "ours", "own", "reference"),
        *("second", "server", "small", "system", "test", "the", "their", "theirs", "today", "tuned", "two"),
    }
)


def telling_names(experiment_id: int) -> tuple[str, ...]:
    """Names and model names of the experiment's systems, longest first, without words that anybody uses."""
    rows = System.objects.filter(arm__experiment=experiment_id).values_list("name", "model_id")
    found = {part for row in rows for text in row for part in {text, text.rpartition("/")[2]}}
    return tuple(sorted((name for name in found if is_telling(name)), key=lambda name: (-len(name), name)))


def is_telling(name: str) -> bool:
    """Whether the name would give its system away: more than an ordinary word, a number or a letter or two."""
    words = re.findall(r"[^\W\d_]+", name.lower())
    return len(name) >= 3 and any(len(word) > 1 and word not in ORDINARY for word in words)
