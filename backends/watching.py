"""What an operator watches of collecting: how much waits, for how long, and what kinds of failures there were."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min

from backends.claiming import due
from backends.models import Completion, State, System
from experiments.models import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Rows by state, those that could be asked for now, failures by kind, and systems that something paused.

    `untouched` says for how many seconds work has been due and nobody worked: near zero while workers live.
    """

    states: Mapping[str, int]
    failures: Mapping[str, int]
    due: int
    untouched: float
    paused: int


def queue(now: datetime) -> Queue:
    """All experiments together; no name is in it. At most six queries."""
    states = dict(Completion.objects.values_list("state").annotate(n=Count("pk")).order_by())
    failed = Completion.objects.filter(state=State.FAILED).order_by()
    workable = Completion.objects.filter(
        due(now), system__paused_at__isnull=True, system__arm__experiment__status=Status.COLLECTING
    ).exclude(system__circuit_until__gt=now)
    waiting = workable.aggregate(n=Count("pk"), since=Min("system__arm__experiment__created_at"))
    return Queue(
        states={state: states.get(state, 0) for state in State.values},
        failures=dict(failed.values_list("failure_kind").annotate(n=Count("pk"))),
        due=waiting["n"],
        untouched=_untouched(now, waiting["since"]) if waiting["n"] else 0.0,
        paused=System.objects.filter(paused_at__isnull=False).count(),
    )


def _untouched(now: datetime, since: datetime) -> float:
    """Seconds since anybody last asked or was answered; none while a claim is held."""
    if Completion.objects.filter(state=State.RUNNING, lease_until__gte=now).exists():
        return 0.0
    seen = Completion.objects.aggregate(began=Max("started_at"), ended=Max("finished_at"))
    last: datetime = max([since, *filter(None, seen.values())])
    return max(0.0, (now - last).total_seconds())
