"""Who did what: of one experiment for its owners, of everything for those who run the site."""

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from accounts.actions import history
from accounts.models import Event
from console.paging import pages
from console.views.frames import OwnerRequest, framed, owned, staff_only
from experiments.models import Experiment

EACH = 50


class LogForm(forms.Form):
    """What to look for, and where one is."""

    q = forms.CharField(required=False, max_length=100)
    page = forms.IntegerField(required=False, min_value=1, max_value=1_000_000)


@require_safe
@owned
def of_one(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """What was done to one experiment."""
    return framed(request, "console/log_of_one.html", experiment, "experiment", **_page(request, of(experiment)))


@require_safe
@staff_only
def of_all(request: OwnerRequest) -> HttpResponse:
    """What was done to anything."""
    context = {"section": "log"} | _page(request, Event.objects.all())
    return TemplateResponse(request, "console/log.html", context)


def of(experiment: Experiment) -> QuerySet[Event]:
    """The events of this experiment; an earlier one of the same short name, deleted since, is none of its owner's."""
    return history(f"experiment {experiment.slug}", since=experiment.created_at)


def _page(request: OwnerRequest, events: QuerySet[Event]) -> dict[str, Any]:
    form = LogForm(request.GET)
    said = form.cleaned_data if form.is_valid() else {}
    words = said.get("q") or ""
    for word in words.split():
        events = events.filter(Q(actor_name__icontains=word) | Q(verb__icontains=word) | Q(object__icontains=word))
    where = pages(page=said.get("page"), total=events.count(), each=EACH, q=words)
    start = (where.page - 1) * EACH
    return {"events": events.order_by("-at", "-pk")[start : start + EACH], "pages": where, "words": words}
