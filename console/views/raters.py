"""The raters of an experiment: links made, withdrawn and replaced, and how everybody does, never direction by arm."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actions import log
from accounts.models import User
from console.forms import InviteForm, RaterForm, SearchForm
from console.paging import pages
from console.rater_signs import with_signs
from console.views.frames import OwnerRequest, back_to, framed, owned, sentence
from experiments.models import Experiment
from experiments.refusals import Refused
from ratings.leaving_out import TooLate, count_again, leave_out
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
    """Withdraw a rater's link, which ends the session at once, and count what they judged or leave it out; or replace
    the link by a new one."""
    form = RaterForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest()
    rater = get_object_or_404(
        Rater.objects.select_related("experiment"), experiment=experiment, pk=form.cleaned_data["rater"]
    )
    try:
        if form.cleaned_data["do"] == "replace":
            return _page(request, experiment, InviteForm(), [replace(rater=rater, by=request.user)])
        done = _changed(request.user, rater, form.cleaned_data["do"])
    except TooLate as error:
        messages.error(request, sentence(error))
        return _page(request, experiment, InviteForm(), [], status=409)
    except Refused as error:
        messages.error(request, sentence(error))
    else:
        messages.success(request, done % rater.label)
    return back_to("raters", experiment)


def _changed(owner: User, rater: Rater, do: str) -> str:
    """Do it, and say so with a gap for the rater's label. Raises TooLate."""
    if do == "leave_out":
        leave_out(rater=rater, by=owner)
        return _(
            "The link of %s no longer works, and what they judged does not count. Their pairs are free for others."
        )
    if do == "count":
        count_again(rater=rater, by=owner)
        return _("What %s judged counts again. The link stays withdrawn.")
    revoke(rater=rater)
    log(owner, "revoked a link", f"experiment {rater.experiment.slug}", rater=rater.label)
    return _("The link of %s no longer works, and its session has ended. What they judged stays.")


def _invited(request: OwnerRequest, experiment: Experiment, wanted: dict[str, Any]) -> list[Link]:
    names = wanted["labels"] or None
    links = invite(experiment=experiment, labels=names, count=wanted["count"] or 1, days=wanted["days"])
    log(request.user, "invited raters", f"experiment {experiment.slug}", raters=len(links))
    return links


def _page(
    request: OwnerRequest, experiment: Experiment, form: InviteForm, links: list[Link], *, status: int = 200
) -> HttpResponse:
    asked = SearchForm(request.GET)
    total = Rater.objects.filter(experiment=experiment).count()
    shown = pages(page=asked.cleaned_data.get("page") if asked.is_valid() else None, total=total, each=PER_PAGE)
    found = raters_of(experiment, now=timezone.now(), after=(shown.page - 1) * PER_PAGE, most=PER_PAGE)
    return framed(
        request,
        "console/raters.html",
        experiment,
        "raters",
        status=status,
        form=form,
        links=links,
        judged=judged([experiment.pk]).get(experiment.pk, Judged()),
        raters=with_signs(found, of=total),
        pages=shown,
    )
