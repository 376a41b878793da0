"""Text folded for comparing: no case, no accents, no invisible letters, look-alikes of other scripts beside it."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# Letters of other scripts that look like Latin ones (a part of Unicode's table of confusables).
_TWINS = str.maketrans(
    "аеорсухіјѕһԁԛԝкмтнвгпьѵӏոսցօԍαοριντκυχεηωɡıɑɩʟᴀɢᴇօ",
    "aeopcyxijshdqwkmthbrnbvlnugogaopivtkuxenwgiaiiageo",
)
_MARKS = {"Mn", "Cf", "Me"}


@dataclass(frozen=True, slots=True)
class Folded:
    """`plain` keeps the script, `skeleton` writes look-alikes in Latin; both are as long as `places`.

    `places[i]` is where the i-th folded letter came from; the last entry is the length of the text.
    """

    plain: str
    skeleton: str
    places: tuple[int, ...] | range

    def place(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the text from which the folded letters `start` to `end` came."""
        return self.places[start], self.places[end - 1] + 1 if end > start else self.places[start]


def fold(text: str) -> Folded:
    """The text folded, with the way back."""
    if text.isascii():
        lower = text.lower()
        return Folded(lower, lower, range(len(text) + 1))
    letters: list[str] = []
    places: list[int] = []
    for at, letter in enumerate(text):
        for made in _folded_letter(letter):
            letters.append(made)
            places.append(at)
    plain = "".join(letters)
    return Folded(plain, plain.translate(_TWINS), (*places, len(text)))


def folded_pattern(pattern: str) -> str:
    """A regular expression written over plain text, for use over `Folded.plain`; no escapes in capitals."""
    return "".join(_folded_letter(letter) or "" for letter in pattern)


@lru_cache(maxsize=4096)
def _folded_letter(letter: str) -> str:
    if unicodedata.category(letter) in _MARKS:
        return ""
    made = unicodedata.normalize("NFKD", letter).casefold()
    return "".join(one for one in unicodedata.normalize("NFKD", made) if unicodedata.category(one) not in _MARKS)
