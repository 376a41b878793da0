"""The rows an experiment file names: its inputs and the answers recorded already, joined and checked."""

from collections.abc import Mapping
from dataclasses import dataclass

from backends.actions import RecordedAnswer
from experiments.actions import NewInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What the files hold: the inputs chosen, recorded answers by system and input id, and what to mind."""

    inputs: tuple[NewInput, ...]
    recorded: Mapping[str, Mapping[str, RecordedAnswer]]
    warnings: tuple[str, ...] = ()
