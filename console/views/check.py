"""The output check: answers that raters should perhaps not see as they are, decided on one by one or together."""

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.actions import look
from backends.queries import progress
from console.checking import KINDS, Findings, cards, decide, find
from console.forms import DecisionForm, SearchForm
from console.paging import pages
from console.views.frames import OwnerRequest, back_to, framed, owned
from experiments.actions import BEFORE_THE_SEAL
from experiments.models import Decision, Experiment

PER_PAGE = 20
DONE = {
    Decision.MASKED: ("%d answer was masked.", "%d answers were masked."),
    Decision.RELEASED: ("%d answer was released.", "%d answers were released."),
    Decision.WITHHELD: ("%d answer was withheld.", "%d answers were withheld."),
}


@require_safe
@owned
def check(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """One kind of finding at a time; the first that has something to look at where none is asked for."""
    look(request.user, "the answers", f"experiment {experiment.slug}")
    found = find(experiment)
    kind = _kind(request.GET.get("kind", ""), found)
    form = SearchForm(request.GET)
    rows = found.rows.get(kind, [])
    page = form.cleaned_data.get("page") if form.is_valid() else None
    shown = pages(page=page, total=len(rows), each=PER_PAGE, kind=kind)
    start = (shown.page - 1) * PER_PAGE
    return framed(
        request,
        "console/check.html",
        experiment,
        "check",
        findings=found,
        kind=KINDS[kind],
        cards=cards(experiment, rows[start : start + PER_PAGE], found.notes),
        pages=shown,
        may_decide=experiment.status in BEFORE_THE_SEAL,
        to_come=_to_come(experiment),
    )


@require_POST
@owned
def decide_on(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """Mask, release or withhold the chosen answers."""
    form = DecisionForm(request.POST)
    kind = request.POST.get("kind", "")
    back = back_to("check", experiment, query=f"?kind={kind}" if kind in KINDS else "")
    if not form.is_valid():
        for problems in form.errors.values():
            messages.error(request, " ".join(map(str, problems)))
        return back
    decision = Decision(form.cleaned_data["decision"])
    done, refused = decide(
        experiment=experiment,
        handles=form.cleaned_data["outputs"],
        decision=decision,
        reason=form.cleaned_data["reason"],
        by=request.user,
    )
    if done:
        messages.success(request, ngettext(*DONE[decision], done) % done)
    if refused or not done:
        messages.error(request, refused or "None of these answers is there any more.")
    return back


def _to_come(experiment: Experiment) -> int:
    """Answers that may still arrive, or were not asked for yet."""
    if experiment.status not in BEFORE_THE_SEAL:
        return 0
    now = progress(experiment)
    return now.unfinished + now.not_started(experiment.inputs.count())


def _kind(asked: str, found: Findings) -> str:
    if asked in KINDS:
        return asked
    return next((kind.name for kind, count in found.kinds if count and kind.name != "decided"), "undecided")
