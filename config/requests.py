"""Every request as one log line and in this process's counters: its route, never its address, body or sender."""

import logging
import threading
import time
import uuid
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator

from django.http import HttpRequest, HttpResponse

from config.logs import short_hash

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
HASH_LENGTH = 12
_log = logging.getLogger(__name__)


class Tally:
    """What one process has answered: requests by route, method and status, and times by audience."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self._buckets: dict[str, list[int]] = {}
        self._seconds: Counter[str] = Counter()

    def add(self, route: str, method: str, status: int, seconds: float) -> None:
        """One more."""
        audience = "raters" if route.startswith(("rate/", "r/")) else "others"
        with self._lock:
            self.requests[route, method, status] += 1
            self._buckets.setdefault(audience, [0] * (len(BUCKETS) + 1))[bisect_left(BUCKETS, seconds)] += 1
            self._seconds[audience] += seconds  # type: ignore[assignment]  # a Counter of seconds

    def times(self) -> Iterator[tuple[str, list[tuple[str, int]], float]]:
        """By audience: how many took at most so long (cumulative, up to +Inf), and the seconds in all."""
        with self._lock:
            for audience, counts in self._buckets.items():
                ends = [*map(str, BUCKETS), "+Inf"]
                sums = [sum(counts[: place + 1]) for place in range(len(counts))]
                yield audience, list(zip(ends, sums, strict=True)), float(self._seconds[audience])


tally = Tally()


class Requests:
    """The outermost layer: it sees what was really answered, and how long it took."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        start = time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - start
        method = request.method if request.method in METHODS else "OTHER"
        route = request.resolver_match.route if request.resolver_match else "unmatched"
        tally.add(route, method, response.status_code, seconds)
        if _log.isEnabledFor(logging.INFO):
            facts = {"method": method, "route": route, "status": response.status_code, "ms": round(1000 * seconds, 1)}
            facts |= {"request": uuid.uuid4().hex, **_rater(request)}
            _log.info("%s %s %d", method, route, response.status_code, extra={"request_facts": facts})
        return response


METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"}


def _rater(request: HttpRequest) -> dict[str, str]:
    """The start of the hash of a rater's token: lines of one rater can be told to belong together."""
    rater = getattr(request, "rater", None)
    if rater is not None and rater.token_hash:
        return {"rater": rater.token_hash[:HASH_LENGTH]}
    match = request.resolver_match
    if match is not None and match.route == "r/<str:token>/":
        return {"rater": short_hash(match.kwargs["token"])}
    return {}
