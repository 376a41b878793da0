"""What others may ask about collecting, without ever holding a row of the envelope."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count
from django.db.models.functions import Lower

from backends.models import Completion, State, System
from backends.preflight import Finding, Preflight, changes, compare
from experiments.models import Arm, Experiment


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemProgress:
    """How far one system is, in rows; `trouble` is a sentence where it is paused or its server is away."""

    name: str
    done: int = 0
    failed: int = 0
    pending: int = 0
    running: int = 0
    samples: int = 1
    paused: bool = False
    recorded: bool = False
    trouble_kind: str = ""
    trouble: str = ""

    @property
    def total(self) -> int:
        """All rows."""
        return self.done + self.failed + self.pending + self.running

    def not_started(self, inputs: int) -> int:
        """Calls that nobody has asked for yet: of a system whose collecting was not started."""
        return 0 if self.recorded or self.total else inputs * self.samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an experiment is, in rows; `pending` waits, `running` is being asked right now."""

    done: int
    failed: int
    pending: int
    running: int
    systems: tuple[SystemProgress, ...] = field(default=())

    @property
    def total(self) -> int:
        """All rows."""
        return self.done + self.failed + self.pending + self.running

    @property
    def unfinished(self) -> int:
        """Rows that may still change by themselves."""
        return self.pending + self.running

    def not_started(self, inputs: int) -> int:
        """Calls that nobody has asked for yet."""
        return sum(one.not_started(inputs) for one in self.systems)

    def as_json(self) -> dict[str, int]:
        """As the commands print it; `pending` is all that is not finished, `running` a part of it."""
        return {"done": self.done, "failed": self.failed, "pending": self.unfinished, "running": self.running}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An answer that did not come, or (`input` None) a system that cannot be asked at all."""

    system: str
    input: str | None
    kind: str
    sentence: str

    def as_json(self) -> dict[str, str | None]:
        """As the commands print it."""
        return {"system": self.system, "input": self.input, "kind": self.kind, "sentence": self.sentence}


def progress(experiment: Experiment) -> Progress:
    """How far collecting is."""
    return progress_of(experiment.pk)


def progress_of(experiment_id: int) -> Progress:
    """The same by id."""
    counted = (
        Completion.objects.filter(system__arm__experiment=experiment_id)
        .values_list("system_id", "state")
        .annotate(n=Count("pk"))
        .order_by()
    )
    by_system: dict[int, dict[str, int]] = {}
    for system, state, n in counted:
        by_system.setdefault(system, {})[state] = n
    systems = [_system(one, by_system.get(one.pk, {})) for one in _systems(experiment_id)]
    sums = {state: sum(getattr(one, state) for one in systems) for state in State.values}
    return Progress(systems=tuple(systems), **sums)


def failures(experiment: Experiment) -> list[Failure]:
    """Systems that cannot be asked now, then every answer that failed for good, by system and input."""
    stopped = [
        Failure(system=one.name, input=None, kind=one.trouble_kind, sentence=one.trouble)
        for one in _systems(experiment.pk)
        if one.trouble and (one.paused_at or one.circuit_until)
    ]
    rows = Completion.objects.filter(system__arm__experiment=experiment, state=State.FAILED)
    found = rows.order_by(Lower("system__name"), "input__position", "sample").values_list(
        "system__name", "input__external_id", "failure_kind", "sentence"
    )
    return stopped + [
        Failure(system=system, input=item, kind=kind, sentence=sentence) for system, item, kind, sentence in found
    ]


def answers_here(experiment: Experiment, name: str) -> int:
    """How many answers of the system called so were fetched; recorded ones are not."""
    rows = Completion.objects.filter(system__arm__experiment=experiment, system__name=name, state=State.DONE)
    return rows.filter(system__endpoint__isnull=False).count()


def arms_by_name(experiment: Experiment) -> dict[str, Arm]:
    """Which arm a system's name means: for imports that name systems. Never for a page that a rater sees."""
    return {one.name: one.arm for one in _systems(experiment.pk)}


def names(experiment: Experiment) -> list[str]:
    """The systems' names, in alphabetical order: it says nothing of the arms."""
    return [one.name for one in _systems(experiment.pk)]


def telling_names(experiment_id: int) -> tuple[str, ...]:
    """What the experiment's systems and their models are called: words that give an answer's maker away."""
    rows = System.objects.filter(arm__experiment=experiment_id).values_list("name", "model_id")
    return tuple(sorted({text for row in rows for text in row if text}))


def findings(experiment: Experiment) -> list[Finding]:
    """What the checks before and after collecting found, the worst first."""
    records: Mapping[str, Mapping[str, Any]] = {one.name: one.preflight for one in _systems(experiment.pk)}
    before = {name: Preflight.from_json(one["before"]) for name, one in records.items() if "before" in one}
    after = {name: Preflight.from_json(one["after"]) for name, one in records.items() if "after" in one}
    changed = [
        Finding("red", f"{name}: {sentence}", (name,))
        for name in before
        if name in after
        for sentence in changes(before[name], after[name])
    ]
    return changed + compare(before)


def _systems(experiment_id: int) -> list[System]:
    found = System.objects.filter(arm__experiment=experiment_id).select_related("arm")
    return list(found.order_by(Lower("name"), "pk"))


def _system(system: System, counts: Mapping[str, int]) -> SystemProgress:
    paused = system.paused_at is not None
    return SystemProgress(
        name=system.name,
        samples=system.samples,
        paused=paused,
        recorded=system.endpoint_id is None,
        trouble_kind=system.trouble_kind,
        trouble=system.trouble or system.pause_reason,
        **counts,
    )
