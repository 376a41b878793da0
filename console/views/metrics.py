"""Figures for Prometheus: how much waits, is judged and fails; nothing in them names a system or tells a direction."""

import os
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from backends.watching import queue
from config.requests import tally
from experiments.models import Experiment, Status
from ratings.models import Judgment
from ratings.progress import active_raters

ACTIVE = timedelta(minutes=15)
Sample = tuple[Mapping[str, object], float]
KIND = "text/plain; version=0.0.4; charset=utf-8"


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """404 without METRICS_TOKEN, 401 without it in the header; the database's figures are of all processes."""
    if not settings.METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
    if not secrets.compare_digest(given, settings.METRICS_TOKEN.encode()):
        return HttpResponse("a bearer token is needed\n", KIND, 401, headers={"WWW-Authenticate": "Bearer"})
    lines = [*_of_this_process(), *_of_the_database(timezone.now())]
    return HttpResponse("\n".join(lines) + "\n", content_type=KIND)


def _of_this_process() -> Iterator[str]:
    here = {"process": os.getpid()}
    counted: list[Sample] = [
        ({**here, "route": route, "method": method, "status": status}, n)
        for (route, method, status), n in sorted(tally.requests.items())
    ]
    yield from _metric("requests_total", "counter", "Requests answered by one web process.", counted)
    name = "request_seconds"
    yield from _metric(name, "histogram", "How long requests took, by one web process.", [])
    for audience, buckets, seconds in tally.times():
        labels = {**here, "audience": audience}
        yield from (_line(f"{name}_bucket", {**labels, "le": end}, n) for end, n in buckets)
        yield _line(f"{name}_sum", labels, round(seconds, 6))
        yield _line(f"{name}_count", labels, buckets[-1][1])


def _of_the_database(now: datetime) -> Iterator[str]:
    try:
        figures = list(_figures(now))
    except DatabaseError:
        figures = []
    yield from _metric("database_up", "gauge", "Whether the database answered.", [({}, float(bool(figures)))])
    yield from figures


def _figures(now: datetime) -> Iterator[str]:
    waiting = queue(now)
    states: list[Sample] = [({"state": state}, n) for state, n in waiting.states.items()]
    failures: list[Sample] = [({"kind": kind}, n) for kind, n in sorted(waiting.failures.items())]
    there = dict(Experiment.objects.values_list("status").annotate(n=Count("pk")).order_by())
    experiments: list[Sample] = [({"status": status}, there.get(status, 0)) for status in Status.values]
    yield from _metric("completions", "gauge", "Answers to fetch, by state.", states)
    yield from _metric("completions_due", "gauge", "Answers that could be asked for now.", [({}, waiting.due)])
    help_ = "For how long answers have been due while nobody worked: near zero while workers live."
    yield from _metric("work_untouched_seconds", "gauge", help_, [({}, round(waiting.untouched, 1))])
    yield from _metric("failures", "gauge", "Answers that failed for good, by kind.", failures)
    yield from _metric("systems_paused", "gauge", "Systems that somebody or something paused.", [({}, waiting.paused)])
    yield from _metric(
        "judgments", "gauge", "Judgments stored, changed ones included.", [({}, Judgment.objects.count())]
    )
    yield from _metric("raters_active", "gauge", "Raters of the last 15 minutes.", [({}, active_raters(now - ACTIVE))])
    yield from _metric("experiments", "gauge", "Experiments, by status.", experiments)


def _metric(name: str, kind: str, words: str, samples: list[Sample]) -> Iterator[str]:
    yield f"# HELP blindpair_{name} {words}"
    yield f"# TYPE blindpair_{name} {kind}"
    yield from (_line(name, labels, value) for labels, value in samples)


def _line(name: str, labels: Mapping[str, object], value: float) -> str:
    within = ",".join(f'{label}="{_escaped(str(text))}"' for label, text in labels.items())
    return f"blindpair_{name}{{{within}}} {value}" if within else f"blindpair_{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
