"""A sample minds lengths and leaves out what is nearly the same."""

import random
from collections import Counter
from dataclasses import dataclass, field

from experiments.sampling import choose, distinct, places


@dataclass(frozen=True)
class Asked:
    messages: list[dict[str, str]]
    tags: list[str] = field(default_factory=list)


def asked(text: str, tag: str = "") -> Asked:
    return Asked([{"role": "user", "content": text}], [tag] if tag else [])


def words(number: int, count: int) -> str:
    draw = random.Random(number)
    return " ".join(str(draw.randrange(10**6)) for _ in range(count))


def test_short_middling_and_long_get_their_shares() -> None:
    rows = [asked(words(number, size)) for number, size in enumerate([5] * 40 + [50] * 40 + [200] * 40)]
    for seed in range(5):
        chosen = places(rows, 30, random.Random(seed))
        assert Counter(place // 40 for place in chosen) == {0: 10, 1: 10, 2: 10}


def test_the_same_chance_gives_the_same_sample() -> None:
    rows = [asked(words(number, 9), "ab"[number % 2]) for number in range(100)]
    assert places(rows, 20, random.Random(3)) == places(rows, 20, random.Random(3))
    assert [rows.index(row) for row in choose(rows, 20, seed=3)] == places(rows, 20, random.Random(3))


def test_what_is_nearly_the_same_counts_once() -> None:
    long = words(1, 80)
    assert distinct(["Hello", "hello!!", long, long.replace(" ", "  ") + ".", long + " more", words(2, 80)]) == [
        0,
        2,
        5,
    ]
    assert distinct(["Café?", "cafe", "", "?"]) == [0, 2, 3]


def test_doubles_are_drawn_only_where_there_are_too_few_others() -> None:
    rows = [asked("Hello")] * 5 + [asked(words(number, 9)) for number in range(5)]
    assert places(rows, 6, random.Random(1)) == [0, 5, 6, 7, 8, 9]
    assert len(places(rows, 8, random.Random(1))) == 8
    assert places(rows, 10, random.Random(1)) == list(range(10))


def test_texts_that_share_nothing_are_all_kept() -> None:
    assert len(distinct([words(number, 40) for number in range(500)])) == 500
