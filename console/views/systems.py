"""The systems of an experiment with their settings, and what is not equal between them."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBadRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.throttling import TRIALS, UPLOADS, throttled
from backends.editing import ChangedMeanwhile, Edited
from backends.listing import SystemCard, endpoint_with, endpoints
from backends.listing import systems as systems_of
from backends.queries import answers_here, findings
from backends.trying import models_of
from console.differences import prices, settings, warnings
from console.draft_forms import PARAMETERS, AskedSystemForm, NameForm, RecordedSettingsForm, RecordedSystemForm
from console.drafting import add_asked_system, add_recorded_system, change_system, choose_baseline, remove_system
from console.views.frames import OwnerRequest, back_to, framed, owned, refusals_told, sentence
from experiments.actions import BEFORE_THE_SEAL
from experiments.models import Experiment, Pairs
from experiments.refusals import Refused
from experiments.uploads import read_outputs

PROBLEMS = 20


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
        differing=any(one.differs for one in compared),
        prices=[prices(card) for card in cards],
        warnings=warnings(compared),
        findings=findings(experiment),
        to_load=next((one.name for one in cards if not one.recorded), ""),
        may_change=experiment.status in BEFORE_THE_SEAL,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@owned
def add(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """A system that is asked at an endpoint."""
    if experiment.status not in BEFORE_THE_SEAL:
        return back_to("systems", experiment)
    looked_up = "look_up" in request.POST
    form = (
        AskedSystemForm.with_listed_prices(request.POST.dict())
        if looked_up
        else AskedSystemForm(request.POST or None, initial=_like(experiment, request.GET.get("like", "")))
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            add_asked_system(
                experiment=experiment,
                endpoint=data["endpoint"],
                baseline=data["baseline"],
                by=request.user,
                **form.settings(),
            )
        except Refused as error:
            form.add_error(None, sentence(error))
        else:
            messages.success(request, _("“%s” is added.") % data["name"])
            return back_to("systems", experiment)
    return framed(request, "console/system_new.html", experiment, "systems", form=form, recorded=False)


@require_http_methods(["GET", "HEAD", "POST"])
@owned
@throttled(UPLOADS)
def add_recorded(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """A system whose answers are in a file; all of it is good, or nothing is taken."""
    if experiment.status not in BEFORE_THE_SEAL:
        return back_to("systems", experiment)
    form = RecordedSystemForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        source, name = (data["file"].file, str(data["file"].name)) if data["file"] else (data["text"].encode(), "")
        try:
            upload = read_outputs(
                source, name=name, encoding=data["encoding"] or None, system=data["name"]
            ).all_or_nothing()
            add_recorded_system(
                experiment=experiment, upload=upload, baseline=data["baseline"], by=request.user, **form.settings()
            )
        except Refused as error:
            for line in sentence(error).splitlines()[:PROBLEMS]:
                form.add_error(None, line)
        else:
            messages.success(request, _("“%s” is added.") % data["name"])
            return back_to("systems", experiment)
    return framed(request, "console/system_new.html", experiment, "systems", form=form, recorded=True)


@require_http_methods(["GET", "HEAD", "POST"])
@owned
def edit(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """Other settings of the system called `name` in the address, as far as they change no answer that is here."""
    name = request.GET.get("name", "")
    card = _card(experiment, name)
    if experiment.status not in BEFORE_THE_SEAL:
        messages.error(request, _("The systems are sealed. What they cost can still be stated on the report."))
    elif card is None:
        messages.error(request, _("There is no system “%s” any more: it was removed or renamed.") % name[:120])
    if card is None or experiment.status not in BEFORE_THE_SEAL:
        return back_to("systems", experiment)
    form = _edit_form(request, card)
    if request.method == "POST" and form.is_valid():
        try:
            version = request.POST.get("version", "")
            done = change_system(
                experiment=experiment, name=name, version=version, changes=form.changes(), by=request.user
            )
        except ChangedMeanwhile:
            form.add_error(None, _overtaken(form, name))
        except Refused as error:
            form.add_error(None, sentence(error))
        else:
            messages.success(request, _saved(form.cleaned_data["name"], done))
            return back_to("systems", experiment)
    return framed(
        request,
        "console/system_new.html",
        experiment,
        "systems",
        form=form,
        recorded=card.recorded,
        edited=card,
        here=answers_here(experiment, name),
    )


@require_safe
@owned
@throttled(TRIALS, methods=("GET",))
def models(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """The models that an endpoint lists, to choose from while typing."""
    wanted = request.GET.get("endpoint", "")
    endpoint = endpoint_with(int(wanted)) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 18 else None
    found = models_of(endpoint) if endpoint else ()
    return TemplateResponse(request, "console/_models.html", {"models": found, "asked": endpoint is not None})


@require_POST
@owned
def remove(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """A system less, with its answers."""
    form = NameForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest()
    with refusals_told(request):
        remove_system(experiment=experiment, name=form.cleaned_data["name"], by=request.user)
        messages.success(request, _("“%s” is removed.") % form.cleaned_data["name"])
    return back_to("systems", experiment)


@require_POST
@owned
def baseline(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """Which system is in use today."""
    form = NameForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest()
    with refusals_told(request):
        data = form.cleaned_data
        choose_baseline(
            experiment=experiment, name=data["name"], by=request.user, pairs=data["pairs"] or Pairs.BASELINE
        )
    return back_to("systems", experiment)


def _card(experiment: Experiment, name: str) -> SystemCard | None:
    return next((one for one in systems_of(experiment) if one.name == name), None)


def _edit_form(request: OwnerRequest, card: SystemCard) -> AskedSystemForm | RecordedSettingsForm:
    """The settings as they are, over them what was sent, or that with the listed prices in it."""
    if card.recorded:
        return RecordedSettingsForm(request.POST or None, initial=_settings(card))
    if "look_up" in request.POST:
        return AskedSystemForm.with_listed_prices(request.POST.dict())
    return AskedSystemForm(request.POST or None, initial=_settings(card))


def _saved(name: str, edited: Edited) -> str:
    said = [_("“%s” is changed.") % name if edited.fields else _("“%s” is as it was.") % name]
    if edited.load_runs:
        said.append(_("Its load runs are gone: they measured what it was."))
    if edited.paused:
        said.append(_("It is paused: resume it on the Collecting page."))
    return " ".join(said)


def _overtaken(form: AskedSystemForm | RecordedSettingsForm, name: str) -> str:
    """What stands there now, where it is not what was typed."""
    now = "; ".join(f"{form[field].label}: {form.initial.get(field, '')}"[:200] for field in form.changed_data)
    said = _("Somebody else changed “%s” while you did. Look at it, and save again to have yours.") % name
    return f"{said} {_('Stored now, and not what stands below:')} {now}." if now else said


def _like(experiment: Experiment, name: str) -> dict[str, Any]:
    """The settings of a system, to begin another one with; the plain form where none is called so."""
    card = _card(experiment, name)
    return _settings(card) | {"name": ""} if card and not card.recorded else {}


def _settings(card: SystemCard) -> dict[str, Any]:
    rest = {key: value for key, value in card.parameters.items() if key not in PARAMETERS}
    return {
        **{key: value for key, value in card.parameters.items() if key in PARAMETERS},
        **card.cost,
        "name": card.name,
        "endpoint": next((one.pk for one in endpoints() if one.name == card.endpoint), None),
        "model_id": card.model,
        "system_prompt": card.system_prompt,
        "more": json.dumps(rest, ensure_ascii=False) if rest else "",
        "samples": card.samples,
        "concurrency": card.concurrency,
        "facts": "\n".join(f"{key}: {value}" for key, value in card.facts.items()),
    }
