"""Error answers in the house's own shell; none of them is handed anything that could tell."""

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import ngettext

from config.outage import is_away, is_full

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
    """507 where there is no room, 503 where the database is away, else 500; nothing of the request was kept.

    The first two say when to come again, and the desk then sends the answer again by itself.
    """
    error = sys.exc_info()[1]
    if not is_full(error) and not is_away(error):
        return _page(500)
    response = _page(507 if is_full(error) else 503)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that did not come from this site."""
    return _page(403)
