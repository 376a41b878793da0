"""Which language a text is in, roughly: by its script, and among Latin ones by the small words it holds.

It only has to notice an answer in another language than its request; where it is not sure it says nothing.
"""

import re
import unicodedata
from collections import Counter

FEWEST_LETTERS = 20
FEWEST_WORDS = 4
CLEARLY = 1.5  # times as many small words as the runner-up
READ = 4000  # characters looked at

SCRIPTS = {
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "CJK": "Chinese",
    "HANGUL": "Korean",
    "CYRILLIC": "a language in Cyrillic",
    "GREEK": "Greek",
    "ARABIC": "a language in Arabic script",
    "HEBREW": "Hebrew",
    "DEVANAGARI": "a language in Devanagari",
    "THAI": "Thai",
    "BENGALI": "Bengali",
    "TAMIL": "Tamil",
    "TELUGU": "Telugu",
    "GEORGIAN": "Georgian",
    "ARMENIAN": "Armenian",
}
SMALL_WORDS = {
    "English": "the of and to is that it for you with are this be on not have your from or by can will",
    "German": "der die das und ist nicht ein eine zu den mit von sie ich auf für im dem auch wird sich bei oder",
    "French": "le la les des et est un une que pour dans vous qui pas sur au avec ne sont ce votre du ou",
    "Spanish": "el la los las de que y en un una es por con para no su se del lo como puede más o",
    "Italian": "il la di che e un una è per non con sono del della gli le si in da più può come anche",
    "Portuguese": "o a os as de que e em um uma é para não com do da se por mais você como seu ou",
    "Dutch": "de het een en van is dat niet op te zijn voor met u je die in aan ook kan of wordt",
    "Polish": "i w na nie że się jest do to z o jak ale co są dla oraz lub być może",
    "Swedish": "och att det som en är på för av inte med till den har du kan ett eller om",
    "Turkish": "ve bir bu için ile de da olarak çok daha gibi ne veya olan değil mi",
}
_WORDS = {language: frozenset(words.split()) for language, words in SMALL_WORDS.items()}
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]+")


def language_of(text: str) -> str | None:
    """A language by its English name, or None where the text is too short or not clear enough. Code is left out."""
    prose = _CODE.sub(" ", text[:READ])
    letters = [letter for letter in prose if letter.isalpha()]
    if not letters:
        return None
    scripts = Counter(_script(letter) for letter in letters)
    if scripts["Japanese"] * 20 > len(letters):
        return "Japanese"  # kana are never used by another language, however many Chinese characters stand among them
    script, count = scripts.most_common(1)[0]
    if script is None:
        return _by_small_words(prose) if len(letters) >= FEWEST_LETTERS else None
    return script if count * 2 > len(letters) and count >= FEWEST_WORDS else None


def _script(letter: str) -> str | None:
    return None if letter < "ʰ" else SCRIPTS.get(unicodedata.name(letter, "").partition(" ")[0])


def _by_small_words(prose: str) -> str | None:
    words = [word.lower() for word in _WORD.findall(prose)]
    seen = Counter({language: sum(word in small for word in words) for language, small in _WORDS.items()})
    (language, most), (_, second) = seen.most_common(2)
    clear = most >= FEWEST_WORDS and most >= CLEARLY * second
    return language if clear else None
