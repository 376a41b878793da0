"""Which inputs of a larger log are taken: drawn by chance, spread over tags and lengths, none nearly twice."""

import random
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Protocol

import numpy as np

BANDS = 3  # short, middling, long
WORDS = 3  # of a shingle
HASHES, PER_BAND = 64, 4  # two texts that share four fifths of their shingles meet in a band in 99.98 % of cases
ALIKE = 0.8  # share of common shingles from which two texts count as one
_WORD = re.compile(r"\w+")


class Sampled(Protocol):
    """What an input must have to be drawn."""

    @property
    def messages(self) -> Sequence[Mapping[str, str]]:
        """Chat messages with a role and a content."""

    @property
    def tags(self) -> Any:
        """A list of words, or an object of words."""


def choose(rows: Sequence[Sampled], size: int, rng: random.Random) -> list[int]:
    """The places in `rows` of a sample, in their order: at most `size`, fewer only where there are no more.

    Of inputs that are nearly the same only the first can be drawn. Each tag and each third of the lengths gets its
    share of the sample (largest remainders), and within it everyone has the same chance. One seed, one sample.
    """
    kept = distinct([_asked(row) for row in rows])
    if size >= len(kept):
        return kept
    strata = _strata(rows, kept)
    shares = _shares({key: len(members) for key, members in strata.items()}, size, rng)
    return sorted(place for key, members in strata.items() for place in rng.sample(members, shares[key]))


def distinct(texts: Sequence[str]) -> list[int]:
    """The places of the texts without those that are nearly the same as an earlier one.

    Nearly the same: equal but for case, white space, punctuation and accents, or four fifths of their runs of three
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


def _asked(row: Sampled) -> str:
    return "\n".join(message["content"] for message in row.messages)


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


def _strata(rows: Sequence[Sampled], places: Sequence[int]) -> dict[tuple[str, int], list[int]]:
    lengths = [len(_asked(rows[place])) for place in places]
    edges = np.quantile(lengths, [band / BANDS for band in range(1, BANDS)])
    strata: dict[tuple[str, int], list[int]] = defaultdict(list)
    for place, length in zip(places, lengths, strict=True):
        strata[_tag(rows[place].tags), int(np.searchsorted(edges, length))].append(place)
    return dict(sorted(strata.items()))


def _tag(tags: Any) -> str:
    """The first tag: further ones would make more strata than there are inputs."""
    values = list(tags.values()) if isinstance(tags, Mapping) else list(tags or [])
    return str(values[0]) if values else ""


def _shares(sizes: Mapping[tuple[str, int], int], size: int, rng: random.Random) -> dict[tuple[str, int], int]:
    """How many of each stratum: in proportion, what is left over to the largest remainders, ties by lot."""
    total = sum(sizes.values())
    exact = {key: size * count / total for key, count in sizes.items()}
    shares = {key: int(value) for key, value in exact.items()}
    lots = {key: rng.random() for key in sizes}
    order = sorted(sizes, key=lambda key: (shares[key] - exact[key], lots[key]))
    for key in order[: size - sum(shares.values())]:
        shares[key] += 1
    return shares
