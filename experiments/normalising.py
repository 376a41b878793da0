"""What raters must not see around an answer: reasoning, stop tokens, chat template debris, stray white space."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise

PASSES = 50  # each pass shortens the text; debris hidden in debris deeper than this is no accident

# Control characters but tab and newline, halves of surrogate pairs, and the two code points that are no characters.
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_OUTER_SPACE = re.compile(r"[\s\ufeff]*")
_NEWLINES = re.compile(r"\r\n?|\u0085")

# name → (opener, closer) of reasoning, as chat templates write them.
_REASONING = {
    "think": (r"<think(?:ing)?>", r"</think(?:ing)?>"),
    "thought": (r"<thoughts?>", r"</thoughts?>"),
    "reasoning": (r"<reasoning>", r"</reasoning>"),
    "scratchpad": (r"<scratchpad>", r"</scratchpad>"),
    "minimax": (r"<mm:think>", r"</mm:think>"),
    "seed": (r"<seed:think>", r"</seed:think>"),
    "mistral": (r"\[THINK\]", r"\[/THINK\]"),
    "kimi": (r"◁think▷", r"◁/think▷"),
    "cohere": (r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),
    "sky": (r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),
    "pipes": (r"<\|think(?:ing)?\|>", r"<\|/think(?:ing)?\|>"),
    "gemma": (r"<\|channel>thought\b", r"<channel\|>"),
    "medgemma": (r"<unused94>(?:thought\b)?", r"<unused95>"),
}
_MARKS = {
    name: re.compile(rf"(?P<open>{opener})|(?P<close>{closer})", re.I) for name, (opener, closer) in _REASONING.items()
}

# gpt-oss: <|channel|>NAME …<|message|>TEXT, closed by the next marker.
_CHANNEL = re.compile(r"<\|channel\|>\s*(?P<name>\w*)(?P<more>[^<]*)(?:<\|constrain\|>\w*)?\s*(?:<\|message\|>)?")
_CHANNEL_END = re.compile(r"<\|(?:end|return|call|start)\|>")
_BARE_CHANNEL = re.compile(r"\A\s*(?:assistant\s*)?analysis(?=\S).*?assistant\s?final(?=\S|\s*\Z)", re.S)

_ROLE = r"(?:assistant|model|user|system|tool|bot|human|gpt|ipython|developer)"
_HEADERS = (
    rf"<\|im_start\|>\s*(?:{_ROLE}\b[ \t]*\n?)?",
    rf"<\|start_header_id\|>\s*{_ROLE}?\s*<\|end_header_id\|>\n*",
    rf"<\|header_start\|>\s*{_ROLE}?\s*<\|header_end\|>\n*",
    rf"<\|start_of_role\|>\s*{_ROLE}?\s*<\|end_of_role\|>",
    rf"<start_of_turn>\s*(?:{_ROLE}\b[ \t]*\n?)?",
    rf"<\|turn>\s*(?:{_ROLE}\b[ \t]*\n?)?",
    rf"<\|start\|>\s*(?:{_ROLE}\b)?",
)
_TOKENS = (
    r"<\|(?:im_end|eot_id|eom_id|eot|eom|endoftext|end_of_text|begin_of_text|end|return|call|message|constrain|sep)\|>",
    r"<\|(?:assistant|user|system|observation|ipython|python_tag|endofprompt|end_of_turn|end_of_role)\|>",
    r"<\|(?:begin_of_box|end_of_box|START_RESPONSE|END_RESPONSE|START_TEXT|END_TEXT)\|>",
    r"<\|(?:START_OF_TURN_TOKEN|END_OF_TURN_TOKEN|CHATBOT_TOKEN|USER_TOKEN|SYSTEM_TOKEN|START_RESPONSE_TOKEN)\|>",
    r"<\|(?:startoftext|begin_of_sentence|end_of_sentence|begin_of_solution|end_of_solution|finetune_right_pad_id)\|>",
    r"<(?:end_of_turn|turn\||eos|bos|pad|BOS_TOKEN|EOS_TOKEN|end_of_utterance|eod|extra_id_\d+)>",
    r"</?s>(?=\s*(?:\Z|\[/?INST\]|<))|(?<=\n)</?s>|\A\s*</?s>",
    r"<｜[^<>\n]{1,40}｜>",
    r"\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS|BOS|EOS)\]|<</?SYS>>",
    r"\[(?:e~|e~\[|~b\])",
    r"<channel\|>|<\|channel>(?:final)?",
)
_DEBRIS = re.compile("|".join((*_HEADERS, *_TOKENS)))
_FENCE = re.compile(r"^ {0,3}(?:[-*+] +|\d+[.)] +)?(?P<mark>`{3,}|~{3,})(?P<info>.*)$", re.M)
_INLINE_CODE = re.compile(r"(?<!`)(`{1,2})(?!`)[^`\n]+(?<!`)\1(?!`)")
# A user's turn after a stop token: the model went on talking to itself.
_NEXT_TURN = re.compile(
    r"(?:<\|im_end\|>|<\|eot_id\|>|<end_of_turn>|<\|end\|>|</s>)\s*"
    r"(?:<\|im_start\|>\s*user\b|<\|start_header_id\|>\s*user\b|<start_of_turn>\s*user\b|<\|user\|>|<s>\s*\[INST\]).*\Z",
    re.S,
)

_TALK = re.compile(r"\s+(?:tags?|tokens?|markers?|elements?|blocks?)\b", re.I)

Spans = list[tuple[int, int]]


def normalise(raw: str) -> str:
    """The answer itself: `raw` without reasoning, stop tokens, template debris, outer space, unstorable characters.

    What stands in code, fenced or inline, stays, except debris at the very ends of the text. Idempotent.
    """
    text = _UNSTORABLE.sub("", _NEWLINES.sub("\n", raw))
    for _ in range(PASSES):
        shorter = _pass(text)
        if shorter == text:
            break
        text = shorter
    return text


def _pass(text: str) -> str:
    text = _channels(_trim(text))
    for name in _REASONING:
        text = _without_reasoning(text, name)
    text = _cut(text, _outside_code(_NEXT_TURN, text))
    return _trim(_cut(text, _outside_code(_DEBRIS, text)))


def _trim(text: str) -> str:
    """Without white space and debris at the two ends, wherever they stand."""
    start, end = 0, len(text)
    while (space := _OUTER_SPACE.match(text, start)) and (first := _DEBRIS.match(text, space.end())):
        start = first.end()
    debris = [mark.span() for mark in _DEBRIS.finditer(text, start)]
    while True:
        while end > start and (text[end - 1].isspace() or text[end - 1] == "\ufeff"):
            end -= 1
        if not debris or debris[-1][1] < end or debris[-1][0] < start:
            return text[start:end].strip().strip("\ufeff").strip()
        end = min(end, debris.pop()[0])


def _channels(text: str) -> str:
    """Only what went to the final channel, where there are channels; nothing where only reasoning arrived."""
    code = _code(text)
    marks = [mark for mark in _CHANNEL.finditer(text) if not _inside(mark.start(), code)]
    if not marks:
        return _BARE_CHANNEL.sub("", text, count=1)
    bounds = [mark.start() for mark in marks[1:]] + [len(text)]
    kept = []
    for mark, bound in zip(marks, bounds, strict=True):
        end = _CHANNEL_END.search(text, mark.end(), bound)
        if mark["name"] == "final":
            kept.append(text[mark.end() : end.start() if end else bound])
        elif end is not None and end.group() != "<|start|>":
            kept.append(_after_message(text[end.end() : bound]))
    return "\n".join(part for part in kept if part.strip())


def _after_message(text: str) -> str:
    """What follows the end of a reasoning message without a channel of its own."""
    header = re.match(rf"\s*<\|start\|>\s*{_ROLE}?\s*(?:<\|message\|>)?", text)
    return text[header.end() :] if header else text


def _without_reasoning(text: str, name: str) -> str:
    """A closer without an opener ends reasoning that began before the text; an opener never closed runs to the end."""
    marks = list(_MARKS[name].finditer(text))
    if not marks:
        return text
    code = _code(text)
    starts_inside = marks[0].lastgroup == "open" and not text[: marks[0].start()].strip()
    cuts: Spans = []
    depth, opened = 0, 0
    for mark in marks:
        ends_the_first = bool(starts_inside and depth and mark.lastgroup == "close")
        if not ends_the_first and (_inside(mark.start(), code) or _is_talked_about(text, mark)):
            continue
        if mark.lastgroup == "open":
            opened = mark.start() if depth == 0 else opened
            depth = 1
        elif depth:
            cuts.append((opened, mark.end()))
            depth = 0
        else:
            cuts = [(0, mark.end())]
    if depth:
        cuts.append((opened, len(text)))
    return _cut(text, cuts)


def _is_talked_about(text: str, mark: re.Match[str]) -> bool:
    """Whether a sentence speaks of the tag ("the <think> tag") instead of using it."""
    nearby = text[max(0, mark.start() - 200) : mark.start()]
    line_before = nearby[nearby.rfind("\n") + 1 :]
    return bool(line_before.strip()) and _TALK.match(text, mark.end()) is not None


def _outside_code(pattern: re.Pattern[str], text: str) -> Spans:
    code = _code(text)
    return [mark.span() for mark in pattern.finditer(text) if not _inside(mark.start(), code)]


def _code(text: str) -> Spans:
    """Where fenced and inline code stands, in order; a fence that is never closed protects nothing."""
    if "`" not in text and "~~~" not in text:
        return []
    fences: Spans = []
    opening: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if opening is None:
            if "`" not in fence["info"] or fence["mark"][0] == "~":
                opening = fence
        elif fence["mark"].startswith(opening["mark"]) and not fence["info"].strip():
            fences.append((opening.start(), fence.end()))
            opening = None
    inline = [m.span() for m in _INLINE_CODE.finditer(text) if not _inside(m.start(), fences)]
    return sorted([*fences, *inline])


def _inside(position: int, spans: Spans) -> bool:
    at = bisect_right(spans, (position, 1 << 62)) - 1
    return at >= 0 and spans[at][0] <= position < spans[at][1]


def _cut(text: str, cuts: Iterable[tuple[int, int]]) -> str:
    edges = [0, *(edge for cut in cuts for edge in cut), len(text)]
    return "".join(text[start:end] for start, end in list(pairwise(edges))[::2])
