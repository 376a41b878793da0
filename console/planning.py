"""What an experiment as planned will cost its raters, and what it can decide."""

from dataclasses import dataclass
from math import ceil

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from experiments.models import Experiment, Pairs
from reports.statistics.planning import ENOUGH, Plan, power

SECONDS_A_PAIR = 48.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Judgments and hours of all raters together, and how sharp the answer will be; shares from 0 to 1.

    `half_width` is half the expected 95 % interval of a win rate, `chance` that of showing non-inferiority where both
    are truly equal. Both are None without inputs.
    """

    inputs: int
    pairs: int
    judgments: int
    shown: int
    hours: float
    raters: int
    each: int
    margin: float
    half_width: float | None
    chance: float | None

    @property
    def duration(self) -> str:
        """Of all raters together, in words."""
        if self.hours < 1:
            minutes = max(1, round(self.hours * 60))
            return ngettext("%d minute", "%d minutes", minutes) % minutes
        return _("%s hours") % f"{self.hours:.1f}".removesuffix(".0") if self.hours != 1 else _("1 hour")

    @property
    def half_width_points(self) -> str:
        """In percentage points."""
        return f"{100 * (self.half_width or 0):.0f}"

    @property
    def margin_points(self) -> str:
        """In percentage points."""
        return f"{100 * self.margin:.0f}"

    @property
    def chance_percent(self) -> str:
        """In percent."""
        return f"{100 * (self.chance or 0):.0f}"

    @property
    def too_small(self) -> bool:
        """Whether it is likelier than one in five that nothing can be said."""
        return self.chance is not None and self.chance < ENOUGH


def plan_of(experiment: Experiment) -> Effort:
    """From the rows as they are: the arms that answered, the inputs, and the protocol."""
    arms = experiment.arms.count()
    return effort(experiment, inputs=experiment.inputs.count(), arms=arms)


def effort(experiment: Experiment, *, inputs: int, arms: int) -> Effort:
    """The same for so many inputs and arms."""
    couples = max(0, arms - 1) if experiment.pairs == Pairs.BASELINE else arms * (arms - 1) // 2
    raters = experiment.planned_raters
    each = min(experiment.ratings_per_pair, raters)
    judgments = inputs * couples * each
    extra = 1 + experiment.repeat_share + experiment.control_share
    shown = ceil(judgments * extra)
    found = None
    if inputs and couples:
        found = power(Plan(inputs=inputs, raters=raters, votes_per_input=each, margin=experiment.margin))
    return Effort(
        inputs=inputs,
        pairs=inputs * couples,
        judgments=judgments,
        shown=shown,
        hours=shown * SECONDS_A_PAIR / 3600,
        raters=raters,
        each=ceil(shown / raters),
        margin=experiment.margin,
        half_width=found.half_width if found else None,
        chance=found.power if found else None,
    )
