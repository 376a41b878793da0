"""Which card stands where and which pair comes when: statistics over more than ten thousand draws of the real code.

The draws are seeded, so that chance cannot fail these tests: 2.5 points of bias would be found with 95 % power.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import binomtest, chi2_contingency, spearmanr

from ratings.draws import Draws
from tests.ratings.test_pairing import Room

ALPHA = 0.001
WORST_SHARE = 0.02
# Where everybody rates everything sides follow the plan; where pairs are shared out they are drawn as they come.
KINDS = {"everyone rates everything": (40, 5, 5, 50), "pairs are shared out": (60, 2, 6, 84)}


@dataclass(frozen=True, slots=True)
class Draw:
    """One showing: the side of the leading output, and all that it must not hang on."""

    side: int
    position: int
    rater: int
    comparison: int
    before: int | None


def drawn(items: int, wanted: int, raters: int, rooms: int) -> list[Draw]:
    """Every showing in so many experiments, the raters taking turns."""
    found = []
    for number in range(rooms):
        room = Room(items, 2, wanted, raters, Draws(f"{number:064x}", number))
        before: dict[int, int] = {}
        busy = list(range(raters))
        while busy:
            for rater in list(busy):
                chosen = room.serve(rater)
                if chosen is None:
                    busy.remove(rater)
                    continue
                candidate, side = chosen
                position = len(room.seen[rater])
                found.append(Draw(side, position, rater, candidate.comparison, before.get(rater)))
                before[rater] = side
    return found


@pytest.fixture(scope="module")
def draws() -> dict[str, list[Draw]]:
    return {kind: drawn(*sizes) for kind, sizes in KINDS.items()}


def p_of(draws: Sequence[Draw], by: Callable[[Draw], int]) -> float:
    """The chance of so uneven a table of sides by what they must not hang on."""
    values = sorted({by(draw) for draw in draws})
    table = np.zeros((2, len(values)))
    for draw in draws:
        table[int(draw.side > 0), values.index(by(draw))] += 1
    return float(chi2_contingency(table).pvalue)


@pytest.mark.parametrize("kind", KINDS)
def test_each_side_is_as_likely(draws: dict[str, list[Draw]], kind: str) -> None:
    sides = [draw.side > 0 for draw in draws[kind]]
    assert len(sides) >= 10_000
    assert abs(sum(sides) / len(sides) - 0.5) <= WORST_SHARE
    assert binomtest(sum(sides), len(sides)).pvalue > ALPHA


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "by",
    [
        lambda draw: draw.position,
        lambda draw: draw.position % 2,
        lambda draw: draw.rater,
        lambda draw: draw.comparison,
        lambda draw: draw.comparison % 2,
    ],
    ids=["place", "odd and even places", "rater", "primary key", "odd and even keys"],
)
def test_a_side_hangs_on_nothing(draws: dict[str, list[Draw]], kind: str, by: Callable[[Draw], int]) -> None:
    assert p_of(draws[kind], by) > ALPHA


def test_a_side_does_not_hang_on_the_one_before() -> None:
    """Half of a rater's sides are A and half B; the order they come in is any order, as likely as any other."""
    items, wanted, raters, rooms = KINDS["everyone rates everything"]
    scores = []
    for number in range(rooms):
        room = Room(items, 2, wanted, raters, Draws(f"{number:064x}", number))
        for rater in range(0, raters, 2):  # of two opposite raters one
            while room.serve(rater) is not None:
                pass
            scores.append(runs_z([room.taken[one][rater] for one in room.seen[rater]]))
    assert p_of_scores(scores) > ALPHA


def test_where_pairs_are_shared_out_a_side_evens_out_no_more_than_promised(draws: dict[str, list[Draw]]) -> None:
    """An urn for the next ten pairs: the side that was just shown is up to a tenth less likely, never more."""
    later = [draw for draw in draws["pairs are shared out"] if draw.before is not None]
    changes = sum(draw.side != draw.before for draw in later) / len(later)
    assert 0.5 < changes <= 0.5 + 1 / 10


@pytest.mark.parametrize("leak", ["place", "rater", "before", "share"])
def test_a_bias_of_a_few_points_would_be_found(leak: str) -> None:
    chance = np.random.default_rng(3)
    found: list[Draw] = []
    for number in range(10_000):
        plain = Draw(1, number % 40, number // 40 % 5, number, found[-1].side if found else None)
        cause = {"place": plain.position % 2, "rater": plain.rater == 1, "before": plain.before == 1, "share": True}
        bias = {"rater": 0.08}.get(leak, 0.05) if cause[leak] else 0.0
        found.append(Draw(1 if chance.random() < 0.5 + bias else -1, *_rest(plain)))
    if leak == "share":
        assert binomtest(sum(draw.side > 0 for draw in found), len(found)).pvalue <= ALPHA
    else:
        by = {"place": lambda one: one.position % 2, "rater": lambda one: one.rater, "before": lambda one: one.before}
        assert p_of(found[1:], by[leak]) <= ALPHA


def _rest(draw: Draw) -> tuple[int, int, int, int | None]:
    return draw.position, draw.rater, draw.comparison, draw.before


# --- the queue -------------------------------------------------------------------------------------------------------


def runs_z(labels: Sequence[int]) -> float:
    """Wald and Wolfowitz: how many standard errors more runs than by chance; few runs are batches."""
    first, n = sum(label == labels[0] for label in labels), len(labels)
    other = n - first
    runs = 1 + sum(one != next_ for one, next_ in pairwise(labels))
    mean = 2 * first * other / n + 1
    spread = math.sqrt((mean - 1) * (mean - 2) / (n - 1))
    return (runs - mean) / spread


def p_of_scores(scores: Sequence[float]) -> float:
    """The chance that so many independent scores add up to so much."""
    return math.erfc(abs(sum(scores)) / math.sqrt(2 * len(scores)))


def test_systems_come_in_no_batches() -> None:
    scores = []
    for number in range(30):
        room = Room(40, 3, 3, 3, Draws(f"{number:064x}", number))
        for rater in range(3):
            while room.serve(rater) is not None:
                pass
            scores.append(runs_z([room.pairs[one][1][1] for one in room.seen[rater]]))
    assert p_of_scores(scores) > ALPHA


def test_a_queue_follows_no_keys() -> None:
    """Neither the keys of the pairs nor the queue of the rater before."""
    along_keys, along_others = [], []
    for number in range(30):
        room = Room(40, 2, 3, 3, Draws(f"{number:064x}", number))
        for rater in range(3):
            while room.serve(rater) is not None:
                pass
            along_keys.append(spearmanr(range(40), room.seen[rater]).statistic)
        places = [[room.seen[rater].index(one) for one in range(40)] for rater in range(2)]
        along_others.append(spearmanr(*places).statistic)
    for found in (along_keys, along_others):
        assert p_of_scores([one * math.sqrt(39) for one in found]) > ALPHA


def test_batches_would_be_found() -> None:
    assert runs_z([1] * 20 + [2] * 20) < -5
    assert runs_z([1, 2] * 20) > 5
