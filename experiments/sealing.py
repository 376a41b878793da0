"""The seal: hashes of the inputs, of the texts shown and of the protocol, frozen when rating opens."""

import hashlib
import json
from typing import Any

from experiments.models import Criterion, Experiment, Input, Output

VERSION = 1
SCOPE_RULE = "population where at least 4 blinded raters judged the pair, else panel"
ALPHA = 0.025
PROTOCOL = (
    "question",
    "instructions",
    "pairs",
    "margin",
    "ratings_per_pair",
    "planned_raters",
    "repeat_share",
    "control_share",
    "ask_acceptable",
    "ask_strength",
    "ask_guess",
    "require_comment",
    "monitored",
    "seed",
)


def seal(experiment: Experiment, *, commitment: str) -> dict[str, Any]:
    """What is frozen: the protocol in clear, the inputs and outputs as SHA-256, and the salted commitment of the key.

    The dictionary goes into `Experiment.sealed`, its `digest` into `Experiment.seal`.
    """
    return {
        "version": VERSION,
        "inputs": inputs_hash(experiment),
        "outputs": outputs_hash(experiment),
        "protocol": protocol(experiment),
        "commitment": commitment,
    }


def digest(sealed: dict[str, Any]) -> str:
    """SHA-256 over the canonical JSON of what was sealed."""
    return hashlib.sha256(canonical(sealed)).hexdigest()


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no white space, in UTF-8: the same bytes for the same content."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def protocol(experiment: Experiment) -> dict[str, Any]:
    """The rules the experiment is judged by."""
    rules: dict[str, Any] = {name: getattr(experiment, name) for name in PROTOCOL}
    rules["baseline"] = experiment.baseline.code if experiment.baseline else None
    rules["criteria"] = list(
        Criterion.objects.filter(experiment=experiment).order_by("position").values("position", "name", "description")
    )
    rules["scope"], rules["alpha_one_sided"] = SCOPE_RULE, ALPHA
    return rules


def inputs_hash(experiment: Experiment) -> str:
    """SHA-256 over the inputs in their order, one canonical JSON line each."""
    rows = Input.objects.filter(experiment=experiment).order_by("position")
    lines = hashlib.sha256()
    for row in rows.values("position", "external_id", "messages", "tags", "reference").iterator(chunk_size=500):
        lines.update(canonical(row) + b"\n")
    return lines.hexdigest()


def outputs_hash(experiment: Experiment) -> str:
    """SHA-256 over the outputs by input and arm: the text and the markup shown, and whether it is shown at all."""
    rows = Output.objects.filter(input__experiment=experiment).order_by("input__position", "arm__code")
    columns = ("input__external_id", "arm__code", "text", "html", "state", "decision")
    lines = hashlib.sha256()
    for row in rows.values_list(*columns).iterator(chunk_size=500):
        lines.update(canonical(row) + b"\n")
    return lines.hexdigest()


def changes(experiment: Experiment, *, commitment: str) -> list[str]:
    """What differs from what was sealed, one sentence each; empty where the seal holds."""
    sealed = experiment.sealed
    if not sealed:
        return ["The experiment was never sealed."]
    found = [] if digest(sealed) == experiment.seal else ["The record of the seal itself was changed."]
    if sealed["inputs"] != inputs_hash(experiment):
        found.append("The inputs were changed.")
    if sealed["outputs"] != outputs_hash(experiment):
        found.append("The texts shown to raters were changed.")
    now = protocol(experiment)
    found += [
        f"The protocol was changed: {name} was {was!r} and is {now.get(name)!r}."
        for name, was in sealed["protocol"].items()
        if now.get(name) != was
    ]
    if sealed["commitment"] != commitment:
        found.append("The mapping of arms to systems was changed.")
    return found
