"""How far raters agree on the same pair, beyond what chance alone would give."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from reports.statistics import bootstrap
from reports.statistics.codes import levels, renumbered
from reports.statistics.interval import LEVEL, Floats, Interval, Ints, without_limits

NO_VARIATION = "all votes are the same: agreement beyond chance is not defined"
NOT_TWICE = "no pair was rated twice"
_SCALES = ("nominal", "ordinal", "interval")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """How many raters gave each unit each value: `counts` has shape (units, values), `values` rises.

    A unit is what several raters judged, here a pair of outputs; a value is what they said, in terms of the arms
    (1 first arm, ½ tie, 0 second arm), never of left and right.
    """

    counts: Floats
    values: Floats

    @property
    def rated_twice(self) -> int:
        """Units with two or more votes: only they can show agreement."""
        return int(np.count_nonzero(self.counts.sum(axis=1) >= 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What the report shows: intervals by the bootstrap over inputs; `ac1` and `raw` are None where not defined."""

    alpha_nominal: Interval
    alpha_interval: Interval
    ac1: float | None
    raw: float | None
    rated_twice: int


def of_pairs(
    item: Ints, left: Ints, right: Ints, left_score: Floats, *, baseline: int | None = None
) -> tuple[Ints, Floats]:
    """Columns for `summary`: the pair of outputs that each vote is about, and what it says of one of its two arms.

    That arm is the candidate where every pair has the baseline in it, else the one that stood left in the pair's first
    vote: alpha depends a little on the choice, and this one changes neither with the arms' numbers nor with sides.
    """
    if not item.size:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    arms = int(max(left.max(), right.max())) + 1
    low, high = np.minimum(left, right), np.maximum(left, right)
    unit = renumbered((item * arms + low) * arms + high).code
    first = _first_of(unit)
    chosen = left[first]
    if baseline is not None and bool(np.all((left == baseline) | (right == baseline))):
        chosen = np.where(chosen == baseline, right[first], chosen)
    return unit, np.where(left == chosen[unit], left_score, 1 - left_score)


def tabulated(unit: Ints, value: Floats) -> Ratings:
    """From columns with one entry a vote; units that have no vote get no row."""
    values, codes = levels(value)
    rows = renumbered(unit)
    cells = rows.code * max(1, values.size) + codes
    counts = np.bincount(cells, minlength=rows.count * values.size).astype(float)
    return Ratings(counts=counts.reshape(rows.count, values.size), values=values)


def raw(ratings: Ratings) -> float | None:
    """The mean over units of the share of rater pairs that agree (Gwet 2014); None where no unit was rated twice."""
    counts = _paired(ratings.counts)
    return float(_agreeing(counts).mean()) if counts.size else None


def krippendorff(ratings: Ratings, scale: str = "nominal") -> float | None:
    """Krippendorff's alpha (2011), 1 - observed/expected disagreement, on a nominal, ordinal or interval scale.

    Units with one vote are left out. None where nothing was rated twice or nothing varies. Raises ValueError for
    another scale.
    """
    if scale not in _SCALES:
        raise ValueError(f"Unknown scale {scale!r}: it must be one of {', '.join(_SCALES)}.")
    return _alpha_of(_coincidences(ratings.counts).sum(axis=0), ratings.values, scale)


def ac1(ratings: Ratings) -> float | None:
    """Gwet's AC1 (2008), robust where one value dominates; None where it is not defined."""
    observed, chance = raw(ratings), ac1_chance(ratings)
    return None if observed is None or chance is None or chance >= 1 else (observed - chance) / (1 - chance)


def ac1_chance(ratings: Ratings) -> float | None:
    """Chance agreement as AC1 has it: mean over values of π (1 - π) / (values - 1); None with one value only."""
    values = ratings.values.size
    if values < 2:
        return None
    share = (ratings.counts / ratings.counts.sum(axis=1, keepdims=True)).mean(axis=0)
    return float((share * (1 - share)).sum() / (values - 1))


def fleiss(ratings: Ratings) -> float | None:
    """Fleiss' kappa (1971), with Gwet's reading of units that have different numbers of votes; None where undefined."""
    observed = raw(ratings)
    if observed is None:
        return None
    share = (ratings.counts / ratings.counts.sum(axis=1, keepdims=True)).mean(axis=0)
    chance = float((share**2).sum())
    return None if chance >= 1 - 1e-12 else (observed - chance) / (1 - chance)


def cohen(first: Floats, second: Floats, *, quadratic: bool = False) -> float | None:
    """Cohen's kappa (1960) of two columns of values for the same units; with squared distances if `quadratic`.

    None without units or where nothing varies.
    """
    values, codes = np.unique(np.concatenate([first, second]), return_inverse=True)
    count, flat = values.size, codes.reshape(-1)
    if not first.size:
        return None
    table = np.bincount(flat[: first.size] * count + flat[first.size :], minlength=count * count)
    seen = table.reshape(count, count) / first.size
    expected = np.outer(seen.sum(axis=1), seen.sum(axis=0))
    cost = (values[:, None] - values) ** 2 if quadratic else 1.0 - np.eye(count)
    below = float((cost * expected).sum())
    return 1 - float((cost * seen).sum()) / below if below > 0 else None


def summary(
    unit: Ints,
    value: Floats,
    item: Ints,
    *,
    chance: Generator,
    resamples: int = bootstrap.RESAMPLES,
    level: float = LEVEL,
) -> Agreement:
    """All of it; columns with one entry a vote: the pair it is about, what it says, and the input it belongs to."""
    ratings = tabulated(unit, value)
    inputs = _input_of_units(unit, item)
    each = _coincidences(ratings.counts)
    per_input, whole = _by_input(each, inputs), each.sum(axis=0)
    drawn = _resampled(per_input, chance, resamples)
    twice = ratings.rated_twice
    nominal, interval = (
        _with_limits(
            _alpha_of(whole, ratings.values, scale),
            _alpha(drawn, ratings.values, scale),
            inputs=per_input.shape[0],
            why=NO_VARIATION if twice else NOT_TWICE,
            level=level,
        )
        for scale in ("nominal", "interval")
    )
    return Agreement(
        alpha_nominal=nominal, alpha_interval=interval, ac1=ac1(ratings), raw=raw(ratings), rated_twice=twice
    )


def _paired(counts: Floats) -> Floats:
    paired: Floats = counts[counts.sum(axis=1) >= 2]
    return paired


def _agreeing(counts: Floats) -> Floats:
    votes = counts.sum(axis=1)
    return np.asarray((counts * (counts - 1)).sum(axis=1) / (votes * (votes - 1)), dtype=float)


def _coincidences(counts: Floats) -> Floats:
    """Each unit's own coincidence matrix, its pairs of values weighing 1/(votes - 1); shape (units, values, values)."""
    votes = counts.sum(axis=1)
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(counts.shape[1])
    return np.asarray(pairs * np.where(votes >= 2, 1 / np.maximum(votes - 1, 1), 0.0)[:, None, None], dtype=float)


def _alpha(coincidences: Floats, values: Floats, scale: str) -> Floats:
    """For each matrix of shape (…, values, values); NaN where it is not defined."""
    margins = coincidences.sum(axis=-1)
    total = margins.sum(axis=-1)
    distance = _distance(margins, values, scale)
    observed = (coincidences * distance).sum(axis=(-2, -1))
    expected = (margins[..., :, None] * margins[..., None, :] * distance).sum(axis=(-2, -1))
    ratio = np.divide(observed * (total - 1), expected, out=np.full(total.shape, np.nan), where=expected > 1e-12)
    return np.asarray(1 - ratio, dtype=float)


def _alpha_of(coincidences: Floats, values: Floats, scale: str) -> float | None:
    found = _alpha(coincidences[None], values, scale)[0]
    return None if np.isnan(found) else float(found)


def _distance(margins: Floats, values: Floats, scale: str) -> Floats:
    if scale == "nominal":
        return np.asarray(1.0 - np.eye(values.size), dtype=float)
    if scale == "interval":
        return np.asarray((values[:, None] - values) ** 2, dtype=float)
    # Ordinal: the votes between two values, those at the ends by half.
    middle = np.cumsum(margins, axis=-1) - margins / 2
    return np.asarray((middle[..., :, None] - middle[..., None, :]) ** 2, dtype=float)


def _first_of(unit: Ints) -> Ints:
    """The place of the first vote on each unit; of units without gaps."""
    first = np.zeros(int(unit.max()) + 1 if unit.size else 0, dtype=np.int64)
    first[unit[::-1]] = np.arange(unit.size)[::-1]  # of several values for one place the last stays
    return first


def _input_of_units(unit: Ints, item: Ints) -> Ints:
    return renumbered(item[_first_of(renumbered(unit).code)]).code


def _by_input(coincidences: Floats, inputs: Ints) -> Floats:
    """The matrices summed over the units of each input; shape (inputs, values, values)."""
    count, cells = int(inputs.max()) + 1 if inputs.size else 0, int(np.prod(coincidences.shape[1:]))
    places = (inputs[:, None] * cells + np.arange(cells)).reshape(-1)
    summed = np.bincount(places, weights=coincidences.reshape(-1), minlength=count * cells)
    return np.asarray(summed, dtype=float).reshape(count, *coincidences.shape[1:])


def _resampled(per_input: Floats, chance: Generator, resamples: int) -> Floats:
    inputs = per_input.shape[0]
    if inputs < 2:
        return np.zeros((0, *per_input.shape[1:]))
    flat = per_input.reshape(inputs, -1)
    parts = [block @ flat for block in bootstrap.blocks(inputs, resamples, chance)]
    return np.concatenate(parts).reshape(-1, *per_input.shape[1:])


def _with_limits(value: float | None, drawn: Floats, *, inputs: int, why: str, level: float) -> Interval:
    """`why` is said where there is no value."""
    if value is None:
        return without_limits(None, n=inputs, why=why)
    if inputs < 2:
        return without_limits(value, n=inputs, why="one input cannot be resampled")
    method = f"bootstrap over inputs ({drawn.size} resamples)"
    return bootstrap.percentiles(value, drawn, n=inputs, method=method, level=level)
