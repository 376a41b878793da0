"""The sealed envelope: whether it may be closed, a promise of what is in it, and its opening after the experiment."""

import hashlib
import hmac
from collections import Counter
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Count, Q

from backends.models import Completion, Outcome, State, System
from backends.queries import Progress, findings, progress
from experiments.models import Experiment, Input, Output, OutputState
from experiments.refusals import Refused
from experiments.sealing import canonical

PURPOSE = b"commitment of the mapping of arms to systems"
# Letters that nobody sees and no script needs: zero-width space, word joiner, byte order mark, soft hyphen, overrides.
UNSEEN = ("\u200b", "\u2060", "\ufeff", "\u00ad", "\u202d", "\u202e")
HOW = "SHA-256 over the salt (as text), a line feed, and the mapping as JSON with sorted keys and no white space"


class StillSealed(Refused):
    """The envelope is opened only after the experiment is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What stands against the opening of rating (`blocking`), and what its owner should know; whole sentences."""

    blocking: list[str]
    warnings: list[str]

    @property
    def ready(self) -> bool:
        """Nothing stands against it."""
        return not self.blocking


def readiness(experiment: Experiment) -> Readiness:
    """Whether rating may be opened, as far as systems and their answers go; flags are decided on above."""
    now = progress(experiment)
    blocking = [*_too_few(experiment, now), *_unfinished(now), *_unanswered(experiment)]
    warnings = [*_held_back(experiment), *_unseen(experiment), *_as_found(experiment)]
    return Readiness(blocking=blocking, warnings=warnings)


def commitment(experiment: Experiment) -> str:
    """Salted SHA-256 over the canonical JSON of arm code -> system; shows nothing, and fits only one mapping."""
    return _digest(_salt(experiment), _mapping(experiment))


def opening(experiment: Experiment) -> dict[str, Any]:
    """What the commitment was made of, for anybody to check. Raises StillSealed until the experiment is closed."""
    if experiment.is_blind:
        raise StillSealed("the experiment is not closed yet: which system played which arm stays sealed.")
    salt, mapping = _salt(experiment), _mapping(experiment)
    return {"commitment": _digest(salt, mapping), "salt": salt, "mapping": mapping, "how": HOW}


def check(experiment: Experiment) -> bool:
    """Whether the mapping is still the one that was promised when rating opened."""
    promised = str(experiment.sealed.get("commitment", ""))
    return bool(promised) and hmac.compare_digest(promised, commitment(experiment))


def _salt(experiment: Experiment) -> str:
    return hmac.new(bytes.fromhex(experiment.draw_salt), PURPOSE, hashlib.sha256).hexdigest()


def _digest(salt: str, mapping: dict[str, Any]) -> str:
    return hashlib.sha256(salt.encode() + b"\n" + canonical(mapping)).hexdigest()


def _mapping(experiment: Experiment) -> dict[str, Any]:
    """What makes a system itself; its price and where it is served may be corrected later."""
    systems = System.objects.filter(arm__experiment=experiment).select_related("arm")
    return {
        system.arm.code: {
            "name": system.name,
            "model": system.model_id,
            "system_prompt": system.system_prompt,
            "parameters": system.parameters,
            "facts": system.facts,
        }
        for system in systems.order_by("arm__code")
    }


def _too_few(experiment: Experiment, now: Progress) -> list[str]:
    found = []
    if len(now.systems) < 2:
        found.append(f"There are {len(now.systems)} systems: a comparison needs at least two.")
    if not Input.objects.filter(experiment=experiment).exists():
        found.append("There are no inputs.")
    return found


def _unfinished(now: Progress) -> list[str]:
    found = []
    for system in now.systems:
        if system.pending or system.running:
            left = system.pending + system.running
            why = f" It is paused: {system.trouble}" if system.paused else ""
            found.append(f"{system.name}: {left} of {system.total} answers are still to come.{why}")
        elif not system.recorded and not system.total:
            found.append(f"{system.name}: collecting was not started.")
    return found


def _unanswered(experiment: Experiment) -> list[str]:
    """Inputs that two systems answered well enough to be compared: none is too few."""
    usable = Output.objects.filter(input__experiment=experiment).exclude(
        state__in=[OutputState.WITHHELD, OutputState.EMPTY]
    )
    pairs = usable.order_by().values("input").annotate(n=Count("pk")).filter(n__gte=2)
    return [] if pairs.exists() else ["No input has two answers that can be compared."]


def _held_back(experiment: Experiment) -> list[str]:
    counts: Counter[tuple[str, str]] = Counter()
    inputs = Input.objects.filter(experiment=experiment).count()
    found = []
    first = Count("completions", filter=Q(completions__sample=0))
    for system in System.objects.filter(arm__experiment=experiment).annotate(asked=first).order_by("name"):
        if system.asked < inputs and (system.endpoint_id is None or system.asked):
            found.append(f"{system.name}: {inputs - system.asked} inputs have no answer.")
    rows = Completion.objects.filter(system__arm__experiment=experiment, sample=0)
    for name, state, outcome in rows.values_list("system__name", "state", "outcome"):
        word = "failed" if state == State.FAILED else str(outcome)
        if state in {State.FAILED, State.DONE} and outcome != Outcome.COMPLETE:
            counts[name, word] += 1
    found += [f"{name}: {n} answers {_be(word)} and will not be shown." for (name, word), n in sorted(counts.items())]
    return found


def _be(word: str) -> str:
    return word if word == "failed" else f"are {word}"


def _unseen(experiment: Experiment) -> list[str]:
    """They are told of, not taken out: a text that is changed in silence is not what the system said."""
    holds = reduce(or_, (Q(text__contains=letter) for letter in UNSEEN))
    rows = Output.objects.filter(holds, input__experiment=experiment).order_by().values_list("arm")
    counts = dict(rows.annotate(n=Count("pk")))
    systems = System.objects.filter(arm__in=counts).order_by("name").values_list("name", "arm")
    return [
        f"{name}: {counts[arm]} answers hold letters that nobody sees, such as zero-width spaces. "
        "Raters get them as they are; whoever copies a text could find them."
        for name, arm in systems
    ]


def _as_found(experiment: Experiment) -> list[str]:
    return [finding.sentence for finding in findings(experiment)]
