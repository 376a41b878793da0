"""What an owner's pages may show of systems and endpoints: frozen values, never a row of the envelope."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.db.models import Count, IntegerField, Max, Min, Q, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Lower

from backends.endpoints import secret_of
from backends.models import Completion, Endpoint, State, System
from backends.presets import PRESETS, UnknownPreset, base_url_for, profile_for
from experiments.models import Experiment
from experiments.refusals import Refused

PACE_OVER = timedelta(minutes=2)
FEWEST_FOR_A_PACE = 3
SHOWN_OF_A_KEY = 4
LONG_ENOUGH_TO_SHOW_ANY = 16
SETTABLE = (
    "name",
    "endpoint_id",
    "model_id",
    "system_prompt",
    "parameters",
    "samples",
    "concurrency",
    "cost",
    "facts",
)
PAID_BY = frozenset({"input_per_million", "output_per_million"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemCard:
    """A system with its settings; `endpoint` is empty where its answers were recorded. `version`: see `version_of`."""

    name: str
    endpoint: str
    server: str
    model: str
    system_prompt: str
    parameters: Mapping[str, Any]
    concurrency: int
    samples: int
    cost: Mapping[str, Any]
    facts: Mapping[str, Any]
    recorded: bool
    baseline: bool
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointCard:
    """A server that answers. `secret` says where its key is and at most how it ends, never what it is."""

    pk: int
    name: str
    title: str
    dialect: str
    address: str
    secret: str
    secret_missing: bool
    max_concurrency: int
    systems: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """Answers of one experiment: how many are there, failed and wanted, and when the last one came."""

    done: int = 0
    failed: int = 0
    total: int = 0
    last: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Answers a minute, and the minutes that the waiting ones take at that pace; None before it is known."""

    per_minute: float
    minutes_left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """First answers that came but cannot be rated, by what is wrong with them."""

    truncated: int = 0
    refused: int = 0
    empty: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.truncated + self.refused + self.empty


def systems(experiment: Experiment) -> list[SystemCard]:
    """The experiment's systems by name: one query."""
    rows = System.objects.filter(arm__experiment=experiment).select_related("endpoint")
    return [_card(row, experiment.baseline_id) for row in rows.order_by(Lower("name"), "pk")]


def version_of(row: System) -> str:
    """A digest of all that an owner can set: another one, another state of the system."""
    settings = [getattr(row, column) for column in SETTABLE]
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:32]


def endpoints() -> list[EndpointCard]:
    """All endpoints by name: one query."""
    rows = Endpoint.objects.annotate(used=Count("systems")).order_by(Lower("name"), "pk")
    return [_endpoint_card(row, row.used) for row in rows]


def endpoint_card(endpoint: Endpoint) -> EndpointCard:
    """One endpoint as it is shown."""
    return _endpoint_card(endpoint, endpoint.systems.count())


def endpoint_with(pk: int) -> Endpoint | None:
    """The endpoint itself, to be handed back to an action."""
    return Endpoint.objects.filter(pk=pk).first()


def fetched(experiments: Sequence[int]) -> dict[int, Fetched]:
    """How far collecting is, for many experiments in two queries; one without any answer to fetch is missing."""
    rows = (
        Completion.objects.filter(system__arm__experiment__in=experiments)
        .values_list("system__arm__experiment")
        .annotate(
            done=Count("pk", filter=Q(state=State.DONE)),
            failed=Count("pk", filter=Q(state=State.FAILED)),
            total=Count("pk"),
            last=Max("finished_at"),
        )
        .order_by()
    )
    found = {
        experiment: Fetched(done=done, failed=failed, total=total, last=last)
        for experiment, done, failed, total, last in rows
    }
    for experiment, calls in _not_started(experiments):
        known = found.get(experiment, Fetched())
        found[experiment] = replace(known, total=known.total + calls)
    return found


def _not_started(experiments: Sequence[int]) -> list[tuple[int, int]]:
    """By experiment, the calls of each system that nobody has started to ask."""
    waiting = System.objects.filter(arm__experiment__in=experiments, endpoint__isnull=False, completions__isnull=True)
    rows = waiting.annotate(n=Count("arm__experiment__inputs")).values_list("arm__experiment", "samples", "n")
    return [(experiment, samples * inputs) for experiment, samples, inputs in rows.order_by("pk")]


def pace(experiment: Experiment, *, now: datetime, waiting: int) -> Pace:
    """How quickly answers came in the last two minutes, or since the first of them was asked for."""
    came = Completion.objects.filter(
        system__arm__experiment=experiment, system__endpoint__isnull=False, finished_at__gte=now - PACE_OVER
    ).aggregate(n=Count("pk"), first=Min(Coalesce("started_at", "finished_at")))
    if came["n"] < FEWEST_FOR_A_PACE:
        return Pace(per_minute=0.0, minutes_left=None)
    seconds = min(PACE_OVER.total_seconds(), max(1.0, (now - came["first"]).total_seconds()))
    per_minute = 60 * came["n"] / seconds
    return Pace(per_minute=per_minute, minutes_left=ceil(waiting / per_minute) if waiting else None)


def outcomes(experiment: Experiment) -> Outcomes:
    """How many first answers came but are held back from raters."""
    rows = (
        Completion.objects.filter(system__arm__experiment=experiment, state=State.DONE, sample=0)
        .exclude(outcome="complete")
        .values_list("outcome")
        .annotate(n=Count("pk"))
        .order_by()
    )
    return Outcomes(**{str(outcome): n for outcome, n in rows})


def spent(experiment: Experiment) -> dict[str, float]:
    """By system, the USD that its answers cost so far; only where it is paid by the token."""
    sums = {kind: _sum_of(kind) for kind in ("input", "cached", "cache_write", "output")}
    rows = (
        Completion.objects.filter(system__arm__experiment=experiment, state=State.DONE, system__endpoint__isnull=False)
        .values_list("system__name", "system__cost")
        .annotate(**{f"n_{kind}": total for kind, total in sums.items()})
        .order_by()
    )
    return {
        name: _usd(cost, *(count or 0 for count in counts)) for name, cost, *counts in rows if PAID_BY & cost.keys()
    }


def _sum_of(kind: str) -> Sum:
    return Sum(Cast(KeyTextTransform(kind, "usage"), IntegerField()))


def _usd(cost: Mapping[str, Any], read: int, cached: int, stored: int, said: int) -> float:
    """As the report reckons it: what comes from a cache and what goes into one at prices of their own, where named."""
    of_input, of_output = (float(cost.get(name) or 0) for name in ("input_per_million", "output_per_million"))
    of_cached, of_stored = (
        of_input if cost.get(name) is None else float(cost[name])
        for name in ("cached_input_per_million", "cache_write_per_million")
    )
    return ((read - cached) * of_input + cached * of_cached + stored * of_stored + said * of_output) / 1e6


def _card(row: System, baseline: int | None) -> SystemCard:
    return SystemCard(
        name=row.name,
        endpoint=row.endpoint.name if row.endpoint else "",
        server=_title(row.endpoint) if row.endpoint else "",
        model=row.model_id,
        system_prompt=row.system_prompt,
        parameters=dict(row.parameters),
        concurrency=row.concurrency,
        samples=row.samples,
        cost=dict(row.cost),
        facts=dict(row.facts),
        recorded=row.endpoint_id is None,
        baseline=row.arm_id == baseline,
        version=version_of(row),
    )


def _endpoint_card(row: Endpoint, used: int) -> EndpointCard:
    words, missing = _secret(row)
    return EndpointCard(
        pk=row.pk,
        name=row.name,
        title=_title(row),
        dialect=row.dialect,
        address=_address(row),
        secret=words,
        secret_missing=missing,
        max_concurrency=row.max_concurrency,
        systems=used,
    )


def _secret(row: Endpoint) -> tuple[str, bool]:
    """A sentence part about the key, and whether it cannot be used here."""
    try:
        secret = secret_of(row)
    except Refused as error:
        return f"the variable {row.secret_env} is not set here" if row.secret_env else str(error), True
    if row.secret_env:
        return f"from the variable {row.secret_env}", False
    if not secret:
        return "none", False
    shown = secret[-SHOWN_OF_A_KEY:] if len(secret) >= LONG_ENOUGH_TO_SHOW_ANY else ""
    return (f"stored, ends in {shown}" if shown else "stored"), False


def _title(row: Endpoint) -> str:
    if row.preset in PRESETS:
        return PRESETS[row.preset].title
    return profile_for(dialect=row.dialect, preset="", base_url=row.base_url).title


def _address(row: Endpoint) -> str:
    try:
        return base_url_for(profile_for(dialect=row.dialect, preset=row.preset, base_url=row.base_url), row.base_url)
    except UnknownPreset:
        return row.base_url
