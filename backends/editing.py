"""A system changed before the seal, as far as that changes nothing of the answers that were fetched from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from backends import bell
from backends.actions import check_asked
from backends.listing import version_of
from backends.models import Completion, LoadRun, State, System
from backends.queries import telling_names
from backends.queueing import add_missing_rows, refuse_after_the_seal
from experiments.actions import look_for_names
from experiments.models import Experiment
from experiments.refusals import Refused
from experiments.spares import rename_answers

# What an answer and its time depend on, in the words of the page.
ASKED = {
    "endpoint": "endpoint",
    "model_id": "model",
    "system_prompt": "system prompt",
    "parameters": "parameters",
    "concurrency": "calls at a time",
}


class CannotEdit(Refused):
    """A change that would make answers that are here another system's."""


class ChangedMeanwhile(Refused):
    """Somebody else changed the system after this one was looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """What a change came to: the columns that differ now, load runs that no longer count, and whether it is paused."""

    fields: tuple[str, ...]
    load_runs: int
    paused: bool


@transaction.atomic
def edit_system(*, experiment: Experiment, name: str, version: str, changes: Mapping[str, Any]) -> Edited:
    """Set these columns of the system called `name`, which was of this `version` when its owner looked at it.

    Raises TooLate, CannotEdit, ChangedMeanwhile, CannotAdd; then nothing is changed.
    """
    refuse_after_the_seal(experiment)
    system = _system(experiment, name)
    if version != version_of(system):
        raise ChangedMeanwhile(f"{name!r} was changed by somebody else meanwhile.")
    new = {field: value for field, value in changes.items() if getattr(system, field) != value}
    asked = [word for field, word in ASKED.items() if field in new] if system.endpoint else []
    for field, value in new.items():
        setattr(system, field, value)
    if System.objects.filter(arm__experiment=experiment, name=system.name).exclude(pk=system.pk).exists():
        raise CannotEdit(f"two systems of the experiment would be called {system.name!r}.")
    if system.endpoint:
        check_asked(system.name, system.endpoint, system.parameters, system.concurrency)
        _refuse_what_is_here(system, name, asked)
    stale = _ask_anew(system) if asked else 0
    system.save(update_fields=[*new, "preflight", "lowered_to"])
    _carry_on(experiment, system, name, new)
    return Edited(fields=tuple(new), load_runs=stale, paused=system.paused_at is not None)


def _system(experiment: Experiment, name: str) -> System:
    found = System.objects.select_for_update(of=("self",)).filter(arm__experiment=experiment, name=name)
    system = found.select_related("endpoint").first()
    if system is None:
        raise CannotEdit(f"the experiment has no system {name!r} any more: it was removed or renamed.")
    return system


def _refuse_what_is_here(system: System, name: str, asked: list[str]) -> None:
    """What was fetched was fetched with these settings; what is being fetched must not be with two kinds of them."""
    rows = Completion.objects.filter(system=system)
    done = rows.filter(state=State.DONE)
    if asked and (here := done.count()):
        raise CannotEdit(
            f"{here} answers of {name!r} are here, so its {_listed(asked)} cannot be changed: they would become "
            f"another system's answers. Add one like it with the new settings, then remove {name!r}."
        )
    if asked and rows.filter(state__in=[State.PENDING, State.RUNNING]).exists():
        if rows.filter(state=State.RUNNING).exists():
            raise CannotEdit(f"{name!r} is being asked right now. Pause it, and save again when its calls have ended.")
        if system.paused_at is None:
            raise CannotEdit(f"answers of {name!r} are about to be fetched. Pause it first, then save again.")
    most = done.order_by("-sample").values_list("sample", flat=True).first()
    if most is not None and most >= system.samples:
        raise CannotEdit(
            f"inputs were asked {most + 1} times of {name!r} already: these answers are here and count. Leave it at "
            f"{most + 1} or more."
        )


def _ask_anew(system: System) -> int:
    """What was found out about it holds no longer; how many load runs go."""
    system.preflight, system.lowered_to = {}, None
    return LoadRun.objects.filter(system=system).delete()[0]


def _carry_on(experiment: Experiment, system: System, old_name: str, new: Mapping[str, Any]) -> None:
    if "samples" in new:
        Completion.objects.filter(system=system, sample__gte=system.samples).exclude(state=State.RUNNING).delete()
        add_missing_rows(experiment)
    if "name" in new:
        rename_answers(experiment, old_name, system.name)
    if {"name", "model_id"} & new.keys():
        look_for_names(experiment=experiment, names=telling_names(experiment.pk))
    bell.ring(experiment.pk)


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
