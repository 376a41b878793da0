"""How a system of the experiment may be written in a text: "llama-3.1-8b-instruct" is also "Llama 3.1 8B"."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from experiments.folding import Folded, fold

FEWEST_LETTERS = 3
_RUNS = re.compile(r"[^\W\d_]+|\d+")
_PARTS = re.compile(r"[^\s\-_/:()\[\],+@]+")
_BETWEEN = r"[\s\-_.:/()]{0,3}"
_NEW_SENTENCE = re.compile(r"(?:\A|[.!?:\n|])[\s*_#>\"'`\-•\d.)]*\Z")

# Words that anybody uses: a name made of nothing else says nothing.
_EVERYDAY = (
    "ai api app assistant agent baseline bot candidate chat chatbot model models llm lm system systems service server "
    "support search code coder instruct instruction base hosted local remote cloud inhouse internal external own our "
    "ours theirs new old current previous next latest stable beta alpha nightly preview test testing prod production "
    "staging dev development default main control treatment variant version release champion challenger reference "
    "human expert large small medium mini micro nano tiny big huge pro plus max ultra lite light fast turbo flash "
    "quick slow thinking reasoning reasoner think deep open free paid premium standard basic advanced the and with "
    "without for not no yes one two three four five first second third left right top best good better quantized "
    "quantised awq gptq gguf int fp bf bit hf gpu cpu vllm sglang ollama tgi azure bedrock vertex openrouter "
    "experimental exp finetuned finetune tuned lora adapter merged distill distilled sft dpo rlhf rag it us eu en de "
    "command router gateway proxy writer editor summary summariser summarizer translator helper help answer answers "
    "response output question prompt customer company product team opus sonnet haiku nova titan mercury apollo atlas "
    "llama alpaca falcon koala dolphin orca gemini phi palm bard bloom granite solar arctic hermes zephyr starling "
    "mistral grok kimi aya yi pi reka claude command seed ling echo sage iris luna orion phoenix spark wizard"
)
EVERYDAY = frozenset(_EVERYDAY.split())
_NO_NAMES = "assistant model chatbot bot agent system llm expert human the and not helper support editor writer"
_NEVER_A_NAME = frozenset(_NO_NAMES.split())
_FAMILIES = "llama alpaca falcon gemini palm bloom granite solar hermes mistral grok kimi aya claude"
_FAMILIES_WITH_NUMBERS = frozenset(_FAMILIES.split())
# Short, but nothing else is written so before a number.
_SHORT_FAMILIES = frozenset({"gpt", "glm", "mpt", "qwq"})


@dataclass(frozen=True, slots=True)
class Spelling:
    """A way to write a name; `capital` says that it counts only as a proper noun, inside a sentence."""

    pattern: re.Pattern[str]
    capital: bool = False


def mentions(text: Folded, original: str, names: Sequence[str], asked: str) -> Iterator[tuple[int, int]]:
    """Where the folded text holds one of the names in a spelling that `asked` (a folded prompt) does not hold."""
    for name in names:
        for spelling in spellings(name):
            if spelling.pattern.search(asked):
                continue
            for found in spelling.pattern.finditer(text.skeleton):
                if not spelling.capital or _is_proper(original, text.places[found.start()]):
                    yield found.span()


@lru_cache(maxsize=512)
def spellings(name: str) -> tuple[Spelling, ...]:
    """How a name may be written, the longest first; none where it consists of words that anybody uses."""
    parts = _PARTS.findall(fold(name.rsplit("/", 1)[-1]).skeleton)
    if len(re.findall(r"[^\W\d_]", "".join(parts))) < FEWEST_LETTERS:
        return ()
    whole = [Spelling(_written(parts), capital=_is_one_word(parts))] if _says_something(parts, whole=True) else []
    shorter = [parts[:count] for count in range(len(parts) - 1, 0, -1)]
    return (*whole, *(Spelling(_written(some)) for some in shorter if _says_something(some, whole=False)))


@lru_cache(maxsize=512)
def whole_name(name: str) -> re.Pattern[str] | None:
    """The name as it stands, where it may name the speaker ("I am Baseline"); None for a word of every sentence."""
    parts = _PARTS.findall(fold(name).skeleton)
    letters = re.findall(r"[^\W\d_]", "".join(parts))
    if len(letters) < FEWEST_LETTERS or "".join(parts) in _NEVER_A_NAME:
        return None
    return _written(parts)


def _says_something(parts: Sequence[str], *, whole: bool) -> bool:
    runs = [run for part in parts for run in _RUNS.findall(part)]
    words = [run for run in runs if not run.isdigit()]
    numbered = len(words) < len(runs)
    telling = [word for word in words if word not in EVERYDAY and len(word) >= FEWEST_LETTERS]
    if not numbered:
        return whole and bool(telling)
    if telling:
        return not _is_short(runs)
    # A family that is also a word, with its number: "claude 3", "gemini 1.5", but not "test 2" and not "phi 3".
    return bool(words) and words[0] in _FAMILIES_WITH_NUMBERS


def _is_short(runs: Sequence[str]) -> bool:
    return len(runs) <= 2 and len(runs[0]) <= FEWEST_LETTERS and runs[0] not in _SHORT_FAMILIES


def _is_one_word(parts: Sequence[str]) -> bool:
    return len(parts) == 1 and parts[0].isalpha()


def _written(parts: Sequence[str]) -> re.Pattern[str]:
    runs = [re.escape(run) for part in parts for run in _RUNS.findall(part)]
    return re.compile(rf"(?<![^\W_]){_BETWEEN.join(runs)}(?![^\W_])")


def _is_proper(text: str, at: int) -> bool:
    return text[at].isupper() and _NEW_SENTENCE.search(text[max(0, at - 40) : at]) is None
