"""Exact tests of "neither is better": by sign, by flipping signs, and for paired yes-or-no answers."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.random import Generator

from reports.statistics.distributions import binomial_two_sided, binomial_upper
from reports.statistics.interval import Floats

EVEN = 0.5
FLIPS = 10_000  # of the Monte Carlo test
_FINEST = 10_000  # denominators of means over votes; finer values are no votes
_LABOUR = 1_500_000_000  # bits of the exact distribution, moved once for each input: about a tenth of a second


@dataclass(frozen=True, slots=True, kw_only=True)
class SignTest:
    """Inputs above, below and at the even score; p two-sided, and for "greater" alone."""

    above: int
    below: int
    tied: int
    p: float
    p_greater: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SignFlipTest:
    """How many of the ways to flip signs give a sum at least as large (in size) as the one seen.

    The counts are exact, of `total` = 2^n; after a Monte Carlo test they are those of its flips and `exact` is False.
    """

    p: float
    p_greater: float
    count: int
    count_greater: int
    total: int
    exact: bool


def sign_test(d: Floats, *, even: float = EVEN) -> SignTest:
    """Exact binomial test on inputs, those at the even score dropped; `d` has one entry an input."""
    off = d - even
    tied = np.isclose(off, 0, atol=1e-9)
    above, below = int(np.count_nonzero((off > 0) & ~tied)), int(np.count_nonzero((off < 0) & ~tied))
    return SignTest(
        above=above,
        below=below,
        tied=int(np.count_nonzero(tied)),
        p=binomial_two_sided(above, above + below),
        p_greater=binomial_upper(above, above + below),
    )


def sign_flip_test(d: Floats, *, chance: Generator, even: float = EVEN) -> SignFlipTest | None:
    """Fisher's permutation test (1935) that d - even is symmetrical about 0; one entry an input, None without any.

    Exact by counting sums on the lattice the values lie on; by 10,000 random flips where that lattice is too fine.
    """
    if not d.size:
        return None
    steps = _on_a_lattice(d, even)
    if steps is not None and (sum(map(abs, steps)) // 2 + 1) * (len(steps) + 2) * len(steps) <= _LABOUR:
        return _counted(steps)
    return _sampled(d - even, chance)


def mcnemar(only_candidate: int, only_baseline: int) -> float:
    """Exact two-sided p for paired yes-or-no answers: of the pairs that differ, as many each way."""
    return binomial_two_sided(only_candidate, only_candidate + only_baseline)


def _on_a_lattice(d: Floats, even: float) -> list[int] | None:
    """The deviations as whole steps of a common size; None where there is no such size."""
    values, places = np.unique(d, return_inverse=True)
    parts = [
        Fraction(float(value)).limit_denominator(_FINEST) - Fraction(even).limit_denominator(_FINEST)
        for value in values
    ]
    if any(abs(float(part) - (value - even)) > 1e-9 for part, value in zip(parts, values, strict=True)):
        return None
    step = math.lcm(*(part.denominator for part in parts))
    whole = [int(part * step) for part in parts]
    shrink = math.gcd(*whole) or 1
    return [whole[place] // shrink for place in places.reshape(-1)]


def _counted(steps: list[int]) -> SignFlipTest:
    """Counts the subsets of the sizes by their sum, packed into one long whole number with a slot for each sum.

    Flipping signs gives 2 A - W, where A is the sum of the sizes left positive and W that of all.
    """
    sizes = [abs(step) for step in steps]
    slot, total, seen = len(sizes) + 2, 2 ** len(sizes), sum(steps)
    counts = 1
    for size in sizes:
        counts += counts << (slot * size)
    greater = _sum_of_slots(counts >> (slot * ((seen + sum(sizes)) // 2)), slot)
    least = (abs(seen) + sum(sizes)) // 2
    either = total if seen == 0 else 2 * _sum_of_slots(counts >> (slot * least), slot)
    return SignFlipTest(
        p=either / total, p_greater=greater / total, count=either, count_greater=greater, total=total, exact=True
    )


def _sum_of_slots(packed: int, slot: int) -> int:
    # 2^slot leaves remainder 1, so the remainder of the number is the sum of its slots, which stays below 2^slot - 1.
    return packed % ((1 << slot) - 1)


def _sampled(off: Floats, chance: Generator) -> SignFlipTest:
    sizes, often = np.unique(np.abs(off), return_counts=True)
    seen = float(off.sum())
    sums = np.zeros(FLIPS)
    for size, count in zip(sizes, often, strict=True):
        sums += size * (2.0 * chance.binomial(count, 0.5, size=FLIPS) - count)
    slack = 1e-9 * max(1.0, abs(seen))
    greater = int(np.count_nonzero(sums >= seen - slack)) + 1
    either = int(np.count_nonzero(np.abs(sums) >= abs(seen) - slack)) + 1
    total = FLIPS + 1  # the arrangement that was seen is one of them, so that p is never 0
    return SignFlipTest(
        p=either / total, p_greater=greater / total, count=either, count_greater=greater, total=total, exact=False
    )
