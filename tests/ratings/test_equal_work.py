"""Whichever kind of pair comes next, the same was drawn for it: what comes rarely must not take its own time."""

from collections import Counter

import pytest

from ratings.blind import BlindPair
from ratings.draws import Draws
from ratings.models import Assignment
from tests.factories import a_rater
from tests.ratings.driving import an_open_experiment, judge, minute, shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each purpose was drawn for."""
    counts: Counter[str] = Counter()
    number = Draws.number

    def counted(draws: Draws, purpose: str, *of: int) -> int:
        counts[purpose] += 1
        return number(draws, purpose, *of)

    monkeypatch.setattr(Draws, "number", counted)
    return counts


def test_a_repeat_is_drawn_with_every_pair_once_one_may_come(drawn: Counter[str]) -> None:
    rater = a_rater(an_open_experiment(inputs=40, ratings_per_pair=1, control_share=0.1, repeat_share=0.2))
    by_kind: dict[str, set[int]] = {}
    pair = shown(rater)
    for turn in range(1, 31):
        drawn.clear()
        following = judge(rater, pair, now=minute(turn))  # which gives the next pair
        assert isinstance(following, BlindPair)
        pair = following
        if turn >= 15:  # the first judgments are ten pairs ago
            by_kind.setdefault(Assignment.objects.latest("position").kind, set()).add(drawn["repeat"])
    assert by_kind.keys() >= {"rating", "repeat"}
    assert set().union(*by_kind.values()) == {1}
