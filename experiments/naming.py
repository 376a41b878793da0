"""Whether an answer names its maker or model, or speaks to the rater; and how such words are masked."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from experiments import naming_words as words
from experiments.folding import Folded, fold, folded_pattern
from experiments.system_names import mentions, whole_name

MASK = "[the assistant]"
UNSAID = "[…]"  # in the place of words to the rater
BEFORE, AFTER = 200, 80  # folded characters around a name that are looked at
KNOWN = "\ue000"  # stands for a name already found: "I am Qwen, created by …"

ITSELF = "it calls itself by this name"
ITS_MAKER = "it says who made it"
A_SYSTEM = "a system of this experiment is called so"
TO_THE_RATER = "it speaks to whoever rates it"


@dataclass(frozen=True, slots=True)
class Finding:
    """Words that give away who wrote a text: `text[start:end] == words`, and why they do."""

    start: int
    end: int
    words: str
    why: str


def _any(patterns: Sequence[str]) -> str:
    return "|".join(folded_pattern(pattern) for pattern in patterns)


def _longest_first(*groups: Sequence[str]) -> str:
    """The words of these patterns, which have no groups of their own, so that none hides a longer one."""
    found = (word for patterns in groups for pattern in patterns for word in folded_pattern(pattern).split("|"))
    return "|".join(sorted(found, key=len, reverse=True))


_EDGE, _END = r"(?<![^\W_])", r"(?![^\W_])"
_WORDY = rf"{_EDGE}(?:{_any(words.TRIGGERS)}){_END}"
_TRIGGER = rf"(?:{_WORDY}|{_any(words.SPACELESS_TRIGGERS)})"
# Read as a sequence of words, each taken once and for all: backtracking over them would take years for some answers.
_GAP = (
    rf"(?>[\s,:;*_\"'“”«»„‘’`()\[\]–—/&{KNOWN}-]+|(?:{_any(words.MADE)}|{_any(words.FILLERS)}){_END}"
    rf"|{_longest_first(words.SPACELESS_FILLERS, words.SPACELESS_MADE)})*+"
)
_LEAD = re.compile(rf"(?P<trigger>{_TRIGGER})(?P<gap>{_GAP})\Z")
_WEAK = re.compile(rf"(?:{_any(words.WEAK_TRIGGERS)})\Z|[は]\Z|(?:저는|나는)\Z")
_MADE = re.compile(rf"{_EDGE}(?:{_any(words.MADE)}){_END}|{_any(words.SPACELESS_MADE)}")
_MADE_AFTER = re.compile(_any(words.MADE_AFTER))
_NAMED_AFTER = re.compile(_any(words.NAMED_AFTER))
_ARTICLE = re.compile(r"\b(?:an?|one)\s+[*_\"'`]*\Z")
_A_MODEL_AFTER = re.compile(r"[\s-]*(?:\d|ai\b|model\b|assistant\b|language\b|chatbot\b|llm\b)")
_MADE_ME = re.compile(
    r"\s+(?:has\s+|have\s+)?(?:trained|created|developed|built|designed|programmed)\s+me\b(?!\s+an?\b)"
)
_HERE = re.compile(r"\s+(?:here|speaking)\s*[,.!:–—-]")
_LABEL = re.compile(r"[*_]*\s*[:：]")
_SIGNED = re.compile(r"(?:[–—]|(?:regards|best|sincerely|cheers|yours|love|truly),?)\s*[*_]*\Z")
_POLICY = re.compile(
    r"(?:['’]s?)?\s+(?:\w+\s+)?(?:use|usage|content|safety|use[\s-]case)\s+(?:polic(?:y|ies)|guidelines?|terms)\b"
)
_FIRST_PERSON = re.compile(r"\b(?:i|i['’]m|me|my)\b")

_UNMISTAKABLE = _any(words.MODELS)
_NAMES = re.compile(
    rf"(?<![a-z0-9])(?:(?P<maker>{_any(words.MAKERS)})(?!\.\w)|(?P<model>{_UNMISTAKABLE})|(?P<word>{_any(words.AMBIGUOUS)}))"
    rf"(?![a-z0-9])"
)
_SENTENCE = re.compile(r"[.!?。！？\n](?=\s|\Z)|[。！？\n]")

# Names that no list knows: "I am Xyzzy, an AI assistant", "as an AI developed by Foo Labs".
_PROPER = r"[A-Z][\w&+-]*(?:\.\w+)?(?:\s[A-Z0-9][\w&+.-]*\w){0,3}"
_UNKNOWN = (
    (
        re.compile(
            rf"\bI(?:['’]m| am)\s+({_PROPER}),?\s+(?:an?|your|the)\s+(?:[\w-]+\s+){{0,4}}?"
            r"(?:AI|language model|chatbot|LLM)\b"
        ),
        ITSELF,
    ),
    (
        re.compile(
            r"\b(?:I(?:['’]m| am)|[Aa]s)\s+an?\s+[^.!?\n]{0,60}?\b(?:AI|language model|chatbot|assistant|LLM)\b"
            rf"[^.!?\n]{{0,40}}?\b(?:developed|created|trained|built|made|designed)\s+by\s+(?:the\s+|a\s+team\s+at\s+)?({_PROPER})"
        ),
        ITS_MAKER,
    ),
    (
        re.compile(rf"\bI was (?:developed|created|trained|built|designed|made) by (?:the (?:team at )?)?({_PROPER})"),
        ITS_MAKER,
    ),
)
_RATER = re.compile(rf"{_EDGE}(?:{_any(words.RATER_PHRASES)})")


def find_names(text: str, extra_names: Iterable[str] = (), prompt: str = "") -> tuple[Finding, ...]:
    """Where a text names its own model or maker, in order and without overlap.

    `extra_names` are the names of the experiment's systems: they count wherever they stand, unless they are words
    that anybody uses or `prompt` holds them already. A model or company that is merely talked about is no finding.
    """
    folded = fold(text)
    names = tuple(extra_names)
    found = [*_selves(text, folded, names), *_unknown(text)]
    asked = fold(prompt).skeleton
    found += [_finding(text, folded, *span, A_SYSTEM) for span in mentions(folded, text, names, asked)]
    return _without_overlap(found)


def find_all(text: str, extra_names: Iterable[str] = (), prompt: str = "") -> tuple[Finding, ...]:
    """All that an owner decides on before raters see it: names, as `find_names` has them, and words to the rater."""
    return _without_overlap([*find_names(text, extra_names, prompt), *addresses_rater(text)])


def mask(text: str, findings: Iterable[Finding]) -> str:
    """The text with names replaced by "[the assistant]" and words to the rater by "[…]"; nothing else is touched."""
    for finding in reversed(_without_overlap(findings)):
        instead = UNSAID if finding.why == TO_THE_RATER else MASK
        text = text[: finding.start] + instead + text[finding.end :]
    return text


def addresses_rater(text: str) -> tuple[Finding, ...]:
    """Where a text tries to speak to the person, or the model, that rates it."""
    folded = fold(text)
    return tuple(
        _finding(text, folded, found.start(), found.end(), TO_THE_RATER) for found in _RATER.finditer(folded.plain)
    )


def _selves(text: str, folded: Folded, names: Iterable[str]) -> list[Finding]:
    """Names in sentences that speak of the speaker; each one found helps to read the next."""
    found: list[Finding] = []
    plain, skeleton = list(folded.plain), list(folded.skeleton)
    for start, end, kind in _candidates(folded, names):
        place = _Place(
            plain="".join(plain[max(0, start - BEFORE) : start]),
            skeleton="".join(skeleton[max(0, start - BEFORE) : start]),
            after=folded.plain[end : end + AFTER],
            is_first=not folded.plain[:start].strip(" *_#>\"'\n"),
            is_last=not folded.plain[end:].strip(" *_.!\n"),
        )
        if why := _why(kind, place):
            found.append(_finding(text, folded, start, end, why))
            plain[start:end] = skeleton[start:end] = KNOWN * (end - start)
    return found


def _candidates(folded: Folded, names: Iterable[str]) -> list[tuple[int, int, str]]:
    known = [(*name.span(), name.lastgroup or "") for name in _NAMES.finditer(folded.skeleton)]
    patterns = [pattern for name in names if (pattern := whole_name(name))]
    own = [(*name.span(), "model") for pattern in patterns for name in pattern.finditer(folded.skeleton)]
    return sorted({*known, *own})


@dataclass(frozen=True, slots=True)
class _Place:
    """The surroundings of a name, folded; `skeleton` is the text before it with look-alikes in Latin."""

    plain: str
    skeleton: str
    after: str
    is_first: bool
    is_last: bool


def _why(kind: str, place: _Place) -> str:
    lead = _LEAD.search(place.plain) or _LEAD.search(place.skeleton)
    if kind != "maker" and lead and _is_name(kind, lead, place):
        return ITSELF
    if kind != "word" and _is_maker(kind, lead, place):
        return ITS_MAKER
    signed = place.is_last and _SIGNED.search(place.plain)
    if kind == "model" and (signed or (place.is_first and (_LABEL.match(place.after) or _HERE.match(place.after)))):
        return ITSELF
    return ""


def _is_maker(kind: str, lead: re.Match[str] | None, place: _Place) -> bool:
    if kind == "maker" and lead and (_MADE.search(lead.group()) or _MADE_AFTER.match(place.after)):
        return True
    if _MADE_ME.match(place.after):
        return True
    sentence = _SENTENCE.split(place.plain)[-1] + _SENTENCE.split(place.after)[0]
    return bool(_POLICY.match(place.after) and _FIRST_PERSON.search(sentence))


def _is_name(kind: str, lead: re.Match[str], place: _Place) -> bool:
    if kind == "word" and _ARTICLE.search(place.plain) and not _A_MODEL_AFTER.match(place.after):
        return False
    if _WEAK.search(lead["trigger"]) and not _MADE.search(lead["gap"]):
        return bool(_NAMED_AFTER.match(place.after) or _MADE_AFTER.match(place.after))
    return True


def _unknown(text: str) -> list[Finding]:
    return [
        Finding(found.start(1), found.end(1), found[1], why)
        for pattern, why in _UNKNOWN
        for found in pattern.finditer(text)
    ]


def _finding(text: str, folded: Folded, start: int, end: int, why: str) -> Finding:
    first, last = folded.place(start, end)
    return Finding(first, last, text[first:last], why)


def _without_overlap(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings in order; of those that overlap, the longest."""
    kept: list[Finding] = []
    for finding in sorted(findings, key=lambda one: (one.start, -one.end)):
        if not kept or finding.start >= kept[-1].end:
            kept.append(finding)
        elif finding.end - finding.start > kept[-1].end - kept[-1].start:
            kept[-1] = finding
    return tuple(kept)
