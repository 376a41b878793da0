"""One input of the sample for another row of the log: drawn among those alike, or chosen."""

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from console.forms import PersonalForm, SearchForm, SwapForm
from console.paging import pages
from console.personal import decide
from console.swapping import swap
from console.views.frames import OwnerRequest, back_to, framed, owned, refusals_told
from console.views.inputs import PER_PAGE as INPUTS_A_PAGE
from console.views.inputs import line_of
from experiments.actions import BEFORE_THE_SEAL
from experiments.models import Experiment, Input, Spare, Status

PER_PAGE = 20


@require_http_methods(["GET", "HEAD", "POST"])
@owned
def exchange(request: OwnerRequest, experiment: Experiment, position: int) -> HttpResponse:
    """The input, what would be drawn for it, and the rest of the log to choose from; a POST swaps."""
    item = Input.objects.filter(experiment=experiment, position=position).first()
    if item is None or experiment.status not in BEFORE_THE_SEAL:
        return back_to("inputs", experiment)
    form = SwapForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with refusals_told(request):
            made = swap(experiment=experiment, position=position, spare=form.cleaned_data["spare"], by=request.user)
            messages.success(request, _("“%s” is in its place now.") % made.external_id)
        return back_to("inputs", experiment, query=f"?page={(position - 1) // INPUTS_A_PAGE + 1}")
    asked = SearchForm(request.GET)
    found = asked.cleaned_data if asked.is_valid() else {}
    words = found.get("q") or ""
    spares = Spare.objects.filter(experiment=experiment).order_by("pk")
    if words:
        spares = spares.filter(external_id__icontains=words)
    shown = pages(page=found.get("page"), total=spares.count(), each=PER_PAGE, q=words)
    start = (shown.page - 1) * PER_PAGE
    return framed(
        request,
        "console/swap.html",
        experiment,
        "inputs",
        item=line_of(item),
        spares=[(row.pk, line_of(row)) for row in spares[start : start + PER_PAGE]],
        pages=shown,
        words=words,
        collecting=experiment.status != Status.DRAFT,
    )


@require_POST
@owned
def personal(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """Whether personal data that was found is masked or stays."""
    form = PersonalForm(request.POST)
    if form.is_valid():
        with refusals_told(request):
            decide(experiment=experiment, choice=form.cleaned_data["personal"], by=request.user)
            messages.success(request, _("Decided."))
    return back_to("inputs", experiment)
