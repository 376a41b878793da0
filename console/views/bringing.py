"""What comes from elsewhere: judgments, a bundle of a closed experiment, the next version of a system, samples."""

import tempfile
from pathlib import Path

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.throttling import STARTS, UPLOADS, throttled
from backends.queries import arms_by_name
from console.actions import import_judgments
from console.bringing_forms import BundleForm, FollowForm, JudgmentsForm
from console.bundles import import_bundle
from console.demo import lend
from console.regression import follow
from console.views.frames import OwnerRequest, back_to, framed, owned, sentence
from experiments.models import Experiment, Status
from experiments.refusals import Refused
from experiments.uploads import read_judgments

PROBLEMS = 20
LARGEST_BUNDLE = 100_000_000


@require_http_methods(["GET", "HEAD", "POST"])
@owned
@throttled(UPLOADS)
def judgments(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """Judgments made elsewhere: all of them, or none with the bad rows named."""
    if experiment.status not in {Status.COLLECTING, Status.RATING}:
        return back_to("raters", experiment)
    form = JudgmentsForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file, encoding = form.cleaned_data["file"], form.cleaned_data["encoding"] or None
        try:
            rows = read_judgments(file.file, name=file.name, encoding=encoding)
            made = import_judgments(experiment=experiment, rows=rows, file=file.name, by=request.user)
        except Refused as error:
            for line in sentence(error).splitlines()[:PROBLEMS]:
                form.add_error("file", line)
        else:
            said = ngettext("%d judgment was added.", "%d judgments were added.", made.judgments) % made.judgments
            if made.ties:
                said += " " + _("Verdicts “tie” were read as both good.")
            messages.success(request, said)
            return back_to("raters", experiment)
    return framed(request, "console/judgments.html", experiment, "raters", form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@owned
def following(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """The regression check: a draft on the same inputs, with the stored answers of the system in use."""
    if experiment.status != Status.CLOSED:
        return back_to("experiment", experiment)
    arms = arms_by_name(experiment)
    baseline = next((name for name, arm in arms.items() if arm.pk == experiment.baseline_id), None)
    others = [name for name in arms if name != baseline]
    initial = {"accepted": baseline, "like": others[0] if others else baseline}
    form = FollowForm(request.POST or None, initial=initial, source=experiment, systems=list(arms))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = follow(
                source=experiment,
                candidate=form.candidate(),
                accepted=data["accepted"],
                like=data["like"],
                title=data["title"],
                by=request.user,
            )
        except Refused as error:
            form.add_error(None, sentence(error))
        else:
            for warning in made.warnings:
                messages.warning(request, sentence(Refused(warning)))
            messages.success(request, _("A draft on the same inputs. Collecting asks only the new version."))
            return back_to("systems", made.experiment)
    return framed(request, "console/following.html", experiment, "experiment", form=form)


@login_required
@require_POST
@throttled(STARTS)
def sample(request: OwnerRequest) -> HttpResponse:
    """Two sample experiments for an owner who has none, to look around in."""
    if not Experiment.objects.for_owner(request.user).exists():
        lend(request.user)
        messages.success(request, _("Two samples: one is open for rating, the other is closed. Delete them when done."))
    return HttpResponseRedirect("/")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@throttled(UPLOADS)
def bundle(request: OwnerRequest) -> HttpResponse:
    """A closed experiment from another installation, its seal checked."""
    form = BundleForm(request.POST or None, request.FILES or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        if file.size > LARGEST_BUNDLE:
            status = 413
            form.add_error("file", _("The file is too large for the browser: use the command import_bundle."))
        else:
            try:
                with tempfile.TemporaryDirectory() as folder:
                    path = Path(folder) / "bundle.zip"
                    with path.open("wb") as whole:
                        whole.writelines(file.chunks())
                    returned = import_bundle(path=path, owners=[request.user], by=request.user)
            except Refused as error:
                form.add_error("file", sentence(error))
            else:
                for warning in returned.warnings:
                    messages.warning(request, sentence(Refused(warning)))
                messages.success(request, _("It is here, and its seal holds."))
                return back_to("experiment", returned.experiment)
    return TemplateResponse(request, "console/bundle.html", {"section": "experiments", "form": form}, status=status)
