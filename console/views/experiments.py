"""The list of experiments, the overview of one, putting it away and deleting it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actions import OneTimeLink
from backends.queries import progress
from console.actions import archive, delete
from console.forms import DeletingForm, SearchForm
from console.listing import page_of
from console.views.frames import OwnerRequest, back_to, framed, owned
from console.views.log import of as events_of
from console.views.next_step import Standing, next_step
from experiments.actions import BEFORE_THE_SEAL
from experiments.models import Experiment, Output, Status
from ratings.models import Rater
from ratings.progress import Judged, judged
from reports import planning

EVENTS_SHOWN = 10


@login_required
@require_safe
def experiments(request: OwnerRequest) -> HttpResponse:
    """The owner's experiments, the newest first; those put away are asked for."""
    form = SearchForm(request.GET)
    found = form.cleaned_data if form.is_valid() else {}
    archived = "archived" in request.GET
    words, page = found.get("q") or "", found.get("page") or 1
    context = {"section": "experiments", "words": words, "archived": archived}
    listed = page_of(request.user, words=words, archived=archived, page=page)
    return TemplateResponse(request, "console/experiments.html", context | {"listed": listed})


@require_safe
@owned
def overview(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """Where the experiment stands and what comes next."""
    return overview_page(request, experiment)


def overview_page(request: OwnerRequest, experiment: Experiment, link: OneTimeLink | None = None) -> HttpResponse:
    """The overview, with the one-time link of an owner who was invited just now."""
    now = Standing(
        inputs=experiment.inputs.count(),
        collected=progress(experiment),
        undecided=Output.objects.filter(input__experiment=experiment).undecided().count(),
        raters=Rater.objects.filter(experiment=experiment, revoked_at__isnull=True).count(),
        judged=judged([experiment.pk]).get(experiment.pk, Judged()),
    )
    rated = experiment.status == Status.RATING
    plan, signal = planning.so_far(experiment) if rated else (None, None)
    return framed(
        request,
        "console/overview.html",
        experiment,
        "experiment",
        now=now,
        step=next_step(experiment, now),
        link=link,
        rated=rated,
        plan=plan,
        signal=signal,
        may_change=experiment.status in BEFORE_THE_SEAL,
        criteria=list(experiment.criteria.values_list("name", "description")),
        owners=list(experiment.owners.order_by("email").values_list("email", "name")),
        events=list(events_of(experiment).order_by("-at", "-pk")[:EVENTS_SHOWN]),
    )


@require_POST
@owned
def put_away(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """Archive the experiment, or take it out again."""
    archive(experiment=experiment, by=request.user, undo=experiment.archived_at is not None)
    return back_to("experiment", experiment)


@require_http_methods(["GET", "HEAD", "POST"])
@owned
def remove(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """Delete the experiment with everything, once its short name was typed."""
    form = DeletingForm(request.POST or None, wanted=experiment.slug)
    if request.method == "POST" and form.is_valid():
        delete(experiment=experiment, by=request.user)
        messages.success(request, _("“%s” and everything in it was deleted.") % experiment.title)
        return HttpResponseRedirect("/")
    return framed(request, "console/delete.html", experiment, "experiment", form=form)
