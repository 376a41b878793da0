"""Which inputs of a larger log are taken: drawn by chance, spread over tags and lengths, none nearly twice."""

import random
import re
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, TypeVar

import numpy as np
from datasketch import MinHash
from numpy.typing import NDArray

BANDS = 3  # short, middling, long
WORDS = 3  # of a shingle
HASHES, PER_BAND = 64, 4  # two texts that share seven tenths of their shingles meet in a band in 98.8 % of cases
ALIKE = 0.7  # share of common shingles from which two texts count as one
SCHEME: Final = "affine32"  # named, so that no later default of the library changes a sample
BANDS_A_PRINT = HASHES // PER_BAND
Row = TypeVar("Row")
Print = NDArray[np.unsignedinteger[Any]]
_WORD = re.compile(r"\w+")
# Which functions the hashes use does not matter, only that they are always the same.
_ALWAYS_THE_SAME = MinHash(num_perm=HASHES, seed=1, scheme=SCHEME).permutations


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
    lengths = [len(_asked(row)) for row in rows]
    kept = distinct(_asked(row) for row in rows) if any(lengths) else list(range(len(rows)))
    if size >= len(kept):
        doubles = sorted(set(range(len(rows))) - set(kept))
        return sorted([*kept, *rng.sample(doubles, size - len(kept))])
    by_tag: dict[str, list[int]] = defaultdict(list)
    for place in kept:
        by_tag[_stratum(tags(rows[place]) if tags else getattr(rows[place], "tags", None))].append(place)
    chosen: list[int] = []
    for name, share in _shares({name: len(members) for name, members in by_tag.items()}, size, rng).items():
        bands = _bands(by_tag[name], lengths)
        for band, wanted in _shares({band: len(members) for band, members in bands.items()}, share, rng).items():
            chosen += rng.sample(bands[band], wanted)
    return sorted(chosen)


def distinct(texts: Iterable[str]) -> list[int]:
    """The places of the texts without those that are nearly the same as an earlier one.

    Nearly the same: equal but for case, white space, punctuation and accents, or seven tenths of their runs of three
    words in common (estimated by MinHash: Broder 1997, "On the resemblance and containment of documents").
    """
    kept: list[int] = []
    seen: set[bytes] = set()
    index = _Index()
    for place, text in enumerate(texts):
        words = _WORD.findall(_plain(text))
        same = sha256((" ".join(words) or text).encode("utf-8", "surrogatepass")).digest()
        if same in seen:
            continue
        print_ = _fingerprint(words)
        if len(words) > WORDS and index.has_alike(print_):
            continue
        seen.add(same)
        kept.append(place)
        index.add(print_)
    return kept


class _Index:
    """Prints by their bands: those that share one may be alike. It takes a third of the memory of datasketch's own.

    Under each band stands the latest print that has it, and beside each print the one before it with the same band.
    """

    def __init__(self) -> None:
        self._prints: list[Print] = []
        self._latest: dict[bytes, int] = {}
        self._before: array[int] = array("i")

    def add(self, print_: Print) -> None:
        """One more, which others are to be compared with."""
        place = len(self._prints)
        for band in _keys(print_):
            self._before.append(self._latest.get(band, -1))
            self._latest[band] = place
        self._prints.append(print_)

    def has_alike(self, print_: Print) -> bool:
        """Whether one that shares a band is so much like it that both count as one."""
        return any(np.count_nonzero(self._prints[place] == print_) >= ALIKE * HASHES for place in self._near(print_))

    def _near(self, print_: Print) -> set[int]:
        found = set()
        for number, band in enumerate(_keys(print_)):
            place = self._latest.get(band, -1)
            while place >= 0:
                found.add(place)
                place = self._before[place * BANDS_A_PRINT + number]
        return found


def _keys(print_: Print) -> Iterator[bytes]:
    """Short names of the bands; that two bands share one by chance only costs a comparison."""
    for number in range(BANDS_A_PRINT):
        band = print_[number * PER_BAND : (number + 1) * PER_BAND].tobytes()
        yield bytes([number]) + sha256(band).digest()[:7]


def _asked(row: object) -> str:
    return "\n".join(message["content"] for message in getattr(row, "messages", ()))


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _fingerprint(words: Sequence[str]) -> Print:
    made = MinHash(num_perm=HASHES, permutations=_ALWAYS_THE_SAME, scheme=SCHEME)
    made.update_batch([" ".join(words[at : at + WORDS]).encode() for at in range(max(1, len(words) - WORDS + 1))])
    hashes: Print = made.hashvalues
    return hashes


def _bands(members: Sequence[int], lengths: Sequence[int]) -> dict[str, list[int]]:
    """Places by the length of their texts: short, middling, long."""
    edges = np.quantile([lengths[place] for place in members], [band / BANDS for band in range(1, BANDS)])
    bands: dict[str, list[int]] = defaultdict(list)
    for place in members:
        bands[str(np.searchsorted(edges, lengths[place]))].append(place)
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
