"""What every page of an owner shares: who may see it, the frame around it, and how a refusal is told."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.models import User
from experiments.models import Experiment
from experiments.refusals import Refused

P = ParamSpec("P")


class OwnerRequest(HttpRequest):
    """A request of somebody who is signed in."""

    user: User


Owned = Callable[Concatenate[OwnerRequest, Experiment, P], HttpResponse]
Page = Callable[Concatenate[OwnerRequest, P], HttpResponseBase]


def owned(view: Owned[P]) -> Callable[..., HttpResponseBase]:
    """Hand the view the experiment of its owner; anybody else gets the 404 of what does not exist."""

    @wraps(view)
    def guarded(request: OwnerRequest, pk: int, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        experiment = get_object_or_404(Experiment.objects.for_owner(request.user), pk=pk)
        return view(request, experiment, *args, **kwargs)

    return login_required(guarded)


def staff_only(view: Page[P]) -> Callable[..., HttpResponseBase]:
    """For those who run the site; owners get the 404 of what does not exist."""

    @wraps(view)
    def guarded(request: OwnerRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_staff:
            raise Http404
        return view(request, *args, **kwargs)

    return login_required(guarded)


def framed(
    request: OwnerRequest, template: str, experiment: Experiment, place: str, *, status: int = 200, **context: Any
) -> TemplateResponse:
    """A page of an experiment inside its frame: title, question, state and the row of places."""
    shown = {"section": "experiments", "experiment": experiment, "place": place}
    return TemplateResponse(request, template, shown | context, status=status)


def back_to(name: str, experiment: Experiment, *, query: str = "") -> HttpResponseRedirect:
    """After a change: see the page again, by GET."""
    return HttpResponseRedirect(reverse(name, args=[experiment.pk]) + query)


@contextmanager
def refusals_told(request: HttpRequest) -> Iterator[None]:
    """A refusal of the domain becomes a sentence on the next page instead of an error."""
    try:
        yield
    except Refused as error:
        messages.error(request, sentence(error))


def sentence(error: Exception) -> str:
    """The refusal as a sentence of its own; the name of a file stays as it is."""
    words = str(error)
    return words if getattr(error, "file", "") else words[:1].upper() + words[1:]
