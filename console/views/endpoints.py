"""The endpoints of the site, for its staff: where models are asked, with keys that are only ever written."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actions import log
from accounts.throttling import TRIALS, TooMany, attempt, throttled
from backends.actions import add_endpoint, edit_endpoint, remove_endpoint
from backends.deadlines import stated
from backends.discovery import LocalServer, find_local
from backends.listing import EndpointCard, endpoint_card, endpoint_with
from backends.listing import endpoints as all_endpoints
from backends.presets import PRESETS
from backends.trying import Trial, try_endpoint
from config.errors import too_many, waiting
from console.forms import EndpointForm, TrialForm
from console.views.frames import OwnerRequest, refusals_told, sentence, staff_only
from experiments.refusals import Refused

SETTINGS = ("name", "dialect", "preset", "base_url", "secret_env", "headers", "max_concurrency")


@require_safe
@staff_only
def endpoints(request: OwnerRequest) -> HttpResponse:
    """All of them."""
    context = {"section": "endpoints", "endpoints": all_endpoints(), "found": None}
    return TemplateResponse(request, "console/endpoints.html", context)


@require_POST
@staff_only
@throttled(TRIALS)
def look_around(request: OwnerRequest) -> HttpResponse:
    """Model servers that listen on this machine, looked for because somebody asked."""
    known = all_endpoints()
    taken = {one.address for one in known}
    found = [(PRESETS[one.preset].title, one, _query(one)) for one in find_local() if one.base_url not in taken]
    context = {"section": "endpoints", "endpoints": known, "found": found}
    return TemplateResponse(request, "console/endpoints.html", context)


@sensitive_post_parameters("secret")
@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def add(request: OwnerRequest) -> HttpResponse:
    """A new endpoint; the address of one that was found may come with the query."""
    begun = {name: request.GET[name] for name in ("name", "preset", "base_url") if name in request.GET}
    form = EndpointForm(request.POST or None, initial={"preset": "generic", "max_concurrency": 8} | begun)
    if request.method == "POST" and form.is_valid():
        wanted = {name: form.cleaned_data[name] for name in (*SETTINGS, "secret", "deadlines")}
        try:
            made = add_endpoint(**wanted)
        except Refused as error:
            form.add_error(None, sentence(error))
        else:
            log(request.user, "added", f"endpoint {made.name}"[:200])
            messages.success(request, _("“%s” is added. Test it to see that it answers.") % made.name)
            return HttpResponseRedirect("/endpoints/")
    return TemplateResponse(request, "console/endpoint.html", {"section": "endpoints", "form": form, "card": None})


@sensitive_post_parameters("secret")
@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def edit(request: OwnerRequest, pk: int) -> HttpResponse:
    """Change one; an empty key keeps the stored one."""
    endpoint = endpoint_with(pk)
    if endpoint is None:
        raise Http404
    before: dict[str, Any] = {name: getattr(endpoint, name) for name in SETTINGS} | _seconds(stated(endpoint))
    before["headers"] = "\n".join(f"{name}: {value}" for name, value in endpoint.headers.items())
    form = EndpointForm(request.POST or None, initial=before, stored=bool(endpoint.secret))
    if request.method == "POST" and form.is_valid():
        wanted = {name: form.cleaned_data[name] for name in (*SETTINGS, "deadlines")}
        secret = _secret(form.cleaned_data)
        try:
            edit_endpoint(endpoint=endpoint, secret=secret, **wanted)
        except Refused as error:
            form.add_error(None, sentence(error))
        else:
            done = {None: "kept", "": "removed"}.get(secret, "entered")
            log(request.user, "changed", f"endpoint {endpoint.name}"[:200], key=done)
            messages.success(request, _("“%s” is changed.") % endpoint.name)
            return HttpResponseRedirect("/endpoints/")
    stored = endpoint_with(pk)
    card: EndpointCard | None = endpoint_card(stored) if stored else None
    return TemplateResponse(request, "console/endpoint.html", {"section": "endpoints", "form": form, "card": card})


@require_POST
@staff_only
def remove(request: OwnerRequest, pk: int) -> HttpResponse:
    """An endpoint less, with its key; one that is in use stays."""
    endpoint = endpoint_with(pk)
    if endpoint is None:
        raise Http404
    with refusals_told(request):
        remove_endpoint(pk=pk)
        log(request.user, "deleted", f"endpoint {endpoint.name}"[:200])
        messages.success(request, _("“%s” is deleted.") % endpoint.name)
    return HttpResponseRedirect("/endpoints/")


@require_POST
@staff_only
def test(request: OwnerRequest, pk: int) -> HttpResponseBase:
    """One tiny call, and what came of it in words."""
    endpoint, form = endpoint_with(pk), TrialForm(request.POST)
    if endpoint is None:
        raise Http404
    try:
        attempt(TRIALS, f"user {request.user.pk}")
    except TooMany as error:
        if not request.headers.get("HX-Request"):
            return too_many(request, error.wait)
        said = _("Tested too often. Wait %s, then try again.") % waiting(error.wait)
        context = {"trial": Trial(ok=False, sentence=said), "card": endpoint_card(endpoint)}
        return TemplateResponse(request, "console/_trial.html", context)
    trial = try_endpoint(endpoint, model=form.cleaned_data["model"] if form.is_valid() else "")
    log(request.user, "tested", f"endpoint {endpoint.name}"[:200], ok=trial.ok)
    context = {"trial": trial, "card": endpoint_card(endpoint)}
    if request.headers.get("HX-Request"):
        return TemplateResponse(request, "console/_trial.html", context)
    listed = {"section": "endpoints", "endpoints": all_endpoints(), "found": None}
    return TemplateResponse(request, "console/endpoints.html", listed | {"trial": trial, "tried": pk})


def _query(server: LocalServer) -> str:
    title = PRESETS[server.preset].title
    return urlencode({"name": f"{title} on this machine", "preset": server.preset, "base_url": server.base_url})


def _seconds(deadlines: dict[str, float | None]) -> dict[str, str]:
    """As people write them: 10 and not 10.0."""
    return {name: f"{value:g}" for name, value in deadlines.items() if value is not None}


def _secret(wanted: dict[str, Any]) -> str | None:
    """None keeps the stored key; an empty one removes it, as does a variable that takes its place."""
    if wanted["secret"]:
        return str(wanted["secret"])
    return "" if wanted.get("forget") or wanted["secret_env"] else None
