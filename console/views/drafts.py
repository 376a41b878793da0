"""A new experiment: its question and its plan, saved in the draft step by step, and who else owns it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from console.draft_forms import OwnerForm, PlanForm, QuestionForm
from console.drafting import begin, change, share, unshare
from console.views.experiments import overview_page
from console.views.frames import OwnerRequest, back_to, framed, owned, refusals_told
from experiments.actions import BEFORE_THE_SEAL
from experiments.models import Experiment
from reports.planning import outlook


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: OwnerRequest) -> HttpResponse:
    """The question first; from then on the draft is there and nothing is lost."""
    form = QuestionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        criteria = form.cleaned_data.pop("criteria")
        experiment = begin(fields=form.cleaned_data, criteria=criteria, by=request.user)
        return back_to("inputs-new", experiment)
    return TemplateResponse(request, "console/new.html", {"section": "experiments", "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@owned
def question(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """The question of a draft, changed."""
    if experiment.status not in BEFORE_THE_SEAL:
        return back_to("experiment", experiment)
    form = QuestionForm(request.POST or None, initial=QuestionForm.of(experiment))
    if request.method == "POST" and form.is_valid():
        criteria = form.cleaned_data.pop("criteria")
        with refusals_told(request):
            change(experiment=experiment, fields=form.cleaned_data, criteria=criteria, by=request.user)
            messages.success(request, _("Saved."))
        return back_to("experiment", experiment)
    return framed(request, "console/question.html", experiment, "experiment", form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@owned
def plan(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """How it is judged; what that asks of raters and can decide is shown beside and follows what is typed."""
    if experiment.status not in BEFORE_THE_SEAL:
        return back_to("experiment", experiment)
    if request.headers.get("HX-Target") == "effort":
        return _foretold(request, experiment)
    form = PlanForm(request.POST or None, initial={name: getattr(experiment, name) for name in PlanForm.base_fields})
    if request.method == "POST" and form.is_valid():
        with refusals_told(request):
            change(experiment=experiment, fields=form.cleaned_data, criteria=None, by=request.user)
            messages.success(request, _("Saved."))
        return back_to("collecting" if "go_on" in request.POST else "plan", experiment)
    return framed(request, "console/plan.html", experiment, "experiment", form=form, plan=outlook(experiment))


@require_POST
@owned
def owners(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """Another owner; the one-time link of somebody new is shown in the answer, this once."""
    form = OwnerForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("This is no e-mail address."))
        return back_to("experiment", experiment)
    shared = share(experiment=experiment, email=form.cleaned_data["email"], by=request.user)
    if shared.link is not None:
        return overview_page(request, experiment, link=shared.link)
    said = _("%s owns this experiment too.") % form.cleaned_data["email"]
    if shared.waits:
        said += " " + _("That account has no password yet: ask whoever runs the site for its link.")
    messages.success(request, said)
    return back_to("experiment", experiment)


@require_POST
@owned
def leave(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """One owner less, perhaps oneself."""
    form = OwnerForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest()
    with refusals_told(request):
        unshare(experiment=experiment, email=form.cleaned_data["email"], by=request.user)
        if form.cleaned_data["email"] == request.user.email:
            return HttpResponseRedirect("/")
    return back_to("experiment", experiment)


def _foretold(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """What the plan as typed would ask and decide; nothing is saved, and nonsense leaves what is shown."""
    form = PlanForm(request.GET)
    if not form.is_valid():
        return HttpResponse(status=204)
    for name, value in form.cleaned_data.items():
        setattr(experiment, name, value)
    return TemplateResponse(request, "console/_effort.html", {"plan": outlook(experiment)})
