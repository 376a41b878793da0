"""The score on parts of the inputs: where it may fail, without finding failures that chance alone would make."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from reports.statistics import intervals, multiplicity
from reports.statistics.codes import renumbered
from reports.statistics.distributions import t_two_sided
from reports.statistics.interval import LEVEL, Bools, Floats, Interval, Ints
from reports.statistics.scores import InputScores

ENOUGH_INPUTS = 10
PERMUTATIONS = 10_000
_FEWEST_PERMUTATIONS = 1_000
_CELLS = 250_000  # of one block of permutations, so that it stays in the cache
_WORK = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The score on some inputs. p values are against ½, two-sided; None below ten inputs or where nothing varies."""

    name: str
    inputs: int
    score: Interval
    p: float | None
    p_holm: float | None = None
    p_bh: float | None = None


def segments(scores: InputScores, members: Mapping[str, Bools], *, level: float = LEVEL) -> tuple[Segment, ...]:
    """One for each name, in the order given; a mask has one entry for each entry of `scores`, and masks may overlap.

    Panel limits with ten inputs or more, Wilson's over inputs below that; Holm and Benjamini-Hochberg over all of them.
    """
    found = [_segment(name, scores.mean[mask], level) for name, mask in members.items()]
    raised = multiplicity.holm([each.p for each in found])
    explored = multiplicity.benjamini_hochberg([each.p for each in found])
    return tuple(
        replace(each, p_holm=strict, p_bh=loose) for each, strict, loose in zip(found, raised, explored, strict=True)
    )


def interaction_p(d: Floats, segment: Ints, *, chance: Generator, permutations: int = PERMUTATIONS) -> float | None:
    """Whether the score differs between segments that do not overlap, by permuting the inputs' labels.

    One entry an input; the statistic is the sum of squares between segments. None with one segment only.
    """
    codes = renumbered(segment).code
    sizes = np.bincount(codes)
    if sizes.size < 2:
        return None
    off = d - d.mean()
    seen = float((np.bincount(codes, weights=off) ** 2 / sizes).sum())
    block, count = max(1, _CELLS // d.size), min(permutations, max(_FEWEST_PERMUTATIONS, _WORK // d.size))
    as_large = 0
    for start in range(0, count, block):
        shuffled = np.tile(off, (min(block, count - start), 1))
        chance.permuted(shuffled, axis=1, out=shuffled)
        sums = shuffled @ np.eye(sizes.size)[codes]
        as_large += int(np.count_nonzero((sums**2 / sizes).sum(axis=1) >= seen - 1e-12))
    return (as_large + 1) / (count + 1)


def _segment(name: str, d: Floats, level: float) -> Segment:
    inputs = int(d.size)
    if inputs < ENOUGH_INPUTS:
        rate = intervals.wilson(float(d.sum()), inputs, level=level)
        return Segment(name=name, inputs=inputs, score=replace(rate, method="Wilson over inputs"), p=None)
    score = intervals.mean(d, level=level, support=intervals.UNIT)
    p = None
    if score.value is not None and score.se is not None and score.df is not None:
        p = t_two_sided((score.value - 0.5) / score.se, score.df)
    return Segment(name=name, inputs=inputs, score=score, p=p)
