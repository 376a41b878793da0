"""Whether what a withdrawn rater judged counts: the owner's choice, blind, and open until the closing."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actions import log
from accounts.models import User
from experiments.models import Experiment
from experiments.refusals import Refused
from ratings.models import Assignment, Rater

LEFT_OUT = "left out a rater"
COUNTED_AGAIN = "counted a rater again"


class TooLate(Refused):
    """The names are known by now: whoever leaves somebody out might do it for what they said."""


@transaction.atomic
def leave_out(*, rater: Rater, by: User | None, now: datetime | None = None) -> None:
    """Withdraw a link, and let nothing count that came by it: its pairs are free for others. Raises TooLate.

    An answer that is on its way is either saved before and left out, or refused.
    """
    held = hold(rater)
    _check(held)
    if held.left_out_at is not None:
        return
    at = now or timezone.now()
    held.revoked_at, held.left_out_at = held.revoked_at or at, at
    held.save(update_fields=["revoked_at", "left_out_at"])
    Assignment.objects.filter(rater=held, counts__isnull=True, skipped_at__isnull=True).update(lease_until=None)
    log(by, LEFT_OUT, f"experiment {held.experiment.slug}", rater=held.label)


@transaction.atomic
def count_again(*, rater: Rater, by: User | None) -> None:
    """Take it back: what the rater judged counts as it did, the link stays withdrawn. Raises TooLate."""
    held = hold(rater)
    _check(held)
    if held.left_out_at is None:
        return
    held.left_out_at = None
    held.save(update_fields=["left_out_at"])
    log(by, COUNTED_AGAIN, f"experiment {held.experiment.slug}", rater=held.label)


def hold(rater: Rater) -> Rater:
    """The rater as of now, once nobody writes judgments of theirs any more, nor closes the experiment; keep both
    waiting until this transaction ends.

    A vote holds the rater, an import the experiment, whoever closes the one and then the other, as here.
    """
    held = Rater.objects.select_for_update(no_key=True).get(pk=rater.pk)
    held.experiment = Experiment.objects.select_for_update(no_key=True).get(pk=held.experiment_id)
    return held


def _check(rater: Rater) -> None:
    if not rater.experiment.is_blind:
        slug = rater.experiment.slug
        raise TooLate(f"{slug} is closed and its names are known: whose judgments count can no longer be changed.")
