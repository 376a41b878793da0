"""Which pairs there are, which one a rater gets next and which card stands where: pure, every draw handed in.

A side is +1 where the pair's leading output (the baseline's, else that of the lower arm; the right one of a control) is
card A, and -1 where it is card B. What is promised:

- **Within a pair** (`wanted` judgments of it): neither side is taken more than ceil(wanted / 2) times, at any moment,
  whatever is skipped or expires. So a pair that has all its judgments differs by at most 1. `choose` keeps the two
  within 1 of each other on the way too, wherever a pair that allows it is due.
- **Within a rater**, where every rater judges every pair (no more raters than `wanted`): the sides follow `plan`, in
  which each rater's row differs by at most 1 over each pair of arms, and over all of them; each couple of raters (first
  and second, third and fourth, …) is opposite on every pair. So both bounds hold together, in whatever order people
  work. Each pair that a rater skips adds at most 1.
- **Elsewhere** both cannot be had at once: who rates what is not known beforehand. The bound within a pair goes first,
  and a rater's sides are drawn so that they even out within the next `HORIZON` pairs; a single rating a pair leaves the
  rater's side free, and then the difference never exceeds `HORIZON`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from ratings.draws import Draws

APART = 10  # a repeat comes at least this many pairs after the first time
HORIZON = 10
BOTH: tuple[int, ...] = (1, -1)
Group = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two outputs for one input, in stored order; `expected` is the right one of a control."""

    item: int
    first: int
    second: int
    expected: int | None = None


@dataclass(slots=True)  # not frozen: hundreds are made with every vote, and a frozen one takes four times as long
class Candidate:
    """A pair that a rater has not seen: how often it is taken with its leading output on card A and on card B."""

    comparison: int
    item: int
    group: Group
    forward: int = 0
    backward: int = 0

    @property
    def taken(self) -> int:
        """Judgments and live leases."""
        return self.forward + self.backward


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Whom a pair is chosen for: `place` counts the raters from 0 in the order they began, `step` their pairs.

    `last_item` is the input shown before; `leads` says by group how many more of the rater's sides were +1 than -1.
    """

    rater: int
    place: int
    step: int
    last_item: int | None
    leads: Mapping[Group, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """How a rater's pairs are mixed: what is done of each kind, and what is left of it."""

    real_done: int
    real_left: int
    controls_done: int
    controls_left: int
    repeats_done: int


# --- which pairs there are -------------------------------------------------------------------------------------------


def orient(arms: Group, baseline: int | None) -> Group:
    """The two arms with the leading one first: the baseline, else the lower."""
    low, high = sorted(arms)
    return (high, low) if high == baseline else (low, high)


def real_pairs(answers: Mapping[int, Mapping[int, int]], *, baseline: int | None) -> list[Pair]:
    """Every pair of outputs of one input; with a baseline only those that hold its output.

    `answers` maps input to arm to output, servable outputs only; a missing output means fewer pairs, never a gap.
    """
    return [
        Pair(item, min(by_arm[one], by_arm[other]), max(by_arm[one], by_arm[other]))
        for item, by_arm in answers.items()
        for one, other in combinations(sorted(by_arm), 2)
        if baseline is None or baseline in (one, other)
    ]


def control_pairs(
    answers: Mapping[int, Mapping[int, int]],
    pairs: Sequence[Pair],
    *,
    share: float,
    alike: Callable[[int, int], bool],
    draws: Draws,
) -> list[Pair]:
    """Pairs with a known answer, `share` of the real ones and at least one: one side answers another input.

    Each is a real pair of which one output is replaced by what the same arm said to another input. No arm is replaced
    more often than others, as far as its pairs allow. `alike` says of two inputs that an answer to one might pass for
    an answer to the other.
    """
    wanted = max(1, _rounded(share * len(pairs))) if share > 0 else 0
    arm_of = {output: arm for by_arm in answers.values() for arm, output in by_arm.items()}
    items = sorted(answers, key=lambda item: draws.number("donor", item))
    wronged: Counter[int] = Counter()
    made: list[Pair] = []
    for pair in sorted(pairs, key=lambda pair: draws.number("control", pair.first, pair.second)):
        if len(made) == wanted:
            break
        coin = draws.number("wrong side", pair.first, pair.second) % 2
        outputs = (pair.first, pair.second) if coin else (pair.second, pair.first)
        wrong = min(outputs, key=lambda output: wronged[arm_of[output]])
        right = pair.second if wrong == pair.first else pair.first
        donor = _donor(answers, items, pair.item, arm_of[wrong], alike)
        if donor is not None:
            wronged[arm_of[wrong]] += 1
            made.append(Pair(pair.item, min(right, donor), max(right, donor), right))
    return made


def _donor(
    answers: Mapping[int, Mapping[int, int]],
    items: Sequence[int],
    item: int,
    arm: int,
    alike: Callable[[int, int], bool],
) -> int | None:
    start = items.index(item)
    for other in (*items[start + 1 :], *items[:start]):
        if arm in answers[other] and not alike(item, other):
            return answers[other][arm]
    return None


# --- which card stands where -----------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def plan(draws: Draws, place: int, groups: tuple[tuple[int, ...], ...]) -> Mapping[int, int]:
    """A side for every comparison, for the rater in this place; `groups` are the comparisons of each pair of arms.

    Half of each group gets +1, half -1; odd ones alternate over the groups. Places 0 and 1, 2 and 3, … are opposite.
    """
    couple, sign = place // 2, 1 if place % 2 == 0 else -1
    odd = 1 if draws.number("odd", couple) % 2 else -1
    sides: dict[int, int] = {}
    for group in groups:
        order = sorted(group, key=lambda comparison: draws.number("side", couple, comparison))
        half = len(order) // 2
        for position, comparison in enumerate(order):
            sides[comparison] = sign * (1 if position < half else -1 if position < 2 * half else odd)
        if len(order) % 2:
            odd = -odd
    return sides


def most_on_a_side(wanted: int) -> int:
    """How often the same output may be card A among `wanted` judgments of a pair."""
    return (wanted + 1) // 2


def allowed_sides(candidate: Candidate, wanted: int | None) -> tuple[int, ...]:
    """Which sides are left for a pair that wants so many judgments (None: any number)."""
    return _sides(candidate.forward, candidate.backward, wanted)


@lru_cache(maxsize=4096)
def _sides(forward: int, backward: int, wanted: int | None, binding: int | None = None) -> tuple[int, ...]:
    """Which sides are left where so much is taken of either; a `binding` one alone, as long as it is left."""
    left = BOTH
    if wanted is not None:
        most = most_on_a_side(wanted) if forward + backward < wanted else 0
        left = tuple(side for side, taken in ((1, forward), (-1, backward)) if taken < most)
    return (binding,) if binding in left else left


@lru_cache(maxsize=256)
def queue(draws: Draws, rater: int, groups: tuple[tuple[int, ...], ...]) -> Mapping[int, int]:
    """A rater's own random order: comparison -> a number to sort by."""
    return {comparison: draws.number("order", rater, comparison) for group in groups for comparison in group}


# --- which pair comes next -------------------------------------------------------------------------------------------


def choose(
    candidates: Sequence[Candidate],
    *,
    seat: Seat,
    wanted: int | None,
    everyone: bool,
    sides: Mapping[int, int],
    order: Mapping[int, int],
    draws: Draws,
) -> tuple[Candidate, int] | None:
    """The next pair of a rater and its side, or None where no pair has a judgment left to give.

    In this order: not the input shown before; fewest judgments and live leases; a side that evens out the rater's, then
    the pair's; then `order`, the rater's own queue. `sides` is the rater's `plan`, binding where `everyone` rates
    every pair; `wanted` is None for controls, which may be rated by anybody any number of times.
    """
    if not candidates:
        return None
    spread = _spread(candidates, seat.last_item)
    taken = [one.taken for one in spread]
    fewest = min(taken)
    if wanted is not None and fewest >= wanted:
        return None
    due = [one for one, count in zip(spread, taken, strict=True) if count == fewest]
    options = [
        (one, side)
        for one in due
        for side in _sides(one.forward, one.backward, wanted, sides[one.comparison] if everyone else None)
    ]
    if not everyone:
        wish = {group: _wish(group, due, seat, draws) for group in {one.group for one in due}}
        options = [(one, side) for one, side in options if side == wish[one.group]] or options
    options = [(one, side) for one, side in options if (one.forward - one.backward) * side <= 0] or options
    return min(options, key=lambda option: order[option[0].comparison])


def _spread(candidates: Sequence[Candidate], last: int | None) -> Sequence[Candidate]:
    """Those that keep two pairs of one input from following each other, as long as that can be kept up."""
    left = Counter([one.item for one in candidates])
    if 2 * max(left.values()) > len(candidates):
        crowd = max(left, key=left.__getitem__)
        if crowd != last:
            return [one for one in candidates if one.item == crowd]
    return [one for one in candidates if one.item != last] or candidates


def _wish(group: Group, due: Iterable[Candidate], seat: Seat, draws: Draws) -> int:
    """The side drawn as from an urn that holds what evens out the rater's sides within the horizon."""
    lead = seat.leads.get(group, 0)
    ahead = max(1, min(HORIZON, sum(one.group == group for one in due)))
    chance = (ahead - lead) / (2 * ahead)
    return 1 if draws.share("side now", seat.rater, seat.step, *group) < chance else -1


# --- how real, repeated and control pairs are mixed ------------------------------------------------------------------


def still_to_come(mix: Mix, *, control_share: float, repeat_share: float) -> tuple[int, int]:
    """How many controls and repeats a rater is still to see, as shares of all real pairs the rater can expect."""
    real = mix.real_done + mix.real_left
    controls = max(0, min(mix.controls_left, _rounded(control_share * real) - mix.controls_done))
    apart = real + mix.controls_done + controls >= APART
    repeats = max(0, _rounded(repeat_share * real) - mix.repeats_done) if apart else 0
    return controls, repeats


def next_kind(*, real: int, controls: int, repeats: int, place: float) -> str:
    """Real, control or repeat: drawn without replacement from what is left, `place` being a number from 0 to 1."""
    drawn = place * (real + controls + repeats)
    if drawn < controls:
        return "control"
    if drawn < controls + repeats:
        return "repeat"
    return "real"


@lru_cache(maxsize=1024)
def expected_share(free: int, others: int) -> float:
    """The chance that a pair with so many free judgments comes to this rater, `others` being able to take it too."""
    return min(1.0, free / (max(0, others) + 1))


def _rounded(number: float) -> int:
    return int(number + 0.5)
