"""Error answers in the house's own shell; none of them is handed anything that could tell."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import ngettext

RETRY_AFTER_SECONDS = 3


def _page(status: int) -> HttpResponse:
    return HttpResponse(render_to_string(f"{status}.html"), status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400."""
    return _page(400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return _page(403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404, the same for what is missing and for what is not yours."""
    return _page(404)


def too_many(request: HttpRequest, wait: int) -> HttpResponse:
    """429: asked too often; `wait` is in seconds."""
    response = HttpResponse(render_to_string("429.html", {"wait": waiting(wait)}), status=429)
    response.headers["Retry-After"] = str(wait)
    return response


def waiting(seconds: int) -> str:
    """For how long to wait, in words."""
    minutes = -(-seconds // 60)
    if seconds < 60:
        return ngettext("%d second", "%d seconds", seconds) % seconds
    return ngettext("%d minute", "%d minutes", minutes) % minutes


def server_error(request: HttpRequest) -> HttpResponse:
    """503 with Retry-After where the database is away (the desk then sends the answer again by itself), else 500."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        response = _page(503)
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response
    return _page(500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that did not come from this site."""
    return _page(403)
