"""Choosing some of many inputs: by lot, with every tag in its share."""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Row = TypeVar("Row")


def choose(rows: Sequence[Row], count: int, *, seed: int, tags: Callable[[Row], Any] | None = None) -> list[Row]:
    """`count` of the rows in their order, drawn by the seed; tags (by default `row.tags`) keep their shares.

    A stratum is a combination of tags. Places are shared by largest remainder, so that every stratum gets its share
    rounded down or up. All rows come back where there are no more than wanted.
    """
    if count >= len(rows):
        return list(rows)
    draw = random.Random(seed)  # noqa: S311  # a repeatable choice, no secret
    strata: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        strata[_stratum(tags(row) if tags else getattr(row, "tags", None))].append(number)
    chosen = [
        number
        for name, places in _shares({name: len(numbers) for name, numbers in strata.items()}, count, draw).items()
        for number in draw.sample(strata[name], places)
    ]
    return [rows[number] for number in sorted(chosen)]


def _stratum(tags: Any) -> str:
    if isinstance(tags, dict):
        return repr(sorted((str(name), str(value)) for name, value in tags.items()))
    return repr(sorted(str(tag) for tag in tags or ()))


def _shares(sizes: dict[str, int], count: int, draw: random.Random) -> dict[str, int]:
    """How many places each stratum gets; equal remainders are drawn for."""
    total = sum(sizes.values())
    exact = {name: count * size / total for name, size in sizes.items()}
    places = {name: int(share) for name, share in exact.items()}
    order = sorted(sizes, key=lambda name: (places[name] - exact[name], draw.random()))
    for name in order[: count - sum(places.values())]:
        places[name] += 1
    return places
