"""Which language a text is in, roughly: by its script, and among Latin ones by the small words it holds.

It only has to notice an answer in another language than its request; where it is not sure it says nothing.
"""

import hashlib
import re
import unicodedata
from collections import Counter

FEWEST_LETTERS = 20
FEWEST_WORDS = 4
CLEARLY = 1.5  # times as many small words as the runner-up
READ = 4000  # characters looked at
REMEMBERED = 100_000  # texts, by a digest of 16 bytes

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
_LANGUAGES: dict[str, list[str]] = {}  # of each small word
for _language, _words in SMALL_WORDS.items():
    for _small in dict.fromkeys(_words.split()):
        _LANGUAGES.setdefault(_small, []).append(_language)
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+", re.DOTALL)
_seen: dict[bytes, str] = {}  # empty for none
_WORD = re.compile(r"[^\W\d_]+")
_BEYOND_LATIN = re.compile(r"(?![\W\d_])[ʰ-\U0010FFFF]")


def language_of(text: str) -> str | None:
    """A language by its English name, or None where the text is too short or not clear enough. Code is left out."""
    prose = text[:READ]
    if "`" in prose or "://" in prose:
        prose = _CODE.sub(" ", prose)
    if not _BEYOND_LATIN.search(prose):
        return _by_small_words(prose)
    letters = [letter for letter in prose if letter.isalpha()]
    if not letters:
        return None
    scripts = Counter(_script(letter) for letter in letters)
    if scripts["Japanese"] * 20 > len(letters):
        return "Japanese"  # kana are never used by another language, however many Chinese characters stand among them
    script, count = scripts.most_common(1)[0]
    if script is None:
        return _by_small_words(prose)
    return script if count * 2 > len(letters) and count >= FEWEST_WORDS else None


def language_again(text: str) -> str | None:
    """The same, told from memory where the text was looked at before: nothing else enters, so it is never outdated."""
    key = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
    known = _seen.get(key)
    if known is None:
        if len(_seen) >= REMEMBERED:
            _seen.clear()
        known = _seen[key] = language_of(text) or ""
    return known or None


def _script(letter: str) -> str | None:
    return None if letter < "ʰ" else SCRIPTS.get(unicodedata.name(letter, "").partition(" ")[0])


def _by_small_words(prose: str) -> str | None:
    words = _WORD.findall(prose.lower())
    if sum(map(len, words)) < FEWEST_LETTERS:
        return None
    seen = Counter(dict.fromkeys(SMALL_WORDS, 0))
    for word in words:
        for language in _LANGUAGES.get(word, ()):
            seen[language] += 1
    (language, most), (_, second) = seen.most_common(2)
    clear = most >= FEWEST_WORDS and most >= CLEARLY * second
    return language if clear else None
