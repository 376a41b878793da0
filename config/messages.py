"""Messages that wait for the next page: owners have them; a rater is told nothing in passing."""

from django.contrib.messages.middleware import MessageMiddleware
from django.http import HttpRequest

RATERS = ("/rate/", "/r/")


class Messages(MessageMiddleware):
    """Django's, which opens two stores for every request."""

    def process_request(self, request: HttpRequest) -> None:
        """Open them where a page shows what is in them."""
        if not request.path.startswith(RATERS):
            super().process_request(request)
