"""A database that is away is a wait, not a crash: 503, when to come back, and that nothing was saved."""

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)
RETRY_AFTER_SECONDS = 3


class ClearOutages:
    """Turns a lost database into 503 with Retry-After; the rating desk then sends the answer again by itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """503 for a lost connection or a lock that lasts; anything else goes its usual way."""
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        logger.error("database away: %s", type(exception).__name__)
        body = render_to_string("503.html", request=None)
        return HttpResponse(body, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
