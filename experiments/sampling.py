"""Which inputs of a larger log are taken: drawn by chance, spread over tags and lengths, none nearly twice."""

import random
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, TypeVar

import numpy as np

BANDS = 3  # short, middling, long
WORDS = 3  # of a shingle
HASHES, PER_BAND = 64, 4  # two texts that share seven tenths of their shingles meet in a band in 98.8 % of cases
ALIKE = 0.7  # share of common shingles from which two texts count as one
Row = TypeVar("Row")
_WORD = re.compile(r"\w+")


def choose(rows: Sequence[Row], count: int, *, seed: int, tags: Callable[[Row], Any] | None = None) -> list[Row]:
    """`count` of the rows in their order, drawn by the seed; tags (by default `row.tags`) keep their shares.

    All rows come back where there are no more than wanted. See `places`.
    """
    draw = random.Random(seed)  # noqa: S311  # a repeatable choice, no secret
    return [rows[place] for place in places(rows, count, draw, tags=tags)]


def places(
    rows: Sequence[Row], size: int, rng: random.Random, *, tags: Callable[[Row], Any] | None = None
) -> list[int]:
    """The places in `rows` of a sample of `size`, in their order; one state of `rng`, one sample.

    A combination of tags gets its share by largest remainder, so rounded down or up; within it each third of the
    lengths gets its share, and there everyone has the same chance. Of rows that are nearly the same, those after the
    first are drawn only where there are too few others.
    """
    if size >= len(rows):
        return list(range(len(rows)))
    texts = [_asked(row) for row in rows]
    kept = distinct(texts) if any(texts) else list(range(len(rows)))
    if size >= len(kept):
        doubles = sorted(set(range(len(rows))) - set(kept))
        return sorted([*kept, *rng.sample(doubles, size - len(kept))])
    by_tag: dict[str, list[int]] = defaultdict(list)
    for place in kept:
        by_tag[_stratum(tags(rows[place]) if tags else getattr(rows[place], "tags", None))].append(place)
    chosen: list[int] = []
    for name, share in _shares({name: len(members) for name, members in by_tag.items()}, size, rng).items():
        bands = _bands(by_tag[name], texts)
        for band, wanted in _shares({band: len(members) for band, members in bands.items()}, share, rng).items():
            chosen += rng.sample(bands[band], wanted)
    return sorted(chosen)


def distinct(texts: Sequence[str]) -> list[int]:
    """The places of the texts without those that are nearly the same as an earlier one.

    Nearly the same: equal but for case, white space, punctuation and accents, or seven tenths of their runs of three
    words in common (estimated by MinHash: Broder 1997, "On the resemblance and containment of documents").
    """
    kept: list[int] = []
    seen: set[str] = set()
    bands: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    prints: dict[int, np.ndarray[Any, Any]] = {}
    for place, text in enumerate(texts):
        words = _WORD.findall(_plain(text))
        same = " ".join(words) or text
        if same in seen:
            continue
        print_ = _fingerprint(words)
        keys = [(at, print_[at : at + PER_BAND].tobytes()) for at in range(0, HASHES, PER_BAND)]
        near = {other for key in keys for other in bands[key]} if len(words) > WORDS else set()
        if any(float(np.mean(prints[other] == print_)) >= ALIKE for other in near):
            continue
        seen.add(same)
        kept.append(place)
        prints[place] = print_
        for key in keys:
            bands[key].append(place)
    return kept


def _asked(row: object) -> str:
    return "\n".join(message["content"] for message in getattr(row, "messages", ()))


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _coefficients() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    # Which functions does not matter, only that they are always the same.
    made = random.Random("the shingles of a text")  # noqa: S311  # nothing is kept secret with it
    return (
        np.array([made.randrange(1 << 64) | 1 for _ in range(HASHES)], np.uint64),
        np.array([made.randrange(1 << 64) for _ in range(HASHES)], np.uint64),
    )


_TIMES, _PLUS = _coefficients()


def _fingerprint(words: Sequence[str]) -> np.ndarray[Any, Any]:
    shingles = {" ".join(words[at : at + WORDS]) for at in range(max(1, len(words) - WORDS + 1))}
    numbers = np.array([int.from_bytes(blake2b(one.encode(), digest_size=8).digest()) for one in shingles], np.uint64)
    # Multiply and add modulo 2^64, keep the high half (Dietzfelbinger's multiply-shift): wrapping round is wanted.
    hashed: np.ndarray[Any, Any] = (numbers[:, None] * _TIMES + _PLUS) >> np.uint64(32)
    lowest: np.ndarray[Any, Any] = hashed.min(axis=0)
    return lowest


def _bands(members: Sequence[int], texts: Sequence[str]) -> dict[str, list[int]]:
    """Places by the length of their texts: short, middling, long."""
    lengths = [len(texts[place]) for place in members]
    edges = np.quantile(lengths, [band / BANDS for band in range(1, BANDS)])
    bands: dict[str, list[int]] = defaultdict(list)
    for place, length in zip(members, lengths, strict=True):
        bands[str(np.searchsorted(edges, length))].append(place)
    return dict(sorted(bands.items()))


def _stratum(tags: Any) -> str:
    if isinstance(tags, dict):
        return repr(sorted((str(name), str(value)) for name, value in tags.items()))
    return repr(sorted(str(tag) for tag in tags or ()))


def _shares(sizes: Mapping[str, int], count: int, rng: random.Random) -> dict[str, int]:
    """How many places each stratum gets; equal remainders are drawn for."""
    total = sum(sizes.values())
    exact = {name: count * size / total for name, size in sizes.items()}
    shares = {name: int(share) for name, share in exact.items()}
    order = sorted(sizes, key=lambda name: (shares[name] - exact[name], rng.random()))
    for name in order[: count - sum(shares.values())]:
        shares[name] += 1
    return shares
