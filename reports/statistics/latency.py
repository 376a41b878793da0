"""How long answers take: quantiles of times, their limits, and what too few runs cannot say."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy import special

from reports.statistics import bootstrap
from reports.statistics.codes import different, renumbered
from reports.statistics.distributions import binomial_at_most
from reports.statistics.interval import LEVEL, Floats, Interval, Ints, without_limits

FEWEST_INPUTS = 10  # for the bootstrap: with fewer, the largest input decides every upper quantile
FEWEST_PAIRED = 20  # simulated coverage of a difference of p95s: 88 % from 12 inputs, 95 % from 30
_CELLS = 250_000  # of one block of resamples, so that it stays in the cache
_WORK = 20_000_000  # timings in all resamples together
_FEWEST_RESAMPLES = 500
_PAIRED_WORK, _FEWEST_PAIRED = 2_500_000, 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """Which order statistics (counted from 1) bound a quantile; None where no run of this size can."""

    low: int | None
    high: int | None
    coverage: float


def quantile(times: Floats, q: float) -> float | None:
    """Type 7 of Hyndman and Fan 1996, numpy's own; None without times. Same unit as the times."""
    return float(np.quantile(times, q)) if times.size else None


def harrell_davis(times: Floats, q: float) -> float | None:
    """The quantile as a Beta-weighted mean of all order statistics (Harrell and Davis 1982); None without times."""
    n = int(times.size)
    if not n:
        return None
    edges = special.betainc((n + 1) * q, (n + 1) * (1 - q), np.arange(n + 1) / n)
    return float(np.diff(edges) @ np.sort(times))


def ranks(n: int, q: float, *, level: float = LEVEL) -> Ranks:
    """The order statistics that hold the q-quantile whatever the distribution, with their exact coverage.

    low is the largest l with P(Bin(n, q) < l) <= (1 - level)/2, high the smallest u with P(Bin(n, q) >= u) <= the same.
    """
    tail = (1 - level) / 2
    at_most = binomial_at_most(np.arange(n + 1), n, q)  # at_most[k] = P(Bin <= k)
    below = np.concatenate([[0.0], at_most[:-1]])  # below[l] = P(Bin < l)
    low = int(np.flatnonzero(below <= tail)[-1]) or None
    enough = np.flatnonzero(1 - below[1:] <= tail) + 1
    high = int(enough[0]) if enough.size else None
    coverage = (below[high] if high else 1.0) - (below[low] if low else 0.0)
    return Ranks(low=low, high=high, coverage=float(coverage))


def runs_needed(q: float, *, level: float = LEVEL, sides: int = 2) -> int:
    """The fewest runs that give the q-quantile an upper limit (Wilks 1941): smallest n with q^n <= the tail."""
    return math.ceil(math.log((1 - level) / sides) / math.log(q) - 1e-9)


def from_single_runs(times: Floats, q: float, *, level: float = LEVEL) -> Interval:
    """A quantile with order-statistic limits, for one timing an input; the upper one may be missing, with its why."""
    n = int(times.size)
    value = quantile(times, q)
    if value is None:
        return without_limits(None, n=0, why="nothing was timed")
    found, ordered = ranks(n, q, level=level), np.sort(times)
    low = None if found.low is None else float(ordered[found.low - 1])
    high = None if found.high is None else float(ordered[found.high - 1])
    return Interval(
        value=value, low=low, high=high, method="order statistics", n=n, why=_why_open(n, q, level, low, high)
    )


def from_repeated_runs(
    times: Floats,
    item: Ints,
    qs: Sequence[float],
    *,
    chance: Generator,
    level: float = LEVEL,
    resamples: int | None = None,
) -> tuple[Interval, ...]:
    """Quantiles with percentile limits from resampling inputs with all their timings; one Interval for each of `qs`.

    `times` and `item` have one entry a timing. `n` counts timings. 2,000 resamples unless said; fewer, but never below
    500, from 10,000 timings on.
    """
    n = int(times.size)
    if not n:
        return tuple(without_limits(None, n=0, why="nothing was timed") for _ in qs)
    codes = renumbered(item).code
    inputs = int(codes.max()) + 1
    values = [float(np.quantile(times, q)) for q in qs]
    if inputs < FEWEST_INPUTS:
        why = f"{inputs} inputs: limits from repeated runs need at least {FEWEST_INPUTS}"
        return tuple(without_limits(value, n=n, why=why) for value in values)
    count = resamples or min(bootstrap.RESAMPLES, max(_FEWEST_RESAMPLES, _WORK // n))
    drawn = _resampled(times, codes, qs, chance=chance, count=count)
    tail = (1 - level) / 2
    lows, highs = np.quantile(drawn, [tail, 1 - tail], axis=0)
    method = f"bootstrap over {inputs} inputs ({count} resamples)"
    return tuple(
        Interval(value=value, low=float(low), high=float(high), method=method, n=n)
        for value, low, high in zip(values, lows, highs, strict=True)
    )


def quantiles(
    times: Floats, item: Ints, qs: Sequence[float], *, chance: Generator, level: float = LEVEL
) -> tuple[Interval, ...]:
    """Quantiles by the way that fits: the bootstrap where inputs were timed more than once, else order statistics."""
    if times.size > different(item).size:
        return from_repeated_runs(times, item, qs, chance=chance, level=level)
    return tuple(from_single_runs(times, q, level=level) for q in qs)


def paired_differences(
    own: tuple[Floats, Ints],
    other: tuple[Floats, Ints],
    qs: Sequence[float],
    *,
    chance: Generator,
    level: float = LEVEL,
    resamples: int | None = None,
) -> tuple[Interval, ...]:
    """By how much each quantile of `own` lies above that of `other`; both are (times, item), one entry a timing.

    Only inputs that both answered count, and each resample draws the same inputs for both. The two differ only where
    the limits exclude 0. `n` counts the inputs in common. 2,000 resamples unless said; fewer, but never below 250, from
    1,250 timings on.
    """
    shared = np.intersect1d(own[1], other[1])
    n = int(shared.size)
    if n < FEWEST_PAIRED:
        why = f"{n} inputs answered by both: a paired difference needs at least {FEWEST_PAIRED}"
        return tuple(without_limits(None, n=n, why=why) for _ in qs)
    mine, theirs = (_on(shared, times, item) for times, item in (own, other))
    timings = max(mine[0].size, theirs[0].size)
    count = resamples or min(bootstrap.RESAMPLES, max(_FEWEST_PAIRED, _PAIRED_WORK // timings))
    drawn, done = [], 0
    while done < count:
        weights = bootstrap.weights(n, min(max(1, _CELLS // timings), count - done), chance)
        drawn.append(
            _of_weighted(mine[0], weights[:, mine[1]], qs) - _of_weighted(theirs[0], weights[:, theirs[1]], qs)
        )
        done += weights.shape[0]
    values = np.quantile(mine[0], qs) - np.quantile(theirs[0], qs)
    tail = (1 - level) / 2
    lows, highs = np.quantile(np.concatenate(drawn), [tail, 1 - tail], axis=0)
    method = f"bootstrap over {n} inputs in pairs ({count} resamples)"
    return tuple(
        Interval(value=float(value), low=float(low), high=float(high), method=method, n=n)
        for value, low, high in zip(values, lows, highs, strict=True)
    )


def _on(shared: Ints, times: Floats, item: Ints) -> tuple[Floats, Ints]:
    """The times on some inputs, sorted, and the place of each one's input among them."""
    kept = np.isin(item, shared)
    order = np.argsort(times[kept], kind="stable")
    return times[kept][order], np.searchsorted(shared, item[kept][order])


def _resampled(times: Floats, codes: Ints, qs: Sequence[float], *, chance: Generator, count: int) -> Floats:
    """Type 7 quantiles of `count` resamples; shape (count, len(qs))."""
    order = np.argsort(times, kind="stable")
    ordered, owner, inputs = times[order], codes[order], int(codes.max()) + 1
    block = max(1, _CELLS // times.size)
    parts = [
        _of_weighted(ordered, bootstrap.weights(inputs, min(block, count - done), chance)[:, owner], qs)
        for done in range(0, count, block)
    ]
    return np.concatenate(parts)


def _of_weighted(ordered: Floats, weights: Floats, qs: Sequence[float]) -> Floats:
    """Quantiles of sorted times that are repeated `weights` (resamples, times) times each, without repeating them."""
    upto = np.cumsum(weights, axis=1)
    last = upto[:, -1] - 1
    # One row after the other, each beginning above the one before, so that one search finds a place in every row.
    floor = np.arange(upto.shape[0]) * (last.max() + 2)
    rising, start = (upto + floor[:, None]).reshape(-1), np.arange(upto.shape[0]) * upto.shape[1]
    found = np.empty((weights.shape[0], len(qs)))
    for column, q in enumerate(qs):
        place = last * q
        whole = np.floor(place)
        lower = ordered[np.searchsorted(rising, whole + floor, side="right") - start]
        upper = ordered[np.searchsorted(rising, np.minimum(whole + 1, last) + floor, side="right") - start]
        found[:, column] = lower + (place - whole) * (upper - lower)
    return found


def _why_open(n: int, q: float, level: float, low: float | None, high: float | None) -> str | None:
    runs = "1 run" if n == 1 else f"{n} runs"
    if high is None:
        return f"no upper limit from {runs}: the {q * 100:g}\u00a0% quantile needs {runs_needed(q, level=level)}"
    if low is None:
        return f"no lower limit from {runs}: the {q * 100:g}\u00a0% quantile needs {runs_needed(1 - q, level=level)}"
    return None
