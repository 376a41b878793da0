"""Resampling whole inputs (or inputs and raters) with all their votes; every draw comes from a generator handed in."""

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from reports.statistics import scores
from reports.statistics.codes import renumbered
from reports.statistics.interval import LEVEL, Floats, Interval, Ints, without_limits

RESAMPLES = 2000
_CELLS = 250_000  # of one block of weights, so that it stays in the cache


def weights(clusters: int, count: int, chance: Generator) -> Floats:
    """How often each cluster is drawn in each of `count` resamples; multinomial, shape (count, clusters)."""
    drawn = chance.integers(0, clusters, size=(count, clusters))
    drawn += np.arange(count)[:, None] * clusters
    # As floats, since products of whole numbers and floats are slow.
    often = np.bincount(drawn.reshape(-1), minlength=count * clusters).astype(float)
    return often.reshape(count, clusters)


def blocks(clusters: int, count: int, chance: Generator) -> Iterator[Floats]:
    """The same in blocks of bounded size, for many clusters."""
    size = max(1, _CELLS // max(1, clusters))
    for done in range(0, count, size):
        yield weights(clusters, min(size, count - done), chance)


def percentiles(value: float | None, drawn: Floats, *, n: int, method: str, level: float = LEVEL) -> Interval:
    """An estimate with the percentiles of its resamples as limits; resamples that gave NaN are left out."""
    usable = drawn[np.isfinite(drawn)]
    if value is None or usable.size < drawn.size / 2:
        return without_limits(value, n=n, why="most resamples give no value", method=method)
    tail = (1 - level) / 2
    low, high = np.quantile(usable, [tail, 1 - tail])
    return Interval(value=value, low=float(low), high=float(high), method=method, n=n)


def means(y: Floats, item: Ints, *, chance: Generator, resamples: int = RESAMPLES) -> Floats:
    """The score in each resample of inputs with all their votes; shape (resamples,), empty without votes."""
    each = scores.by_input(y, item).mean
    if not each.size:
        return np.zeros(0)
    return np.concatenate([block @ each / each.size for block in blocks(each.size, resamples, chance)])


def over_inputs(
    y: Floats, item: Ints, *, chance: Generator, resamples: int = RESAMPLES, level: float = LEVEL
) -> Interval:
    """The score with percentile limits for new inputs; columns with one entry a vote."""
    per_input = scores.by_input(y, item)
    if len(per_input) < 2:
        return without_limits(per_input.score, n=len(per_input), why="one input cannot be resampled")
    drawn = means(y, item, chance=chance, resamples=resamples)
    method = f"bootstrap over inputs ({resamples} resamples)"
    return percentiles(per_input.score, drawn, n=len(per_input), method=method, level=level)


def over_inputs_and_raters(
    y: Floats, item: Ints, rater: Ints, *, chance: Generator, resamples: int = RESAMPLES, level: float = LEVEL
) -> Interval:
    """The pigeonhole bootstrap (Owen 2007), a check that is wider than need be: a vote counts as often as its input was
    drawn times as often as its rater was. Columns with one entry a vote."""
    per_input = scores.by_input(y, item)
    judges = renumbered(rater)
    if len(per_input) < 2 or judges.count < 2:
        return without_limits(per_input.score, n=len(per_input), why="needs two inputs and two raters")
    places = np.searchsorted(per_input.input, item)
    shape = (len(per_input), judges.count)
    cells = places * shape[1] + judges.code
    counts = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape).astype(float)
    sums = np.bincount(cells, weights=y, minlength=shape[0] * shape[1]).astype(float).reshape(shape)
    drawn = np.concatenate([_pigeonhole(block, sums, counts, chance) for block in blocks(shape[0], resamples, chance)])
    method = f"bootstrap over inputs and raters ({resamples} resamples)"
    return percentiles(per_input.score, drawn, n=len(per_input), method=method, level=level)


def _pigeonhole(inputs: Floats, sums: Floats, counts: Floats, chance: Generator) -> Floats:
    raters = weights(sums.shape[1], inputs.shape[0], chance)
    got, of = raters @ sums.T, raters @ counts.T  # (resamples, inputs)
    # An input all of whose raters were left out has no mean in that resample.
    each = np.divide(got, of, out=np.zeros_like(got), where=of > 0)
    present = inputs * (of > 0)
    total = present.sum(axis=1)
    drawn: Floats = np.divide((present * each).sum(axis=1), total, out=np.full(total.shape, np.nan), where=total > 0)
    return drawn
