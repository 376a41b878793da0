"""What fetching the answers measured, by arm: times, tokens, failures and what a call costs; it knows no names."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from django.db.models import BigIntegerField, Count, F, Max, Min, Q, Sum, TextField, Value
from django.db.models.functions import Cast, Least, Length

from backends.models import Attempt, Completion, LoadRun, Outcome, State, System
from experiments.models import Experiment, Input
from reports.measured import Measured, Tally, Timings, Usage

CHUNK = 5_000
TIMES = ("latency_ms", "ttft_ms", "first_visible_ms", "user_ms")
TOKENS = ("input", "cached", "cache_write", "output", "reasoning")
LARGEST = 1e9  # beyond it numbers are alike to a mark, which keeps the sums within 64 bits
CHARACTERS_A_TOKEN = 4  # where nobody counted tokens


def read(experiment: Experiment) -> dict[str, Measured]:
    """By the code of the arm: everything measured, streamed."""
    systems = System.objects.filter(arm__experiment=experiment).select_related("arm", "endpoint").order_by("arm__code")
    places = {
        pk: place
        for place, pk in enumerate(
            Input.objects.filter(experiment=experiment).order_by("position").values_list("pk", flat=True)
        )
    }
    return {system.arm.code: _measured(system, places) for system in systems}


def _measured(system: System, places: dict[int, int]) -> Measured:
    rows = _Rows(system, places)
    runs = LoadRun.objects.filter(system=system).order_by("concurrency", "at", "pk")
    return Measured(
        timings=rows.timings(),
        usage=rows.usage(Outcome.COMPLETE),
        unusable=rows.usage(*(outcome for outcome in Outcome if outcome != Outcome.COMPLETE)),
        tally=_tally(system, len(places)),
        concurrency=system.concurrency,
        lowered_to=system.lowered_to,
        samples=system.samples,
        server=_server(system),
        cost=system.cost,
        load_runs=tuple(
            {
                "concurrency": run.concurrency,
                "requests": run.requests,
                "failed": run.failed,
                "seconds": run.seconds,
                "throughput_rps": run.throughput,
                "quantiles": run.quantiles,
            }
            for run in runs
        ),
    )


class _Rows:
    """What came of a system's finished requests, as one table: a row an answer."""

    def __init__(self, system: System, places: dict[int, int]) -> None:
        found = (
            Completion.objects.filter(system=system, state=State.DONE)
            .order_by("input_id", "sample")
            .values_list("input_id", "sample", "outcome", Cast("usage", TextField()), *TIMES)
        )
        self.outcomes, table = [], []
        for item, sample, outcome, usage, *times in found.iterator(chunk_size=CHUNK):
            self.outcomes.append(outcome)
            table.append([places[item], sample, *times, *_tokens(usage)])
        width = 2 + len(TIMES) + len(TOKENS) + 1
        self.table = np.array(table, dtype=float).reshape(-1, width)
        self.outcome = np.array(self.outcomes, dtype=str)
        self._estimate(system, places)

    def timings(self) -> Timings:
        """Of the complete answers that were timed."""
        rows = self.table[(self.outcome == Outcome.COMPLETE) & ~np.isnan(self.table[:, 2])]
        counted = np.where(rows[:, -1] > 0, np.nan, 1.0)
        return Timings(
            input=rows[:, 0].astype(np.int64),
            sample=rows[:, 1].astype(np.int64),
            e2e=rows[:, 2],
            ttft=rows[:, 3],
            first_visible=rows[:, 4],
            user=rows[:, 5],
            output=rows[:, 9] * counted,
            reasoning=rows[:, 10] * counted,
        )

    def usage(self, *outcomes: str) -> Usage:
        """Of the answers that ended so."""
        rows = self.table[np.isin(self.outcome, outcomes)]
        return Usage(
            input=rows[:, 0].astype(np.int64),
            sample=rows[:, 1].astype(np.int64),
            prompt=rows[:, 6],
            cached=rows[:, 7],
            cache_write=rows[:, 8],
            output=rows[:, 9],
            estimated=rows[:, -1] > 0,
        )

    def _estimate(self, system: System, places: dict[int, int]) -> None:
        """Tokens that nobody counted, from the characters of input and answer; marked as estimated."""
        unknown = np.isnan(self.table[:, (6, 9)])
        if not unknown.any():
            return
        asked = {
            places[pk]: len(system.system_prompt) + sum(len(str(one.get("content", ""))) for one in messages)
            for pk, messages in Input.objects.filter(experiment=system.arm.experiment_id).values_list("pk", "messages")
        }
        rows = Completion.objects.filter(system=system, state=State.DONE).order_by("input_id", "sample")
        written = np.array(list(rows.annotate(n=Length("raw_text")).values_list("n", flat=True)), dtype=float)
        read = np.array([asked[int(place)] for place in self.table[:, 0]], dtype=float)
        for column, characters, where in ((6, read, unknown[:, 0]), (9, written, unknown[:, 1])):
            self.table[where, column] = np.ceil(characters[where] / CHARACTERS_A_TOKEN)
        self.table[unknown.any(axis=1), -1] = 1


@lru_cache(maxsize=10_000)
def _tokens(written: str | None) -> tuple[float | None, ...]:
    """As TOKENS, then whether they are estimated; what is read and written is None where nobody counted.

    From the JSON as it stands, since many answers use the same.
    """
    usage = json.loads(written or "{}") or {}
    rest = [usage.get(name) or 0 for name in ("cached", "cache_write")]
    return (usage.get("input"), *rest, usage.get("output"), usage.get("reasoning") or 0, bool(usage.get("estimated")))


def _server(system: System) -> str | None:
    """Host and port, which systems at two endpoints may share; the maker's own address by its preset."""
    if system.endpoint is None:
        return None
    split = urlsplit(system.endpoint.base_url)
    return f"{split.hostname}:{split.port or split.scheme}" if split.hostname else system.endpoint.name


def _tally(system: System, inputs: int) -> Tally:
    found = Completion.objects.filter(system=system).aggregate(
        requests=Count("pk"),
        asked=Count("pk", filter=Q(sample=0)),
        complete=Count("pk", filter=Q(outcome=Outcome.COMPLETE)),
        failed=Count("pk", filter=Q(state=State.FAILED)),
        truncated=Count("pk", filter=Q(outcome=Outcome.TRUNCATED)),
        refused=Count("pk", filter=Q(outcome=Outcome.REFUSED)),
        empty=Count("pk", filter=Q(outcome=Outcome.EMPTY)),
        pending=Count("pk", filter=Q(state__in=[State.PENDING, State.RUNNING])),
        cold_starts=Count("pk", filter=Q(cold=True)),
        calls=Sum("attempts", default=0),
        called=Count("pk", filter=Q(attempts__gt=0)),
        answered=Count("pk", filter=Q(attempts__gt=0, state=State.DONE)),
        first_at=Min("started_at"),
        last_at=Max("finished_at"),
    )
    at_the_door = Attempt.objects.filter(completion__system=system, first_token_ms=None).exclude(failure_kind="")
    calls, answered = found.pop("calls"), found.pop("answered")
    return Tally(
        retries=calls - found.pop("called"),
        begun=max(0, calls - answered - at_the_door.count()),
        missing=inputs - found.pop("asked"),
        **found,
    )


def exact_sum(column: str) -> Sum:
    """In whole thousandths, for comparing: what floats add up to hangs on the order in which the database has them."""
    return Sum(Cast(Least(F(column), Value(LARGEST)) * 1000, BigIntegerField()))


def mark(experiment: Experiment) -> dict[str, Any]:
    """What changes when anything measured does."""
    of = Completion.objects.filter(system__arm__experiment=experiment)
    runs = LoadRun.objects.filter(system__arm__experiment=experiment)
    return {
        "completions": of.aggregate(
            n=Count("pk"),
            last=Max("finished_at"),
            complete=Count("outcome"),
            tries=Sum("attempts"),
            ms=exact_sum("latency_ms"),
        ),
        "load": runs.aggregate(n=Count("pk"), last=Max("at")),
    }


def rows(experiment: Experiment) -> Iterator[dict[str, Any]]:
    """Every completion by arm, input and sample, as it came."""
    columns = (
        "system__arm__code",
        "input__external_id",
        "sample",
        "state",
        "outcome",
        "attempts",
        "latency_ms",
        "ttft_ms",
        "first_visible_ms",
        "user_ms",
        "cold",
        "usage",
        "failure_kind",
        "sentence",
        "raw_text",
        "started_at",
        "finished_at",
    )
    query = Completion.objects.filter(system__arm__experiment=experiment)
    ordered = query.order_by("system__arm__code", "input__position", "sample").values_list(*columns)
    for code, item, *rest in ordered.iterator(chunk_size=CHUNK):
        yield {"arm": code, "input": item, **dict(zip(columns[2:], rest, strict=True))}


def load_runs(experiment: Experiment) -> Iterator[dict[str, Any]]:
    """Every throughput measurement by arm, in the order in which they were made."""
    columns = ("concurrency", "requests", "failed", "seconds", "throughput", "quantiles", "at")
    query = LoadRun.objects.filter(system__arm__experiment=experiment).order_by("pk")
    for code, *rest in query.values_list("system__arm__code", *columns):
        yield {"arm": code, **dict(zip(columns, rest, strict=True))}
