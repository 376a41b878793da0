"""The very last step: which system played which arm. It opens only when the experiment is closed."""

from dataclasses import dataclass, field
from typing import Any

from backends import sealing
from backends.models import System
from experiments.models import Experiment
from experiments.sealing import changes


class StillBlind(Exception):  # it names the state, as the commands and pages tell it
    """Somebody asked for names, a report or an export before the experiment was closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who played an arm. `facts` is what the owner stated (licence, quantisation, adapter …)."""

    name: str
    model_id: str = ""
    system_prompt: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    dialect: str = "recorded"


def require_closed(experiment: Experiment) -> None:
    """Raises StillBlind, with a sentence for its owner, until the experiment is closed."""
    if experiment.is_blind:
        raise StillBlind(
            f"The experiment {experiment.slug!r} is {experiment.get_status_display().lower()}, not closed: "
            "names, the report and exports open when it is closed."
        )


def identities(experiment: Experiment) -> dict[str, Identity]:
    """By the code of the arm: who played it. Raises StillBlind."""
    require_closed(experiment)
    systems = System.objects.filter(arm__experiment=experiment).select_related("arm", "endpoint")
    return {
        system.arm.code: Identity(
            name=system.name,
            model_id=system.model_id,
            system_prompt=system.system_prompt,
            parameters=system.parameters,
            facts=system.facts,
            dialect=system.endpoint.dialect if system.endpoint else "recorded",
        )
        for system in systems.order_by("arm__code")
    }


def opened_seal(experiment: Experiment) -> dict[str, Any]:
    """The salt and the mapping that the commitment of the seal was made from. Raises StillBlind."""
    require_closed(experiment)
    return {**sealing.opening(experiment), "kept": sealing.check(experiment)}


def changed_since_the_seal(experiment: Experiment) -> list[str]:
    """What of inputs, texts, protocol or mapping is not as it was sealed, a sentence each. Raises StillBlind."""
    require_closed(experiment)
    return changes(experiment, commitment=sealing.commitment(experiment)) if experiment.sealed else []


def mark(experiment: Experiment) -> list[Any]:
    """What changes when an identity or its price does; for comparing, never for showing."""
    rows = System.objects.filter(arm__experiment=experiment).order_by("arm__code")
    return list(rows.values_list("arm__code", "name", "model_id", "cost", "facts", "parameters"))
