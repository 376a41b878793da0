"""Which pairs there are, who gets which next and which card stands where, over random experiments."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratings.draws import Draws
from ratings.pairing import (
    APART,
    HORIZON,
    Candidate,
    Group,
    Mix,
    Pair,
    Seat,
    allowed_sides,
    choose,
    control_pairs,
    expected_share,
    most_on_a_side,
    next_kind,
    orient,
    plan,
    queue,
    real_pairs,
    still_to_come,
)

BASELINE = 1
DRAWS = Draws("a salt of the experiment", 7)


@dataclass
class Room:
    """An experiment in memory: every comparison of `items` inputs and `arms` arms, and who took which side of it."""

    items: int
    arms: int
    wanted: int
    raters: int
    draws: Draws = DRAWS
    taken: dict[int, dict[int, int]] = field(default_factory=dict)  # comparison -> rater -> side
    seen: dict[int, list[int]] = field(default_factory=dict)  # rater -> comparisons, in order

    def __post_init__(self) -> None:
        groups = [orient(pair, BASELINE) for pair in combinations(range(1, self.arms + 1), 2) if BASELINE in pair]
        self.pairs = {
            number: (item, group)
            for number, (item, group) in enumerate((item, group) for item in range(self.items) for group in groups)
        }
        self.groups = tuple(
            tuple(number for number, (_, own) in self.pairs.items() if own == group) for group in groups
        )
        self.taken = {number: {} for number in self.pairs}
        self.seen = {rater: [] for rater in range(self.raters)}

    @property
    def everyone(self) -> bool:
        return self.wanted >= self.raters

    def candidates(self, rater: int) -> list[Candidate]:
        return [
            Candidate(
                number,
                item,
                group,
                sum(side > 0 for side in self.taken[number].values()),
                sum(side < 0 for side in self.taken[number].values()),
            )
            for number, (item, group) in self.pairs.items()
            if number not in self.seen[rater]
        ]

    def leads(self, rater: int) -> Mapping[Group, int]:
        leads: Counter[Group] = Counter()
        for number, sides in self.taken.items():
            leads[self.pairs[number][1]] += sides.get(rater, 0)
        return leads

    def serve(self, rater: int) -> tuple[Candidate, int] | None:
        seen = self.seen[rater]
        chosen = choose(
            self.candidates(rater),
            seat=Seat(
                rater=rater,
                place=rater,
                step=len(seen) + 1,
                last_item=self.pairs[seen[-1]][0] if seen else None,
                leads=self.leads(rater),
            ),
            wanted=self.wanted,
            everyone=self.everyone,
            sides=plan(self.draws, rater, self.groups),
            order=queue(self.draws, rater, self.groups),
            draws=self.draws,
        )
        if chosen is not None:
            self.taken[chosen[0].comparison][rater] = chosen[1]
            seen.append(chosen[0].comparison)
        return chosen

    def free(self, rater: int) -> None:
        """The rater's last pair is skipped, or its lease runs out."""
        if self.seen[rater]:
            self.taken[self.seen[rater][-1]].pop(rater, None)


salts = st.binary(min_size=4, max_size=8).map(bytes.hex)


@st.composite
def rooms(draw: st.DrawFn, *, most_raters: int = 5) -> Room:
    return Room(
        items=draw(st.integers(1, 7)),
        arms=draw(st.integers(2, 4)),
        wanted=draw(st.integers(1, 5)),
        raters=draw(st.integers(1, most_raters)),
        draws=Draws(draw(salts), draw(st.integers(0, 9))),
    )


@given(room=rooms(), data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_pair_with_all_its_judgments_differs_by_at_most_one_whatever_is_skipped(
    room: Room, data: st.DataObject
) -> None:
    script = data.draw(st.lists(st.tuples(st.integers(0, room.raters - 1), st.integers(0, 4)), max_size=60))
    for rater, luck in script:
        room.serve(rater)
        if luck == 0:
            room.free(rater)
        for sides in room.taken.values():
            assert len(sides) <= room.wanted
            ahead, behind = (sum(side == which for side in sides.values()) for which in (1, -1))
            assert max(ahead, behind) <= most_on_a_side(room.wanted)
            if len(sides) == room.wanted:
                assert abs(ahead - behind) <= 1


@given(room=rooms(), data=st.data())
@settings(max_examples=60, deadline=None)
def test_where_everyone_rates_everything_both_bounds_are_one_in_any_order(room: Room, data: st.DataObject) -> None:
    room.wanted = max(room.wanted, room.raters)
    waiting = set(range(room.raters))
    while waiting:
        rater = data.draw(st.sampled_from(sorted(waiting)))
        if room.serve(rater) is None:
            waiting.discard(rater)
    for rater in range(room.raters):
        leads = room.leads(rater)
        assert len(room.seen[rater]) == len(room.pairs)
        assert all(abs(lead) <= 1 for lead in leads.values())
        assert abs(sum(leads.values())) <= 1  # the baseline stands on both cards alike, over all candidates together
    assert all(abs(sum(sides.values())) <= 1 for sides in room.taken.values())


@given(room=rooms(most_raters=1))
@settings(max_examples=40, deadline=None)
def test_two_raters_one_after_the_other_stay_within_one_for_a_pair_at_every_moment(room: Room) -> None:
    room = Room(room.items, room.arms, 2, 2, room.draws)
    for rater in (0, 1):
        while room.serve(rater) is not None:
            assert all(abs(sum(sides.values())) <= 1 for sides in room.taken.values())


@given(room=rooms(), data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_single_rating_a_pair_keeps_every_rater_within_the_horizon(room: Room, data: st.DataObject) -> None:
    room = Room(room.items * 4, 2, 1, room.raters + 1, room.draws)
    for rater in data.draw(st.lists(st.integers(0, room.raters - 1), max_size=40)):
        room.serve(rater)
        assert all(abs(lead) <= HORIZON for lead in room.leads(rater).values())


def test_more_raters_than_ratings_stay_close_to_even() -> None:
    room = Room(50, 2, 3, 5)
    waiting = set(range(5))
    while waiting:
        waiting -= {rater for rater in sorted(waiting) if room.serve(rater) is None}
    assert all(abs(sum(sides.values())) == 1 for sides in room.taken.values())
    assert all(abs(lead) <= 4 for rater in range(5) for lead in room.leads(rater).values())


@given(room=rooms(), data=st.data())
@settings(max_examples=40, deadline=None)
def test_the_fewest_judgments_come_first(room: Room, data: st.DataObject) -> None:
    for rater in data.draw(st.lists(st.integers(0, room.raters - 1), max_size=40)):
        last = room.pairs[room.seen[rater][-1]][0] if room.seen[rater] else None
        open_ = [one for one in room.candidates(rater) if allowed_sides(one, room.wanted)]
        crowded = Counter(one.item for one in room.candidates(rater))
        chosen = room.serve(rater)
        if chosen is None:
            assert not open_
            continue
        elsewhere = [one for one in open_ if one.item != last]
        crowd = crowded.most_common(1)[0][1] * 2 > sum(crowded.values())
        if elsewhere and not crowd:
            assert chosen[0].taken == min(one.taken for one in elsewhere)


@given(room=rooms())
@settings(max_examples=60, deadline=None)
def test_two_pairs_of_one_input_follow_each_other_only_where_it_cannot_be_avoided(room: Room) -> None:
    room.wanted = max(room.wanted, room.raters)
    for rater in range(room.raters):
        while room.serve(rater) is not None:
            pass
        items = [room.pairs[number][0] for number in room.seen[rater]]
        most = Counter(items).most_common(1)[0][1]
        if most <= (len(items) + 1) // 2:
            assert all(one != other for one, other in pairwise(items))


def test_every_draw_can_be_repeated_and_hangs_on_salt_seed_and_rater() -> None:
    def orders(draws: Draws, rater: int) -> list[int]:
        room = Room(20, 2, 5, 3, draws)
        while room.serve(rater) is not None:
            pass
        return [number * room.taken[number][rater] for number in room.seen[rater]]

    assert orders(DRAWS, 0) == orders(DRAWS, 0)
    others = [orders(Draws("another salt", 7), 0), orders(Draws(DRAWS.salt, 8), 0), orders(DRAWS, 2)]
    assert all(orders(DRAWS, 0) != other for other in others)


def test_sides_of_different_couples_are_independent_and_those_within_one_are_opposite() -> None:
    group = (tuple(range(2000)),)
    first, second, third = (plan(DRAWS, place, group) for place in (0, 1, 2))
    assert all(first[number] == -second[number] for number in group[0])
    agreeing = sum(first[number] == third[number] for number in group[0]) / 2000
    assert abs(agreeing - 0.5) < 0.05


def test_a_side_says_nothing_about_the_one_before() -> None:
    changes = total = 0
    for salt in range(20):
        room = Room(50, 2, 3, 3, Draws(str(salt), 0))
        for rater in range(3):
            while room.serve(rater) is not None:
                pass
            sides = [room.taken[number][rater] for number in room.seen[rater]]
            changes += sum(one != other for one, other in pairwise(sides))
            total += len(sides) - 1
    assert abs(changes / total - 0.5) < 0.04  # 2,940 draws: four standard errors


# --- which pairs there are -------------------------------------------------------------------------------------------

ANSWERS = {item: {arm: 10 * item + arm for arm in (1, 2, 3)} for item in range(1, 21)}


def test_with_a_baseline_every_candidate_meets_it_and_only_it() -> None:
    pairs = real_pairs({5: {1: 51, 2: 52, 3: 53}}, baseline=2)
    assert [(pair.first, pair.second) for pair in pairs] == [(51, 52), (52, 53)]


def test_without_one_everybody_meets_everybody() -> None:
    assert len(real_pairs({5: {1: 53, 2: 51, 3: 52}}, baseline=None)) == 3
    assert all(pair.first < pair.second for pair in real_pairs({5: {1: 53, 2: 51, 3: 52}}, baseline=None))


def test_a_missing_output_makes_fewer_pairs() -> None:
    assert real_pairs({5: {1: 51}}, baseline=1) == []
    assert real_pairs({5: {2: 52, 3: 53}}, baseline=1) == []


def test_a_control_shows_the_answer_to_another_input_and_knows_the_right_one() -> None:
    real = real_pairs(ANSWERS, baseline=1)
    controls = control_pairs(ANSWERS, real, share=0.15, alike=lambda one, other: False, draws=DRAWS)
    assert len(controls) == 6
    assert len({(pair.first, pair.second) for pair in controls}) == 6
    for pair in controls:
        wrong = pair.second if pair.expected == pair.first else pair.first
        assert pair.expected in ANSWERS[pair.item].values()
        assert wrong not in ANSWERS[pair.item].values()
        assert 1 in (wrong % 10, (pair.expected or 0) % 10)  # the arms of a control are those of a real pair


def test_the_wrong_side_of_the_controls_is_spread_over_the_arms() -> None:
    real = real_pairs(ANSWERS, baseline=1)
    controls = control_pairs(ANSWERS, real, share=0.5, alike=lambda one, other: False, draws=DRAWS)
    wrong = Counter((pair.second if pair.expected == pair.first else pair.first) % 10 for pair in controls)
    assert max(wrong.values()) - min(wrong.values()) <= 1


def test_an_answer_that_might_pass_is_no_control() -> None:
    real = real_pairs(ANSWERS, baseline=1)
    alike = {1: 1, 2: 1, 3: 1}
    few = {item: ANSWERS[item] for item in (1, 2, 3)}
    assert (
        control_pairs(few, real[:6], share=0.5, alike=lambda one, other: alike[one] == alike[other], draws=DRAWS) == []
    )


def test_one_control_is_made_however_small_the_share() -> None:
    real = real_pairs(ANSWERS, baseline=1)
    assert len(control_pairs(ANSWERS, real, share=0.001, alike=lambda one, other: False, draws=DRAWS)) == 1
    assert control_pairs(ANSWERS, real, share=0.0, alike=lambda one, other: False, draws=DRAWS) == []


def test_controls_are_pairs_of_stored_order() -> None:
    real = real_pairs(ANSWERS, baseline=None)
    for pair in control_pairs(ANSWERS, real, share=0.3, alike=lambda one, other: False, draws=DRAWS):
        assert isinstance(pair, Pair)
        assert pair.first < pair.second


# --- the mixture -----------------------------------------------------------------------------------------------------


def test_shares_are_of_the_real_pairs_that_a_rater_can_expect() -> None:
    mix = Mix(real_done=0, real_left=40, controls_done=0, controls_left=9, repeats_done=0)
    assert still_to_come(mix, control_share=0.15, repeat_share=0.1) == (6, 4)
    mix = Mix(real_done=40, real_left=0, controls_done=6, controls_left=3, repeats_done=3)
    assert still_to_come(mix, control_share=0.15, repeat_share=0.1) == (0, 1)


def test_repeats_are_not_promised_where_they_could_not_come_late_enough() -> None:
    few = Mix(real_done=0, real_left=APART - 1, controls_done=0, controls_left=0, repeats_done=0)
    assert still_to_come(few, control_share=0.0, repeat_share=0.5) == (0, 0)


@pytest.mark.parametrize(("place", "kind"), [(0.0, "control"), (0.19, "control"), (0.25, "repeat"), (0.31, "real")])
def test_the_kind_is_drawn_from_what_is_left(place: float, kind: str) -> None:
    assert next_kind(real=7, controls=2, repeats=1, place=place) == kind


def test_a_pair_that_others_may_take_counts_by_the_chance_of_getting_it() -> None:
    assert expected_share(free=3, others=2) == 1.0
    assert expected_share(free=3, others=4) == pytest.approx(0.6)
