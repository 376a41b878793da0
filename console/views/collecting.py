"""Collecting as it happens: a bar for each system, what failed and why, and the buttons to steer it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBadRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.actions import log
from accounts.throttling import STARTS, throttled
from backends import actions
from backends.calls import Failing, LastCall, last_calls
from backends.failures import KINDS
from backends.listing import Outcomes, Pace, outcomes, pace, spent
from backends.queries import Failure, Progress, failures, progress
from console.forms import CollectingForm
from console.personal import check_decided
from console.views.frames import OwnerRequest, back_to, framed, owned, refusals_told
from experiments.actions import BEFORE_THE_SEAL
from experiments.models import Experiment

NAMED = 12


@dataclass(frozen=True, slots=True)
class Group:
    """Failures of one kind, with one sentence: which inputs of which system."""

    title: str
    system: str
    sentence: str
    inputs: list[str]
    count: int
    call: LastCall | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """All that the live part of the page shows."""

    now: Progress
    pace: Pace
    spent: dict[str, float]
    groups: list[Group]
    held_back: Outcomes
    may_steer: bool
    not_started: int

    @property
    def live(self) -> bool:
        """Whether something may change by itself."""
        return any(one.pending + one.running and not one.paused for one in self.now.systems) or bool(self.now.running)

    @property
    def paused(self) -> bool:
        """Whether what waits does so because somebody or something paused it."""
        return bool(self.now.unfinished) and any(one.paused for one in self.now.systems)

    @property
    def cost(self) -> float:
        """USD so far."""
        return sum(self.spent.values())


@require_safe
@owned
def collecting(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """The page; its live part alone for the script that asks every two seconds."""
    panel = _panel(experiment)
    if request.headers.get("HX-Target") == "progress":
        answer = TemplateResponse(request, "console/_progress.html", {"experiment": experiment, "panel": panel})
        if not panel.live:  # the rest of the page has something new to say, too: what comes next
            answer.headers["HX-Refresh"] = "true"
        return answer
    return framed(request, "console/collecting.html", experiment, "collecting", panel=panel)


@require_POST
@owned
@throttled(STARTS)
def steer(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """Start, pause, resume, retry, cancel, or fetch again what cannot be rated."""
    form = CollectingForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest()
    do, system = form.cleaned_data["do"], form.cleaned_data["system"] or None
    with refusals_told(request):
        if do in {"start", "retry", "resume"}:
            check_decided(experiment)
        count = STEERING[do](experiment, system)
        log(request.user, f"{PAST[do]} collecting", f"experiment {experiment.slug}", answers=count)
        messages.success(request, _said(do, count))
    return back_to("collecting", experiment)


def _panel(experiment: Experiment) -> Panel:
    now = progress(experiment)
    return Panel(
        now=now,
        pace=pace(
            experiment,
            now=timezone.now(),
            waiting=sum(one.pending + one.running for one in now.systems if not one.paused),
        ),
        spent=spent(experiment),
        groups=_grouped(failures(experiment), last_calls(experiment) if now.failed else {}),
        held_back=outcomes(experiment),
        may_steer=experiment.status in BEFORE_THE_SEAL,
        not_started=now.not_started(experiment.inputs.count()),
    )


def _grouped(found: list[Failure], calls: dict[Failing, LastCall]) -> list[Group]:
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for one in found:
        if one.input is not None:  # what stands in the way of a whole system is said beside its bar
            grouped.setdefault((one.kind, one.system, one.sentence), []).append(one.input)
    return [
        Group(_title(kind), system, sentence, inputs[:NAMED], len(inputs), calls.get((system, kind, sentence)))
        for (kind, system, sentence), inputs in grouped.items()
    ]


def _title(kind: str) -> str:
    if kind in KINDS:
        return KINDS[kind].title
    return kind.replace("_", " ").capitalize() or _("Paused")


def _again(experiment: Experiment, system: str | None) -> int:
    return actions.fetch_again(experiment=experiment, outcomes=["truncated", "refused", "empty"], system_name=system)


STEERING: dict[str, Callable[[Experiment, Any], int]] = {
    "start": lambda experiment, _system: actions.start_collecting(experiment=experiment),
    "retry": lambda experiment, _system: actions.start_collecting(experiment=experiment, retry_failed=True),
    "pause": lambda experiment, system: actions.pause(experiment=experiment, system_name=system),
    "resume": lambda experiment, system: actions.resume(experiment=experiment, system_name=system),
    "cancel": lambda experiment, system: actions.cancel(experiment=experiment, system_name=system),
    "again": _again,
}
PAST = {
    "start": "started",
    "retry": "retried",
    "pause": "paused",
    "resume": "resumed",
    "cancel": "cancelled",
    "again": "repeated",
}


def _said(do: str, count: int) -> str:
    if do == "pause":
        return _("Paused. Answers under way are still saved; nothing is lost.")
    if do == "cancel":
        said = ngettext("%d answer will not be fetched.", "%d answers will not be fetched.", count)
    else:
        said = ngettext("%d answer waits to be fetched.", "%d answers wait to be fetched.", count)
    return said % count
