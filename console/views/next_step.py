"""The one thing an owner should do next, from where the experiment stands."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backends.queries import Progress
from experiments.models import Experiment, Status
from ratings.progress import Judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All that decides about the next step, counted."""

    inputs: int
    collected: Progress
    undecided: int
    raters: int
    judged: Judged

    @property
    def outputs_wanted(self) -> int:
        """All that are or will be fetched, those of a system that was not started too."""
        return self.collected.total + self.collected.not_started(self.inputs)


@dataclass(frozen=True, slots=True)
class Step:
    """Where the experiment stands in a sentence, and the way to what comes next."""

    sentence: str
    label: str
    place: str


def next_step(experiment: Experiment, now: Standing) -> Step:
    """What to do, and where."""
    if experiment.status == Status.CLOSED:
        return Step(_("Rating is over. The report names the systems."), _("Read the report"), "report/")
    return _while_rating(now) if experiment.status == Status.RATING else _before_the_seal(now)


def _before_the_seal(now: Standing) -> Step:
    if not now.inputs:
        return Step(_("There is nothing to answer yet."), _("Add inputs"), "inputs/")
    if len(now.collected.systems) < 2:
        return Step(_("A comparison needs at least two systems."), _("Add systems"), "systems/")
    if calls := now.collected.not_started(now.inputs):
        said = ngettext("%d answer is to be fetched.", "%d answers are to be fetched.", calls) % calls
        return Step(said, _("Start collecting"), "collecting/")
    if now.collected.unfinished:
        left = now.collected.unfinished
        said = ngettext("%d answer is still to come.", "%d answers are still to come.", left) % left
        return Step(said, _("Watch collecting"), "collecting/")
    if now.undecided:
        said = ngettext("%d answer names its maker.", "%d answers name their makers.", now.undecided) % now.undecided
        return Step(said, _("Check the outputs"), "check/")
    return Step(_("Everything is collected and checked."), _("Open rating"), "open/")


def _while_rating(now: Standing) -> Step:
    if not now.raters:
        return Step(_("Rating is open, but nobody is invited yet."), _("Invite raters"), "raters/")
    if now.judged.done < now.judged.wanted:
        said = _("%(done)s of %(wanted)s judgments are in.") % {
            "done": f"{now.judged.done:,}",
            "wanted": f"{now.judged.wanted:,}",
        }
        return Step(said, _("See the raters"), "raters/")
    return Step(_("All judgments that were wanted are in."), _("Close rating"), "close/")
