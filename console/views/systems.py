"""The systems of an experiment with their settings, and what is not equal between them."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from backends.listing import systems as systems_of
from backends.queries import findings
from console.differences import settings, warnings
from console.views.frames import OwnerRequest, framed, owned
from experiments.models import Experiment


@require_safe
@owned
def systems(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """Side by side; what differs that should not is said above."""
    cards = systems_of(experiment)
    compared = settings(cards)
    return framed(
        request,
        "console/systems.html",
        experiment,
        "systems",
        cards=cards,
        compared=compared,
        warnings=warnings(compared),
        findings=findings(experiment),
    )
