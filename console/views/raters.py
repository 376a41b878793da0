"""The raters of an experiment: links made, withdrawn and replaced, and how everybody does, never direction by arm."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actions import log
from console.forms import InviteForm, RaterForm, SearchForm
from console.paging import pages
from console.rater_signs import with_signs
from console.views.frames import OwnerRequest, back_to, framed, owned, sentence
from experiments.models import Experiment
from experiments.refusals import Refused
from ratings.links import Link, invite, replace, revoke
from ratings.models import Rater
from ratings.progress import Judged, judged
from ratings.progress import raters as raters_of

PER_PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
@owned
def raters(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """Everybody who rates; a POST makes links, and its answer is the only page that ever shows them."""
    form = InviteForm(request.POST or None)
    links: list[Link] = []
    if request.method == "POST" and form.is_valid():
        try:
            links = _invited(request, experiment, form.cleaned_data)
            form = InviteForm()
        except Refused as error:
            form.add_error(None, sentence(error))
    return _page(request, experiment, form, links)


@require_POST
@owned
def change_link(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """Revoke a rater's link, which ends the session at once, or replace it by a new one."""
    form = RaterForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest()
    rater = get_object_or_404(
        Rater.objects.select_related("experiment"), experiment=experiment, pk=form.cleaned_data["rater"]
    )
    about = f"experiment {experiment.slug}"
    if form.cleaned_data["do"] == "revoke":
        revoke(rater=rater)
        log(request.user, "revoked a link", about, rater=rater.label)
        messages.success(request, _("The link of %s no longer works, and its session has ended.") % rater.label)
        return back_to("raters", experiment)
    try:
        link = replace(rater=rater)
    except Refused as error:
        messages.error(request, sentence(error))
        return back_to("raters", experiment)
    log(request.user, "replaced a link", about, rater=rater.label)
    return _page(request, experiment, InviteForm(), [link])


def _invited(request: OwnerRequest, experiment: Experiment, wanted: dict[str, Any]) -> list[Link]:
    names = wanted["labels"] or None
    links = invite(experiment=experiment, labels=names, count=wanted["count"] or 1, days=wanted["days"])
    log(request.user, "invited raters", f"experiment {experiment.slug}", raters=len(links))
    return links


def _page(request: OwnerRequest, experiment: Experiment, form: InviteForm, links: list[Link]) -> HttpResponse:
    asked = SearchForm(request.GET)
    total = Rater.objects.filter(experiment=experiment).count()
    shown = pages(page=asked.cleaned_data.get("page") if asked.is_valid() else None, total=total, each=PER_PAGE)
    found = raters_of(experiment, now=timezone.now(), after=(shown.page - 1) * PER_PAGE, most=PER_PAGE)
    return framed(
        request,
        "console/raters.html",
        experiment,
        "raters",
        form=form,
        links=links,
        judged=judged([experiment.pk]).get(experiment.pk, Judged()),
        raters=with_signs(found, of=total),
        pages=shown,
    )
