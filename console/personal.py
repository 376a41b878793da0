"""What happens to personal data in the inputs: the owner's decision, asked for before anything leaves."""

from django.db import transaction

from accounts.actions import log
from accounts.models import User
from backends.queries import progress
from backends.recordings import rewrite
from console.drafting import CannotChange, unsealed
from experiments.actions import NewInput
from experiments.models import Experiment, Input, PersonalData, Spare, Status
from experiments.personal import Masks
from experiments.personal_data import found, in_words, looked_at, masks_of


class Undecided(CannotChange):
    """Personal data was found, and nobody has said what is to become of it."""


def undecided(experiment: Experiment) -> dict[str, int]:
    """What was found in the inputs, by kind, as long as nobody decided about it; nothing afterwards."""
    return {} if experiment.personal_data else found(experiment)


def check_decided(experiment: Experiment) -> None:
    """Raises Undecided where inputs with personal data would be sent without a decision of their owner."""
    counts = undecided(experiment)
    asked = any(not one.recorded for one in progress(experiment).systems)
    if counts and asked:
        raise Undecided(
            f"the inputs hold {in_words(counts)}. Say on the page of the inputs whether they are masked before "
            "anything is sent, or left as they are."
        )


def warning(experiment: Experiment) -> list[str]:
    """The same for the command line, which goes on: a sentence, or none."""
    counts = undecided(experiment)
    if not counts:
        return []
    return [
        f'the inputs hold {in_words(counts)}, which go out as they are. Write personal_data = "mask" into the file '
        'to have them masked, or "keep" to say that they may.'
    ]


def decide(*, experiment: Experiment, choice: str, by: User) -> None:
    """Mask what was found in inputs, spares and recorded answers, or say that it may stay.

    What was masked is not kept anywhere. Masking is for a draft: afterwards inputs may have left already.
    Raises CannotChange.
    """
    masks = masks_of(experiment)
    mask = choice == PersonalData.MASK
    if mask and experiment.status != Status.DRAFT:
        raise CannotChange("collecting has begun, so inputs may have left already: they can no longer be masked.")
    with transaction.atomic():
        current = unsealed(experiment)
        if current.personal_data:
            raise CannotChange("this was decided already. Remove the inputs and add them again to decide anew.")
        if mask:
            rows: list[Input | Spare] = [*Input.objects.filter(experiment=current).exclude(personal={})]
            rows += Spare.objects.filter(experiment=current).exclude(personal={})
            for row in rows:
                _mask(row, masks)
            _mask_answers(current, masks)
        current.personal_data, current.masks = choice, masks.state if mask else {}
        current.save(update_fields=["personal_data", "masks"])
        log(by, "decided about personal data", f"experiment {current.slug}", choice=choice, **found(current))


def _mask(row: Input | Spare, masks: Masks) -> None:
    one = looked_at(NewInput(external_id="", messages=row.messages, reference=row.reference), masks)
    row.messages, row.reference = one.messages, one.reference
    row.save(update_fields=["messages", "reference"])


def _mask_answers(experiment: Experiment, masks: Masks) -> None:
    rewrite(experiment, masks.masked)
    for spare in experiment.spares.exclude(outputs={}):
        outputs = {name: {**answer, "text": masks.masked(answer["text"])} for name, answer in spare.outputs.items()}
        if outputs != spare.outputs:
            spare.outputs = outputs
            spare.save(update_fields=["outputs"])
