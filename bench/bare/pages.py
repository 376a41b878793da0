"""One page: it writes a row, reads a row, and renders five kilobytes."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path

from bench.bare.models import Choice, Text


def ready(request: HttpRequest) -> HttpResponse:
    """For whoever waits for the server."""
    return HttpResponse("ok")


@login_required
def choose(request: HttpRequest) -> HttpResponse:
    """Keep what was chosen and show the next two."""
    number = int(request.POST.get("text", 0))
    if request.method == "POST":
        Choice.objects.create(text_id=number, user_id=request.user.pk, verdict=request.POST["verdict"])
    text = get_object_or_404(Text, pk=number % 50 + 1)
    return render(request, "choose.html", {"text": text})


urlpatterns = [path("readyz", ready), path("", choose)]
