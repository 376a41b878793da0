"""The two turns of an experiment that cannot be taken back: opening rating, which seals it, and closing it."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from backends.sealing import readiness
from console.actions import close, open_for_rating
from console.views.frames import OwnerRequest, back_to, framed, owned, sentence
from experiments.actions import BEFORE_THE_SEAL
from experiments.models import Experiment, Output, Status
from experiments.refusals import Refused
from ratings.models import Rater
from ratings.progress import Judged, judged
from reports.planning import outlook


@require_http_methods(["GET", "HEAD", "POST"])
@owned
def opening(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """A review of what the seal freezes, then the seal."""
    if experiment.status not in BEFORE_THE_SEAL:
        return back_to("experiment", experiment)
    refused = ""
    if request.method == "POST":
        try:
            opened = open_for_rating(experiment=experiment, by=request.user)
        except Refused as error:
            refused = sentence(error)
        else:
            said = ngettext("Rating is open with %d pair.", "Rating is open with %d pairs.", opened.comparisons)
            messages.success(request, said % opened.comparisons)
            for warning in opened.warnings:
                messages.warning(request, warning)
            return back_to("raters", experiment)
    return framed(
        request,
        "console/opening.html",
        experiment,
        "check",
        status=409 if refused else 200,
        refused=refused,
        ready=readiness(experiment),
        plan=outlook(experiment),
        shown=Output.objects.filter(input__experiment=experiment).servable().count(),
        inputs=experiment.inputs.count(),
        criteria=list(experiment.criteria.values_list("name", "description")),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@owned
def closing(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """What would be missing, then the end of rating."""
    if experiment.status != Status.RATING:
        return back_to("experiment", experiment)
    if request.method == "POST":
        try:
            close(experiment=experiment, by=request.user)
        except Refused as error:
            messages.error(request, sentence(error))
            return back_to("experiment", experiment)
        messages.success(request, _("Rating is closed."))
        return HttpResponseRedirect(f"/experiments/{experiment.pk}/report/")
    now = judged([experiment.pk]).get(experiment.pk, Judged())
    raters = Rater.objects.filter(experiment=experiment).count()
    return framed(request, "console/closing.html", experiment, "raters", judged=now, raters=raters)
