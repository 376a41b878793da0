"""The rest of a log that a sample was drawn from: rows that may take an input's place until the seal."""

import random
from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from django.db import transaction

from experiments.actions import BATCH, NewInput, unsealed
from experiments.models import Experiment, Input, Spare
from experiments.personal_data import found

SHORT, LONG = 300, 1_500  # signs: where "of about the same length" ends
Recorded = Mapping[str, Mapping[str, Any]]


def add_spares(*, experiment: Experiment, rows: Iterable[tuple[NewInput, Recorded]]) -> None:
    """Keep the rows that were not chosen, each with the answers to it that were recorded, by system."""
    made = (
        Spare(
            experiment=experiment,
            external_id=one.external_id,
            messages=one.messages,
            tags=one.tags,
            reference=one.reference,
            personal=one.personal,
            outputs=outputs,
            length=length_of(one.messages),
        )
        for one, outputs in rows
    )
    while batch := list(islice(made, BATCH)):
        Spare.objects.bulk_create(batch)


def add_answers(experiment: Experiment, system: str, answers: Recorded) -> None:
    """Keep recorded answers of one system with the spares they are to."""
    spares = list(Spare.objects.filter(experiment=experiment, external_id__in=answers))
    for spare in spares:
        spare.outputs = {**spare.outputs, system: answers[spare.external_id]}
    Spare.objects.bulk_update(spares, ["outputs"], batch_size=200)


def rename_answers(experiment: Experiment, old: str, new: str) -> None:
    """The recorded answers of a system go by its new name."""
    spares = [spare for spare in Spare.objects.filter(experiment=experiment) if old in spare.outputs]
    for spare in spares:
        spare.outputs = {new if name == old else name: answer for name, answer in spare.outputs.items()}
    Spare.objects.bulk_update(spares, ["outputs"], batch_size=200)


def length_of(messages: Sequence[Mapping[str, Any]]) -> int:
    """The signs of all that is said."""
    return sum(len(str(message.get("content", ""))) for message in messages)


def drawn(item: Input) -> Spare | None:
    """A spare of the same tags and about the same length if there is one, else any; None where there are none.

    The draw derives from the experiment's salt: asking again gives the same, so that nobody draws until it suits.
    """
    spares = Spare.objects.filter(experiment=item.experiment_id)
    alike = list(spares.filter(tags=item.tags).values_list("pk", "length"))
    alike = alike or list(spares.values_list("pk", "length"))
    band = bisect((SHORT, LONG), length_of(item.messages))
    near = [pk for pk, length in alike if bisect((SHORT, LONG), length) == band]
    choices = near or [pk for pk, _ in alike]
    if not choices:
        return None
    salt = item.experiment.draw_salt
    draw = random.Random(f"{salt} instead of {item.external_id}")  # noqa: S311  # the salt is the secret
    return spares.get(pk=draw.choice(choices))


@transaction.atomic
def put_in_place(*, item: Input, spare: Spare, outputs: Recorded) -> Input:
    """The spare as an input at the same position, and the input as a spare with its recorded answers.

    What was answered to the old one is gone. Raises AlreadySealed.
    """
    unsealed(item.experiment_id)
    experiment, position = item.experiment, item.position
    old = NewInput(
        external_id=item.external_id,
        messages=item.messages,
        tags=item.tags,
        reference=item.reference,
        personal=item.personal,
    )
    item.delete()
    spare.delete()
    add_spares(experiment=experiment, rows=[(old, outputs)])
    return Input.objects.create(
        experiment=experiment,
        position=position,
        external_id=spare.external_id,
        messages=spare.messages,
        tags=spare.tags,
        reference=spare.reference,
        personal=spare.personal,
    )


def forget_the_rest(experiment: Experiment) -> None:
    """At the seal: the rest of the log, files nobody took and the keys of masks go; what was found stays as a count."""
    experiment.spares.all().delete()
    experiment.staged.all().delete()
    experiment.masks, experiment.personal_found = {}, found(experiment)
    experiment.save(update_fields=["masks", "personal_found"])
