"""What is written about blind rows: experiments, inputs, arms, the outputs raters see, what is decided of them."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from accounts.models import User
from experiments.models import Arm, Criterion, Decision, Experiment, Input, Output, OutputState, Status
from experiments.naming import Finding, find_all, mask
from experiments.normalising import normalise
from experiments.refusals import Refused
from experiments.rendering import render

BATCH = 500
RETENTION_DAYS = 90  # after closing, unless its owner says otherwise
BEFORE_THE_SEAL = (Status.DRAFT, Status.COLLECTING)
HELD_BACK = {
    "truncated": "the answer was cut off before its end",
    "refused": "the model or a filter refused to answer",
}


class AlreadySealed(Refused):
    """What raters see is frozen since the opening of rating."""


class CannotDecide(Refused):
    """A decision that does not fit the output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInput:
    """An input that has been validated: chat messages of at least one turn, tags as a list or an object of strings.

    `personal` counts what was found in it by kind (see `experiments.personal_data`).
    """

    external_id: str
    messages: list[dict[str, str]]
    tags: Any = field(default_factory=list)
    reference: str = ""
    personal: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCriterion:
    """A further question about each pair."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedOutput:
    """A text made ready for raters, not stored yet."""

    text: str
    html: str
    state: OutputState
    flags: list[dict[str, Any]]
    reason: str = ""


def free_slug(title: str) -> str:
    """A slug made from the title that no experiment has yet."""
    base = slugify(title)[:70].strip("-") or "experiment"
    taken = set(Experiment.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for slug in _numbered(base) if slug not in taken)


@transaction.atomic
def add_experiment(
    *,
    fields: dict[str, Any],
    inputs: Sequence[NewInput],
    criteria: Sequence[NewCriterion] = (),
    owners: Iterable[User] = (),
) -> Experiment:
    """A draft with its inputs and criteria; `fields` are columns of Experiment. The arms come with their systems."""
    experiment = Experiment.objects.create(**fields)
    experiment.owners.set(owners)
    add_inputs(experiment=experiment, inputs=inputs)
    Criterion.objects.bulk_create(
        Criterion(experiment=experiment, position=position, name=one.name, description=one.description)
        for position, one in enumerate(criteria, start=1)
    )
    return experiment


def add_inputs(*, experiment: Experiment, inputs: Iterable[NewInput]) -> None:
    """Inputs after those that are there, in the order given."""
    start = experiment.inputs.count() + 1
    rows = (
        Input(
            experiment=experiment,
            position=position,
            external_id=one.external_id,
            messages=one.messages,
            tags=one.tags,
            reference=one.reference,
            personal=one.personal,
        )
        for position, one in enumerate(inputs, start=start)
    )
    while batch := list(islice(rows, BATCH)):  # bulk_create would hold the rows of all batches at once
        Input.objects.bulk_create(batch)


def add_arm(*, experiment: Experiment) -> Arm:
    """An anonymous contestant with a random code."""
    return Arm.objects.create(experiment=experiment)


def prepare_output(raw_text: str, outcome: str, extra_names: Iterable[str] = (), prompt: str = "") -> PreparedOutput:
    """Normalise, look for names, render: slow work that belongs outside any transaction.

    `outcome` is complete, truncated, refused or empty; `extra_names` are the names of the experiment's systems;
    a name that the prompt already holds gives nothing away.
    """
    text = normalise(raw_text)
    if not text:
        return PreparedOutput(text="", html="", state=OutputState.EMPTY, flags=[])
    html = render(text)
    if outcome in HELD_BACK:
        return PreparedOutput(text=text, html=html, state=OutputState.WITHHELD, flags=[], reason=HELD_BACK[outcome])
    flags = [asdict(finding) for finding in find_all(text, tuple(extra_names), prompt)]
    return PreparedOutput(text=text, html=html, state=OutputState.FLAGGED if flags else OutputState.READY, flags=flags)


def prompt_of(item: Input) -> str:
    """All that the input's messages say, for looking up names."""
    return "\n".join(str(message.get("content", "")) for message in item.messages)


def store_output(*, input: Input, arm: Arm, raw_text: str, outcome: str, extra_names: Iterable[str] = ()) -> Output:  # noqa: A002  # the contract's word for the row
    """Prepare and store the output of an arm for an input; call it outside any transaction.

    A second call replaces the text and forgets the decision. Raises AlreadySealed from the opening of rating on.
    """
    return store_prepared(
        item=input, arm=arm, prepared=prepare_output(raw_text, outcome, extra_names, prompt_of(input))
    )


@transaction.atomic
def store_prepared(*, item: Input, arm: Arm, prepared: PreparedOutput) -> Output:
    """Store what `prepare_output` gave; quick enough for a transaction of the caller's own."""
    unsealed(item.experiment_id)
    output, _ = Output.objects.update_or_create(input=item, arm=arm, defaults=fields_of(prepared))
    return output


def fields_of(prepared: PreparedOutput) -> dict[str, Any]:
    """The columns of a freshly prepared output, for a row of its own or for many at once."""
    return asdict(prepared) | {"decision": Decision.NONE, "decided_by": None, "decided_at": None}


@transaction.atomic
def decide_output(*, output: Output, decision: str, reason: str = "", by: User | None = None) -> Output:
    """Mask, release or withhold an output before the seal; withholding needs a reason.

    Masking changes only the flagged words. Raises AlreadySealed, CannotDecide.
    """
    unsealed(output.input.experiment_id)
    decided = Decision(decision)
    if decided == Decision.NONE or (decided == Decision.WITHHELD and not reason):
        raise CannotDecide("say whether to mask, release or withhold the answer; withholding needs a reason.")
    if output.state == OutputState.EMPTY:
        raise CannotDecide("an empty answer is held back in any case.")
    if decided != Decision.WITHHELD:
        _decide_on_names(output, decided)
    output.decide(decided, reason=reason[:300], by=by, at=timezone.now())
    output.save()
    return output


def decide_all_flagged(*, experiment: Experiment, decision: str, reason: str, by: User | None, at: datetime) -> int:
    """Release or withhold every flagged output that waits for a decision; how many there were."""
    state = OutputState.WITHHELD if decision == Decision.WITHHELD else OutputState.FLAGGED
    waiting = Output.objects.filter(input__experiment=experiment).undecided()
    return waiting.update(decision=decision, state=state, reason=reason, decided_by=by, decided_at=at)


@transaction.atomic
def look_for_names(*, experiment: Experiment, names: Iterable[str]) -> int:
    """Search the texts again, as systems are called otherwise now; how many wait for a decision since.

    What was released or withheld stays so; a mask stays, and what it left is looked at.
    """
    words, found = tuple(names), []
    rows = Output.objects.filter(input__experiment=experiment, state__in=[OutputState.READY, OutputState.MASKED])
    for output in rows.select_related("input"):
        if flags := [asdict(one) for one in find_all(output.text, words, prompt_of(output.input))]:
            output.state, output.flags, output.decision = OutputState.FLAGGED, flags, Decision.NONE
            output.decided_by = output.decided_at = None
            found.append(output)
    columns = ["state", "flags", "decision", "decided_by", "decided_at"]
    Output.objects.bulk_update(found, columns, batch_size=200)
    return len(found)


def unsealed(experiment_id: int) -> None:
    """Locks the experiment and raises AlreadySealed from the opening of rating on."""
    status = Experiment.objects.select_for_update().values_list("status", flat=True).get(pk=experiment_id)
    if status not in BEFORE_THE_SEAL:
        raise AlreadySealed("the experiment is sealed: what raters see can no longer be changed.")


def _decide_on_names(output: Output, decision: Decision) -> None:
    if output.state == OutputState.MASKED:
        raise CannotDecide("the names in this answer are masked already; fetch it again to have the first text back.")
    if not output.flags:
        raise CannotDecide("this answer names nobody: it can only be withheld.")
    output.state = OutputState.FLAGGED
    if decision == Decision.MASKED:
        output.text = mask(output.text, tuple(Finding(**flag) for flag in output.flags))
        output.html = render(output.text)
        output.state = OutputState.MASKED


def _numbered(base: str) -> Iterable[str]:
    yield base
    number = 2
    while True:
        yield f"{base}-{number}"
        number += 1
