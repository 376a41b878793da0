"""The owner's pages of a closed experiment: report, pairs, exports; before closing each of them answers 409."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.actions import log, look
from accounts.models import User
from accounts.throttling import EXPORTS, UPLOADS, throttled
from experiments.models import Experiment
from ratings import progress
from reports import assumptions, benchmarks, browser, downloads, formats
from reports import exports as files
from reports.benchmark_forms import FORMS, BenchmarkForm
from reports.exports.tables import PyarrowMissing, TooLong
from reports.formats.pdf import PdfUnavailable
from reports.forms import AssumptionsForm
from reports.page import page
from reports.report import current
from reports.unblinding import StillBlind, require_closed

View = Callable[..., HttpResponseBase]


def of_a_closed_experiment(view: View) -> View:
    """Finds the owner's experiment (404 for anybody else) and answers 409 with its progress until it is closed."""

    @login_required
    @wraps(view)
    def found(request: HttpRequest, pk: int, **names: Any) -> HttpResponseBase:
        experiment = get_object_or_404(Experiment.objects.for_owner(_owner(request)), pk=pk)
        try:
            require_closed(experiment)
        except StillBlind:
            return _still_blind(request, experiment)
        return view(request, experiment, **names)

    return found


@require_GET
@of_a_closed_experiment
def report(request: HttpRequest, experiment: Experiment) -> HttpResponseBase:
    """The decision report, from where it is stored."""
    look(_owner(request), "the report", f"experiment {experiment.slug}")
    return _report_page(request, experiment)


@require_POST
@of_a_closed_experiment
def assume(request: HttpRequest, experiment: Experiment) -> HttpResponseBase:
    """State other assumptions about volume and cost; what was judged stays untouched."""
    form = AssumptionsForm.given(experiment, current(experiment), request.POST)
    if not form.is_valid():
        return _report_page(request, experiment, assumed=form, status=422)
    assumptions.state(experiment=experiment, values=form.values(), by=_owner(request))
    return redirect(reverse("report", args=[experiment.pk]) + "#cost")


@require_POST
@of_a_closed_experiment
@throttled(UPLOADS)
def add_benchmarks(request: HttpRequest, experiment: Experiment, kind: str) -> HttpResponseBase:
    """Add public scores, one typed or a row of a leaderboard."""
    form = FORMS[kind](current(experiment), request.POST, request.FILES)
    if form.is_valid():
        try:
            benchmarks.add(experiment=experiment, scores=form.scores(), by=_owner(request))
        except benchmarks.TooMany as problem:
            form.add_error(None, str(problem))
    if form.errors:
        return _report_page(request, experiment, scores={kind: form}, status=422)
    return redirect(reverse("report", args=[experiment.pk]) + "#context")


@require_POST
@of_a_closed_experiment
def remove_benchmark(request: HttpRequest, experiment: Experiment, key: int) -> HttpResponseBase:
    """Take a public score back."""
    benchmarks.remove(experiment=experiment, key=key, by=_owner(request))
    return redirect(reverse("report", args=[experiment.pk]) + "#context")


@require_GET
@of_a_closed_experiment
def pairs(request: HttpRequest, experiment: Experiment) -> HttpResponseBase:
    """The pairs with their texts, names, verdicts and comments."""
    look(_owner(request), "the pairs", f"experiment {experiment.slug}")
    chosen = browser.Chosen.from_query(request.GET)
    context = {
        **_frame(experiment, "report"),
        "chosen": chosen,
        "names": browser.names(experiment),
        "listing": browser.listing(experiment, chosen),
    }
    return TemplateResponse(request, "reports/pairs.html", context)


@require_GET
@of_a_closed_experiment
def exports(request: HttpRequest, experiment: Experiment) -> HttpResponseBase:
    """Every file to take away, with a line of it and the checksum of its last download."""
    context = {
        **_frame(experiment, "exports"),
        "reports": downloads.reports(experiment),
        "exports": downloads.exports(experiment),
    }
    return TemplateResponse(request, "reports/exports.html", context)


@require_GET
@of_a_closed_experiment
@throttled(EXPORTS, methods=("GET",))
def report_file(request: HttpRequest, experiment: Experiment, name: str) -> HttpResponseBase:
    """The report as a file."""
    if name not in formats.WRITERS:
        raise Http404
    try:
        written = formats.write(current(experiment), name)
    except PdfUnavailable as problem:
        return _unavailable(request, experiment, str(problem))
    log(_owner(request), "exported", f"experiment {experiment.slug}", format=f"report.{name}")
    response = HttpResponse(written, content_type=formats.MEDIA_TYPES[name])
    response["Content-Disposition"] = f'attachment; filename="{experiment.slug}-report.{name}"'
    return response


@require_GET
@of_a_closed_experiment
@throttled(EXPORTS, methods=("GET",))
def export_file(request: HttpRequest, experiment: Experiment, name: str) -> HttpResponseBase:
    """The data as a file, with its checksum in the header."""
    if name not in files.FORMATS:
        raise Http404
    try:
        stream, digest = downloads.written(experiment, name)
    except (PyarrowMissing, TooLong) as problem:
        return _unavailable(request, experiment, str(problem))
    downloads.taken(experiment, name, digest, by=_owner(request))
    response = FileResponse(
        stream,
        as_attachment=True,
        filename=files.file_name(experiment, name),
        content_type=files.FORMATS[name].media_type,
    )
    response["X-Checksum-Sha256"] = digest
    return response


def _owner(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Http404
    return request.user


def _frame(experiment: Experiment, place: str) -> dict[str, Any]:
    """What the frame around every page of an experiment shows."""
    return {"section": "experiments", "experiment": experiment, "place": place}


def _report_page(
    request: HttpRequest,
    experiment: Experiment,
    *,
    assumed: AssumptionsForm | None = None,
    scores: Mapping[str, BenchmarkForm] | None = None,
    status: int = 200,
) -> HttpResponse:
    made = current(experiment)
    form = assumed or AssumptionsForm.showing(experiment, made)
    context: dict[str, Any] = {
        **page(made),
        **_frame(experiment, "report"),
        "form": form,
        "history": form.history(),
        "benchmarks": list(zip(made["context"]["benchmarks"], benchmarks.keys(experiment), strict=True)),
        "score_forms": {kind: (scores or {}).get(kind) or made_by(made) for kind, made_by in FORMS.items()},
        "later": list(Experiment.objects.for_owner(_owner(request)).filter(follows=experiment).order_by("pk")),
    }
    return TemplateResponse(request, "reports/report.html", context, status=status)


def _still_blind(request: HttpRequest, experiment: Experiment) -> HttpResponse:
    judged = progress.judged([experiment.pk]).get(experiment.pk, progress.Judged())
    place = "exports" if "/exports/" in request.path else "report"
    context = {**_frame(experiment, place), "done": judged.done, "wanted": judged.wanted}
    return TemplateResponse(request, "reports/blind.html", context, status=409)


def _unavailable(request: HttpRequest, experiment: Experiment, sentence: str) -> HttpResponse:
    context = {**_frame(experiment, "exports"), "sentence": sentence}
    return TemplateResponse(request, "reports/unavailable.html", context, status=501)
