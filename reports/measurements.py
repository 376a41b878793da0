"""What fetching the answers measured, by arm: times, tokens, failures and what a call costs; it knows no names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Count, Max, Q, Sum
from numpy.typing import NDArray

from backends.models import Completion, LoadRun, Outcome, State, System
from experiments.models import Experiment, Input

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CHUNK = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """One entry a complete answer that was timed; ms, NaN where not measured. `input` is a position."""

    input: Ints
    sample: Ints
    e2e: Floats
    ttft: Floats

    def __len__(self) -> int:
        return int(self.e2e.size)

    @property
    def first_pass(self) -> Floats:
        """The times of the first answer to each input: later passes may meet a warm cache."""
        return np.asarray(self.e2e[self.sample == 0], dtype=float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one answered request each; `input` is a position, `prompt` includes `cached`, `output` reasoning."""

    input: Ints
    prompt: Floats
    cached: Floats
    output: Floats

    def __len__(self) -> int:
        return int(self.prompt.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How the requests ended. `missing` counts inputs that were never asked for, as no answer was recorded."""

    requests: int = 0
    complete: int = 0
    failed: int = 0
    truncated: int = 0
    refused: int = 0
    empty: int = 0
    pending: int = 0
    missing: int = 0
    retries: int = 0
    cold_starts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All that was measured of one arm. `throughput` is in requests a second, None where nothing was timed;
    `loaded` says that it comes from a load run, else it follows from the times at the declared concurrency."""

    timings: Timings
    usage: Usage
    tally: Tally
    concurrency: int
    samples: int
    throughput: float | None
    loaded: bool
    cost: Mapping[str, Any]
    load_runs: tuple[Mapping[str, Any], ...] = ()


def read(experiment: Experiment) -> dict[str, Measured]:
    """By the code of the arm: everything measured, streamed."""
    systems = System.objects.filter(arm__experiment=experiment).select_related("arm").order_by("arm__code")
    places = {
        pk: place
        for place, pk in enumerate(
            Input.objects.filter(experiment=experiment).order_by("position").values_list("pk", flat=True)
        )
    }
    return {system.arm.code: _measured(system, places) for system in systems}


def _measured(system: System, places: dict[int, int]) -> Measured:
    timings, usage = _complete(system, places)
    runs = list(LoadRun.objects.filter(system=system).order_by("concurrency", "at"))
    throughput, loaded = _throughput(system, timings, runs)
    return Measured(
        timings=timings,
        usage=usage,
        tally=_tally(system, len(places)),
        concurrency=system.concurrency,
        samples=system.samples,
        throughput=throughput,
        loaded=loaded,
        cost=system.cost,
        load_runs=tuple(
            {
                "concurrency": run.concurrency,
                "requests": run.requests,
                "failed": run.failed,
                "throughput_rps": run.throughput,
                "quantiles": run.quantiles,
            }
            for run in runs
        ),
    )


def _complete(system: System, places: dict[int, int]) -> tuple[Timings, Usage]:
    rows = (
        Completion.objects.filter(system=system, state=State.DONE, outcome=Outcome.COMPLETE)
        .order_by("input_id", "sample")
        .values_list("input_id", "sample", "latency_ms", "ttft_ms", "usage")
    )
    table = np.array(list(_rows(rows.iterator(chunk_size=CHUNK), places)), dtype=float).reshape(-1, 7)
    timed, counted = table[~np.isnan(table[:, 2])], table[~np.isnan(table[:, 4])]
    timings = Timings(
        input=timed[:, 0].astype(np.int64), sample=timed[:, 1].astype(np.int64), e2e=timed[:, 2], ttft=timed[:, 3]
    )
    usage = Usage(
        input=counted[:, 0].astype(np.int64), prompt=counted[:, 4], cached=counted[:, 5], output=counted[:, 6]
    )
    return timings, usage


def _rows(rows: Iterator[Any], places: dict[int, int]) -> Iterator[tuple[float, ...]]:
    unknown = float("nan")
    for item, sample, latency, ttft, usage in rows:
        tokens = usage or {}
        known = tokens.get("input") is not None and tokens.get("output") is not None
        yield (
            places[item],
            sample,
            unknown if latency is None else latency,
            unknown if ttft is None else ttft,
            tokens["input"] if known else unknown,
            (tokens.get("cached") or 0) if known else unknown,
            tokens["output"] if known else unknown,
        )


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
        tries=Sum("attempts", filter=Q(attempts__gt=1)),
        retried=Count("pk", filter=Q(attempts__gt=1)),
    )
    retries = (found.pop("tries") or 0) - found.pop("retried")
    return Tally(retries=retries, missing=inputs - found.pop("asked"), **found)


def _throughput(system: System, timings: Timings, runs: list[LoadRun]) -> tuple[float | None, bool]:
    """The best load run without failures, else Little's law: what is in flight over the mean time of one."""
    clean = [run.throughput for run in runs if not run.failed and run.throughput > 0]
    if clean:
        return max(clean), True
    mean = float(timings.e2e.mean()) if len(timings) else 0.0
    return (system.concurrency * 1000 / mean if mean > 0 else None), False


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
            ms=Sum("latency_ms"),
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
