"""Inputs from a file: uploaded or pasted, looked at in a preview, and then taken, all good rows or a sample."""

import csv
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any, BinaryIO

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.throttling import UPLOADS, throttled
from console import staging
from console.mappings import remember, remembered
from console.sample_picture import names_of
from console.taking_inputs import new_input, remove_inputs, take_inputs
from console.upload_forms import ReadingForm, TakingForm, UploadForm
from console.views.frames import OwnerRequest, back_to, framed, owned, refusals_told, sentence
from experiments.actions import BEFORE_THE_SEAL, NewInput
from experiments.models import Experiment
from experiments.personal_data import examples, in_words, looked_at, total
from experiments.refusals import Refused
from experiments.uploads import INPUTS, Upload, UploadError, headers_of, read
from experiments.uploads.sources import megabytes
from reports.exports.cells import written

SHOWN_ROWS, SHOWN_BAD = 10, 20
PASTED = "pasted text"
ENOUGH = 50  # inputs: what most comparisons need, proposed where a log is larger


@require_http_methods(["GET", "HEAD", "POST"])
@owned
@throttled(UPLOADS)
def add(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """Choose a file or paste; the answer leads to the preview."""
    if experiment.status not in BEFORE_THE_SEAL:
        return back_to("inputs", experiment)
    form = UploadForm(request.POST or None, request.FILES or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        file: UploadedFile[bytes] | None = form.cleaned_data["file"]
        if not file or (file.size or 0) <= INPUTS.file:
            return _to_preview(request, experiment, file, form.cleaned_data["text"])
        status = 413
        size, most = megabytes(file.size or 0), megabytes(INPUTS.file)
        form.add_error("file", _("The file has %(size)s; at most %(most)s are taken.") % {"size": size, "most": most})
    return framed(request, "console/inputs_new.html", experiment, "inputs", status=status, form=form)


def _to_preview(
    request: OwnerRequest, experiment: Experiment, file: "UploadedFile[bytes] | None", text: str
) -> HttpResponse:
    chunks: Iterable[bytes] = file.chunks() if file else BytesIO(text.encode("utf-8", "surrogatepass"))
    handle = staging.keep(experiment, chunks)
    name = str(file.name)[-100:] if file else PASTED
    said: dict[str, Any] = {}
    if staged := staging.kept(experiment, handle):
        with staged:
            said = remembered(request.user, headers_of(staged, name=name))
    query = {"upload": handle, "name": name} | said | ({"again": "1"} if said else {})
    return HttpResponseRedirect(f"{reverse('inputs-preview', args=[experiment.pk])}?{urlencode(query, doseq=True)}")


@require_safe
@owned
def preview(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """What was found in the file: its first rows, which column is what, and what is wrong with the bad ones."""
    form = ReadingForm(request.GET)
    staged = staging.kept(experiment, request.GET.get("upload", ""))
    if staged is None or not form.is_valid() or experiment.status not in BEFORE_THE_SEAL:
        messages.error(request, _("This file is no longer here. Choose it again."))
        return back_to("inputs-new", experiment)
    try:
        with staged:
            upload, headers = _read_with_headers(staged, form)
    except UploadError as error:
        status = 413 if error.too_large else 200
        said = sentence(error)
        template = "console/inputs_problem.html"
        return framed(request, template, experiment, "inputs", status=status, form=form, problem=said)
    others = [*upload.other_columns, *form.cleaned_data["output_columns"]]
    columns = list(dict.fromkeys((*headers, *upload.columns.values(), *others)))
    taking = TakingForm(initial=_chosen(form, upload), columns=columns)
    taking.fields["output_columns"].choices = [(name, name) for name in dict.fromkeys(others)]  # type: ignore[attr-defined]
    context: dict[str, Any] = {
        "upload": upload,
        "form": taking,
        "first": [(row, names_of(row.tags)) for row in upload.rows[:SHOWN_ROWS]],
        "bad": [(row.line, row.field, row.sentence) for row in upload.bad_rows[:SHOWN_BAD]],
        "systems": _systems(upload),
        "query": request.GET.urlencode(),
        "again": "again" in request.GET,
        "may_hold_answers": bool(others) and not upload.shape,
        **_personal(upload),
    }
    return framed(request, "console/inputs_preview.html", experiment, "inputs", **context)


@require_POST
@owned
def take(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """Take the good rows."""
    form = TakingForm(request.POST)
    staged = staging.kept(experiment, request.POST.get("upload", ""))
    if staged is None or not form.is_valid():
        messages.error(request, _("This file is no longer here, or a number is not right. Choose it again."))
        return back_to("inputs-new", experiment)
    data = form.cleaned_data
    try:
        with staged:
            upload, headers = _read_with_headers(staged, form)
        taken = take_inputs(
            experiment=experiment,
            upload=upload,
            sample=data["sample"],
            systems=_systems(upload) if data["with_systems"] else [],
            personal=data["personal"],
            by=request.user,
        )
    except Refused as error:
        messages.error(request, sentence(error))
        query = urlencode({name: value for name, value in request.POST.lists() if name in form.kept}, doseq=True)
        again = f"?{query}" if experiment.status in BEFORE_THE_SEAL else ""
        return back_to("inputs-preview" if again else "inputs", experiment, query=again)
    remember(owner=request.user, headers=headers, said=form.said())
    staging.drop(experiment, data["upload"])
    said = ngettext("%d input was added.", "%d inputs were added.", taken.inputs) % taken.inputs
    if taken.spares:
        said += " " + _("The rest of the log is kept until rating opens, so that single inputs can be swapped.")
    messages.success(request, said)
    return back_to("inputs", experiment)


def _read_with_headers(staged: BinaryIO, form: ReadingForm) -> tuple[Upload, tuple[str, ...]]:
    name, reading = form.cleaned_data["name"], form.reading()
    headers = headers_of(staged, name=name, encoding=reading["encoding"], delimiter=reading["delimiter"])
    return read(staged, name=name, **reading), headers


@require_safe
@owned
def problems(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """The rows that cannot be used, as CSV: where and why, without their content."""
    form = ReadingForm(request.GET)
    staged = staging.kept(experiment, request.GET.get("upload", ""))
    if staged is None or not form.is_valid():
        return back_to("inputs-new", experiment)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="rows-with-problems.csv"'
    lines = csv.writer(answer)
    lines.writerow(["line", "field", "problem"])
    try:
        with staged:
            upload = read(staged, name=form.cleaned_data["name"], **form.reading())
    except UploadError as error:
        lines.writerow([error.line or "", "", written(error.sentence)])
        return answer
    lines.writerows([row.line, written(row.field), written(row.sentence)] for row in upload.bad_rows)
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


def _personal(upload: Upload) -> dict[str, Any]:
    """What was found in the good rows, in words and with examples."""
    counts: list[dict[str, int]] = []

    def looked() -> Iterator[tuple[str, NewInput]]:
        for row in upload.rows:
            one = looked_at(new_input(row))
            counts.append(one.personal)
            yield row.external_id, one

    shown = examples(looked())  # reads them all, one by one
    return {"personal": in_words(total(counts)), "examples": shown}


def _chosen(form: ReadingForm, upload: Upload) -> dict[str, Any]:
    found: dict[str, Any] = {f"column_{field}": column for field, column in upload.columns.items()}
    found["sample"] = ENOUGH if len(upload.rows) > 2 * ENOUGH else None
    return found | {name: value for name, value in form.cleaned_data.items() if value}
