"""A sample is drawn by its seed, keeps the order, and gives every tag its share."""

import random
import tracemalloc
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from datasketch import MinHash, MinHashLSH
from hypothesis import given
from hypothesis import strategies as st

from experiments.sampling import ALIKE, HASHES, PER_BAND, SCHEME, choose, distinct


@dataclass(frozen=True)
class Row:
    number: int
    tags: Any = field(default_factory=list)


def rows(**sizes: int) -> list[Row]:
    tags = [name for name, size in sizes.items() for _ in range(size)]
    return [Row(number, [tag]) for number, tag in enumerate(tags)]


def test_the_same_seed_draws_the_same_rows_and_another_draws_others() -> None:
    many = rows(a=200)
    assert choose(many, 20, seed=7) == choose(many, 20, seed=7) != choose(many, 20, seed=8)


def test_every_tag_gets_its_share() -> None:
    chosen = choose(rows(a=600, b=300, c=100), 50, seed=1)
    assert Counter(row.tags[0] for row in chosen) == {"a": 30, "b": 15, "c": 5}


def test_tags_as_an_object_are_a_stratum_too() -> None:
    many = [Row(number, {"language": "de" if number % 4 else "en"}) for number in range(80)]
    assert Counter(row.tags["language"] for row in choose(many, 20, seed=1)) == {"de": 15, "en": 5}


def test_rows_without_tags_are_one_stratum() -> None:
    assert len(choose([Row(number) for number in range(9)], 4, seed=1)) == 4


@given(st.lists(st.integers(0, 40), min_size=1, max_size=6), st.integers(1, 100), st.integers(0, 5))
def test_shares_are_right_to_the_nearest_whole_row(sizes: list[int], count: int, seed: int) -> None:
    many = rows(**{f"t{number}": size for number, size in enumerate(sizes)})
    chosen = choose(many, count, seed=seed)
    assert len(chosen) == min(count, len(many))
    assert [row.number for row in chosen] == sorted({row.number for row in chosen})
    for number, size in enumerate(sizes):
        exact = len(chosen) * size / len(many) if many else 0
        assert abs(sum(row.tags == [f"t{number}"] for row in chosen) - exact) < 1


def somewhat_alike(count: int) -> list[str]:
    """Texts some of which are others with up to half of their words changed."""
    draw = random.Random(1)
    texts: list[str] = []
    for number in range(count):
        words = [f"word{draw.randrange(5000)}" for _ in range(60)]
        if number % 2:
            words = texts[draw.randrange(number)].split()
            for place in draw.sample(range(60), draw.randrange(1, 30) // draw.choice([1, 1, 10])):
                words[place] = f"other{draw.randrange(5000)}"
        texts.append(" ".join(words))
    return texts


def test_alike_is_what_the_library_calls_alike() -> None:
    """Its own index, which takes three times the memory, keeps the same texts."""
    texts = somewhat_alike(600)
    index, prints = MinHashLSH(num_perm=HASHES, params=(HASHES // PER_BAND, PER_BAND)), dict[int, MinHash]()
    for place, text in enumerate(texts):
        words = text.split()
        made = MinHash(num_perm=HASHES, seed=1, scheme=SCHEME)
        made.update_batch([" ".join(words[at : at + 3]).encode() for at in range(len(words) - 2)])
        if not any(made.jaccard(prints[other]) >= ALIKE for other in index.query(made)):
            prints[place] = made
            index.insert(place, made)
    assert distinct(texts) == list(prints)
    assert 300 < len(prints) < 550


def test_looking_for_texts_that_are_alike_takes_two_kilobytes_a_text() -> None:
    texts = [f"{number} " + " ".join(str(number * at) for at in range(30)) for number in range(1000)]
    distinct(texts[:10])
    tracemalloc.start()
    kept = distinct(texts)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(kept) > 900
    assert peak < 3000 * len(texts)
