"""All arms in one order: strengths, Elo points, chances against the baseline and rank ranges, by resampling inputs."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy import special

from reports.statistics import bootstrap, bradley_terry
from reports.statistics.interval import LEVEL, Bools, Floats, Interval, Ints, without_limits

_FEW_ARMS = 16
_RESAMPLES_FOR_MANY = 400
_CELLS = 500_000  # of one block of resamples, so that it stays in the cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One arm. `theta` and `elo` are relative to the baseline, or to the mean of all where there is none.

    `beats_baseline` is the chance that it does; rank 1 is best, and its range covers 95 % of the resamples.
    """

    arm: int
    theta: Interval
    elo: Interval
    beats_baseline: Interval | None
    rank: int
    rank_low: int | None
    rank_high: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Best first. `note` says in a sentence where pseudo-votes were needed; `regularised`: the values needed them."""

    standings: tuple[Standing, ...]
    regularised: bool
    regularised_resamples: int
    resamples: int
    note: str | None


def rank(wins: Floats, *, chance: Generator, baseline: int | None = None, resamples: int | None = None) -> Ranking:
    """Bradley-Terry from one win matrix an input, shape (inputs, arms, arms): see `bradley_terry.win_matrices`.

    2,000 resamples of inputs, or 400 where there are more than 16 arms, unless said. Where wins are not strongly
    connected, half a pseudo-vote for each pair makes strengths finite, in the values and in each such resample.
    """
    inputs, arms = wins.shape[0], wins.shape[-1]
    count = resamples or (bootstrap.RESAMPLES if arms <= _FEW_ARMS else _RESAMPLES_FOR_MANY)
    if inputs < 2:
        count = 0
    total, regular = _made_finite(wins.sum(axis=0)[None])
    theta = _against(bradley_terry.fit(total)[0], baseline)
    drawn, irregular = _resampled(wins, count, chance)
    standings = _standings(theta, _against(drawn, baseline), inputs, baseline)
    return Ranking(
        standings=standings,
        regularised=not regular[0],
        regularised_resamples=irregular,
        resamples=count,
        note=_note(bool(regular[0]), irregular, count),
    )


def _made_finite(totals: Floats) -> tuple[Floats, Bools]:
    regular = bradley_terry.strongly_connected(totals)
    return np.where(regular[:, None, None], totals, bradley_terry.regularised(totals)), regular


def _resampled(wins: Floats, count: int, chance: Generator) -> tuple[Floats, int]:
    """Strengths in each resample, shape (count, arms), and how many of them needed pseudo-votes.

    Where the whole does not connect, no resample does, as none has wins that the whole has not.
    """
    inputs, arms = wins.shape[0], wins.shape[-1]
    if not count:
        return np.zeros((0, arms)), 0
    flat = wins.reshape(inputs, -1)
    found, irregular = [], 0
    size = max(1, min(_CELLS // (arms * arms), _CELLS // inputs))
    for start in range(0, count, size):
        weights = bootstrap.weights(inputs, min(size, count - start), chance)
        totals, each_regular = _made_finite((weights @ flat).reshape(-1, arms, arms))
        irregular += int(np.count_nonzero(~each_regular))
        found.append(bradley_terry.fit(totals))
    return np.concatenate(found), irregular


def _against(theta: Floats, baseline: int | None) -> Floats:
    return theta if baseline is None else theta - theta[..., baseline, None]


def _standings(theta: Floats, drawn: Floats, inputs: int, baseline: int | None) -> tuple[Standing, ...]:
    ranks, (lows, highs) = _ranks(theta), _rank_ranges(drawn)
    found = []
    for arm in np.argsort(ranks, kind="stable"):
        value = _with_limits(float(theta[arm]), drawn[:, arm], inputs)
        standing = Standing(
            arm=int(arm),
            theta=value,
            elo=value.scaled(float(bradley_terry.ELO)),
            beats_baseline=None if baseline is None else _as_chance(value),
            rank=int(ranks[arm]),
            rank_low=int(lows[arm]) if drawn.size else None,
            rank_high=int(highs[arm]) if drawn.size else None,
        )
        found.append(standing)
    return tuple(found)


def _rank_ranges(drawn: Floats) -> tuple[Ints, Ints]:
    """The ranks between which 95 % of the resamples lie; both (arms,), zeros without resamples."""
    if not drawn.size:
        none = np.zeros(drawn.shape[1], dtype=np.int64)
        return none, none
    ranks, tail = np.sort(_ranks(drawn), axis=0), (1 - LEVEL) / 2
    last = drawn.shape[0] - 1
    return ranks[int(np.floor(tail * last))], ranks[int(np.ceil((1 - tail) * last))]


def _ranks(theta: Floats) -> Ints:
    """1 for the largest along the last axis; arms of equal strength in their own order."""
    return np.argsort(np.argsort(-theta, axis=-1, kind="stable"), axis=-1, kind="stable") + 1


def _with_limits(value: float, drawn: Floats, inputs: int) -> Interval:
    if not drawn.size:
        return without_limits(value, n=inputs, why="one input cannot be resampled" if inputs else "there are no votes")
    method = f"bootstrap over inputs ({drawn.size} resamples)"
    return bootstrap.percentiles(value, drawn, n=inputs, method=method)


def _as_chance(theta: Interval) -> Interval:
    def chance(logit: float | None) -> float | None:
        return None if logit is None else float(special.expit(logit))

    return Interval(
        value=chance(theta.value),
        low=chance(theta.low),
        high=chance(theta.high),
        method=theta.method,
        n=theta.n,
        why=theta.why,
    )


def _note(regular: bool, irregular: int, count: int) -> str | None:
    if not regular:
        return (
            "Some systems only win, only lose or never meet the others, so their strengths have no finite estimate: "
            "half a vote was added for each pair of systems, as a tie."
        )
    if irregular:
        return (
            f"In {irregular} of {count} resamples some system only wins or only loses: "
            "there half a vote was added for each pair of systems, as a tie."
        )
    return None
