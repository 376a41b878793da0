"""Signs that a rater's work deserves a look, for the owner's page while rating goes on."""

from collections.abc import Sequence
from dataclasses import dataclass

from ratings.progress import RaterProgress
from reports.statistics.distributions import binomial_two_sided
from reports.statistics.position import LeftShare
from reports.statistics.raters import Habits, control_check, flags


@dataclass(frozen=True, slots=True)
class Signed:
    """A rater with the signs, as short phrases; none before there is enough to go by."""

    rater: RaterProgress
    signs: tuple[str, ...]

    @property
    def ties(self) -> str:
        """The share of ties."""
        return _percent(self.rater.tie_share)

    @property
    def left(self) -> str:
        """The share of preferences for the left side."""
        return _percent(self.rater.left_share)


def with_signs(raters: Sequence[RaterProgress], *, of: int) -> list[Signed]:
    """Side, ties and controls of some raters `of` all there are; nothing here says which arm anybody prefers."""
    return [Signed(rater, _signs(rater, of)) for rater in raters]


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def _signs(rater: RaterProgress, raters: int) -> tuple[str, ...]:
    p = binomial_two_sided(rater.left, rater.decisive) if rater.decisive else 1.0
    found = flags(
        Habits(
            votes=rater.done,
            tie_share=rater.tie_share,
            left=LeftShare(left=rater.left, decisive=rater.decisive, p=p, p_holm=min(1.0, p * raters)),
            median_seconds=rater.median_seconds,
            reading_floor=None,
            agreement_with_others=None,
            controls=control_check(rater.controls_right, rater.controls) if rater.controls else None,
        )
    )
    return (*found, "could see which system is which") if rater.unblinded else found
