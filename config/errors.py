"""Error answers in the house's own shell; none of them is handed anything that could tell."""

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


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


def server_error(request: HttpRequest) -> HttpResponse:
    """500."""
    return _page(500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that did not come from this site."""
    return _page(403)
