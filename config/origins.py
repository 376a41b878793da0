"""Where a form may come from: a page of this site, and no other that the same browser happens to show.

Django asks for its token; a browser says by itself who sends, in headers that no script can set.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config.errors import forbidden

SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}
OURS = {"", "same-origin", "none"}  # "none": the person's own doing, such as a reload


class SameOrigin:
    """Answers 403 to whatever changes something and was sent by another site, whether or not it names itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in SAFE and not _from_here(request):
            return forbidden(request)
        return self.get_response(request)


def _from_here(request: HttpRequest) -> bool:
    origin = request.META.get("HTTP_ORIGIN")
    if origin is not None:
        ours = {f"{request.scheme}://{request.get_host()}", *settings.CSRF_TRUSTED_ORIGINS}
        if origin not in ours:
            return False
    return request.META.get("HTTP_SEC_FETCH_SITE", "") in OURS
