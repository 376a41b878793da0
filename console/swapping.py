"""One input of a sample for another row of the log, until the seal; what was answered to it goes with it."""

from collections.abc import Mapping

from django.db import transaction

from accounts.actions import log
from accounts.models import User
from backends.recordings import at_hand, take_along
from console.drafting import CannotChange, unsealed
from experiments.models import Experiment, Input, Spare
from experiments.spares import drawn, put_in_place


@transaction.atomic
def swap(*, experiment: Experiment, position: int, spare: int | None, by: User) -> Input:
    """Put the spare with this key (None: one drawn among those alike) in the place of the input; the new input.

    Systems that are being asked are asked for the new input as well. Raises CannotChange from the seal on.
    """
    current = unsealed(experiment)
    item = Input.objects.filter(experiment=current, position=position).select_related("experiment").first()
    if item is None:
        raise CannotChange("this input is no longer there.")
    other = drawn(item) if spare is None else Spare.objects.filter(experiment=current, pk=spare).first()
    if other is None:
        raise CannotChange("there is no other row of the log to take." if spare is None else "this row is gone.")
    outputs: Mapping[str, Mapping[str, object]] = other.outputs
    made = put_in_place(item=item, spare=other, outputs=at_hand(item))
    take_along(made, outputs)
    log(by, "swapped an input", f"experiment {current.slug}", number=position, drawn=spare is None)
    return made
