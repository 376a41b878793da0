"""The list of an owner's experiments: state, the two bars, and when something last happened."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Q
from django.utils import timezone

from accounts.models import Event, User
from backends.listing import Fetched, fetched
from console.paging import Pages, pages
from experiments.models import Experiment
from ratings.progress import Judged, judged

PER_PAGE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One experiment in the list."""

    pk: int
    title: str
    question: str
    status: str
    collected: Fetched
    judged: Judged
    active: datetime
    just_now: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A page of the list; `archived` counts what the owner has put away, `there` whether there is any at all."""

    lines: list[Line]
    pages: Pages
    archived: int
    there: bool


def page_of(user: User, *, words: str, archived: bool, page: int) -> Listed:
    """The owner's experiments, newest first; a fixed number of queries."""
    mine = Experiment.objects.for_owner(user)
    shown = mine.filter(archived_at__isnull=not archived)
    for word in words.split():
        shown = shown.filter(Q(title__icontains=word) | Q(question__icontains=word) | Q(slug__icontains=word))
    where = pages(page=page, total=shown.count(), each=PER_PAGE, q=words)
    start = (where.page - 1) * PER_PAGE
    rows = list(shown.order_by("-created_at", "-pk")[start : start + PER_PAGE])
    counts = mine.aggregate(archived=Max("archived_at"), last=Max("pk"))
    away = mine.filter(archived_at__isnull=False).count() if counts["archived"] else 0
    return Listed(lines=_lines(rows), pages=where, archived=away, there=counts["last"] is not None)


def _lines(rows: list[Experiment]) -> list[Line]:
    ids = [row.pk for row in rows]
    answers, judgments = fetched(ids), judged(ids)
    events = dict(
        Event.objects.filter(object__in=[f"experiment {row.slug}" for row in rows])
        .values_list("object")
        .annotate(last=Max("at"))
        .order_by()
    )
    lines = []
    for row in rows:
        collected, rated = answers.get(row.pk, Fetched()), judgments.get(row.pk, Judged())
        seen = (row.created_at, collected.last, rated.last, events.get(f"experiment {row.slug}"))
        active = max(moment for moment in seen if moment)
        lines.append(
            Line(
                pk=row.pk,
                title=row.title,
                question=row.question,
                status=row.status,
                collected=collected,
                judged=rated,
                active=active,
                just_now=timezone.now() - active < timedelta(minutes=1),
            )
        )
    return lines
