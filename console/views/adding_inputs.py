"""Inputs from a file: uploaded or pasted, looked at in a preview, and then taken, all good rows or a sample."""

import csv
from collections.abc import Iterable
from io import BytesIO
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console import staging
from console.drafting import remove_inputs, take_inputs
from console.upload_forms import ReadingForm, TakingForm, UploadForm
from console.views.frames import OwnerRequest, back_to, framed, owned, refusals_told, sentence
from console.views.inputs import tags_shown
from experiments.actions import BEFORE_THE_SEAL
from experiments.models import Experiment
from experiments.refusals import Refused
from experiments.uploads import Upload, UploadError, read
from reports.exports.cells import harmless

SHOWN_ROWS, SHOWN_BAD = 10, 20
PASTED = "pasted text"


@require_http_methods(["GET", "HEAD", "POST"])
@owned
def add(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """Choose a file or paste; the answer leads to the preview."""
    if experiment.status not in BEFORE_THE_SEAL:
        return back_to("inputs", experiment)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file: UploadedFile[bytes] | None = form.cleaned_data["file"]
        chunks: Iterable[bytes] = file.chunks() if file else BytesIO(form.cleaned_data["text"].encode())
        handle = staging.keep(experiment, chunks)
        name = str(file.name)[-100:] if file else PASTED
        query = urlencode({"upload": handle, "name": name})
        return HttpResponseRedirect(f"{reverse('inputs-preview', args=[experiment.pk])}?{query}")
    return framed(request, "console/inputs_new.html", experiment, "inputs", form=form)


@require_safe
@owned
def preview(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """What was found in the file: its first rows, which column is what, and what is wrong with the bad ones."""
    form = ReadingForm(request.GET)
    path = staging.kept(experiment, request.GET.get("upload", ""))
    if path is None or not form.is_valid() or experiment.status not in BEFORE_THE_SEAL:
        messages.error(request, _("This file is no longer here. Choose it again."))
        return back_to("inputs-new", experiment)
    try:
        upload = read(path, name=form.cleaned_data["name"], **form.reading())
    except UploadError as error:
        status = 413 if error.too_large else 200
        said = sentence(error)
        template = "console/inputs_problem.html"
        return framed(request, template, experiment, "inputs", status=status, form=form, problem=said)
    columns = list(dict.fromkeys((*upload.columns.values(), *upload.other_columns)))
    context: dict[str, Any] = {
        "upload": upload,
        "form": TakingForm(initial=_chosen(form, upload), columns=columns),
        "first": [(row, tags_shown(row.tags)) for row in upload.rows[:SHOWN_ROWS]],
        "bad": [(row.line, row.field, row.sentence) for row in upload.bad_rows[:SHOWN_BAD]],
        "systems": _systems(upload),
        "query": request.GET.urlencode(),
    }
    return framed(request, "console/inputs_preview.html", experiment, "inputs", **context)


@require_POST
@owned
def take(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """Take the good rows."""
    form = TakingForm(request.POST)
    path = staging.kept(experiment, request.POST.get("upload", ""))
    if path is None or not form.is_valid():
        messages.error(request, _("This file is no longer here, or a number is not right. Choose it again."))
        return back_to("inputs-new", experiment)
    data = form.cleaned_data
    try:
        upload = read(path, name=data["name"], **form.reading())
        systems = _systems(upload) if data["with_systems"] else []
        taken = take_inputs(
            experiment=experiment, upload=upload, sample=data["sample"], systems=systems, by=request.user
        )
    except Refused as error:
        messages.error(request, sentence(error))
        return back_to("inputs-new", experiment)
    staging.drop(experiment.pk, data["upload"])
    messages.success(request, ngettext("%d input was added.", "%d inputs were added.", taken.inputs) % taken.inputs)
    return back_to("inputs", experiment)


@require_safe
@owned
def problems(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """The rows that cannot be used, as CSV: where and why, without their content."""
    form = ReadingForm(request.GET)
    path = staging.kept(experiment, request.GET.get("upload", ""))
    if path is None or not form.is_valid():
        return back_to("inputs-new", experiment)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="rows-with-problems.csv"'
    lines = csv.writer(answer)
    lines.writerow(["line", "field", "problem"])
    try:
        upload = read(path, name=form.cleaned_data["name"], **form.reading())
    except UploadError as error:
        lines.writerow([error.line or "", "", harmless(error.sentence)])
        return answer
    lines.writerows([row.line, harmless(row.field), harmless(row.sentence)] for row in upload.bad_rows)
    return answer


@require_POST
@owned
def remove(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """Begin anew: without any input, and so without any answer."""
    with refusals_told(request):
        count = remove_inputs(experiment=experiment, by=request.user)
        messages.success(request, ngettext("%d input was removed.", "%d inputs were removed.", count) % count)
    return back_to("inputs", experiment)


def _systems(upload: Upload) -> list[str]:
    return list(dict.fromkeys(name for row in upload.rows for name in row.outputs))


def _chosen(form: ReadingForm, upload: Upload) -> dict[str, Any]:
    found = {f"column_{field}": column for field, column in upload.columns.items()}
    return found | {name: value for name, value in form.cleaned_data.items() if value}
