"""The output check: which answers an owner should look at before raters do, shown without saying whose they are."""

import hashlib
import hmac
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.actions import log
from accounts.models import User
from experiments.actions import HELD_BACK, decide_output
from experiments.languages import language_again
from experiments.models import Decision, Experiment, Output, OutputState
from experiments.refusals import Refused
from ratings.blind import CleanHtml

REQUEST_LENGTH = 400
CHUNK = 2_000
CUT_OFF, REFUSED = HELD_BACK["truncated"], HELD_BACK["refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A reason to look at an output; `decidable` where the owner may let raters see it."""

    name: str
    title: str
    words: str


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            name="undecided",
            title="Names its maker",
            words="These answers contain a name that could tell raters which system wrote them, or speak to whoever "
            "rates them. Mask those words, release the answer as it is, or withhold it.",
        ),
        Kind(
            name="decided",
            title="Decided",
            words="Answers that you have decided on. A decision can be changed until rating opens, but a mask stays.",
        ),
        Kind(
            name="language",
            title="Another language",
            words="The answer seems to be in another language than its request. Withhold it where that is a mistake.",
        ),
        Kind(
            name="identical",
            title="Identical",
            words="Two answers to the same input have the same text. Raters will most likely call them a tie.",
        ),
        Kind(
            name="refused",
            title="Refused",
            words="The model or a filter refused to answer. Raters do not see these; they are counted in the report.",
        ),
        Kind(
            name="cut_off",
            title="Cut off",
            words="The answer ends in the middle. Raters do not see these; they are counted in the report. "
            "Raise max_tokens and fetch them again if this should not count.",
        ),
        Kind(name="empty", title="Empty", words="The answer has no text. Raters do not see these."),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """An output as the check shows it: with its input, without anything that tells the arm."""

    handle: str
    input: str
    request: str
    html: CleanHtml
    seen: tuple[str, ...]
    state: str
    decision: str
    reason: str
    note: str

    @property
    def can_mask(self) -> bool:
        """Whether there is a name in it that is not masked yet."""
        return bool(self.seen) and self.state != OutputState.MASKED

    @property
    def can_withhold(self) -> bool:
        """Whether raters would see it as things stand."""
        return self.state not in {OutputState.WITHHELD, OutputState.EMPTY}


@dataclass(frozen=True, slots=True)
class Findings:
    """Row ids by the kind of finding, in the order of the inputs; a row may be of several kinds."""

    rows: dict[str, list[int]]
    notes: dict[int, str]

    def count(self, kind: str) -> int:
        """How many."""
        return len(self.rows.get(kind, ()))

    @property
    def kinds(self) -> list[tuple[Kind, int]]:
        """Every kind with its count."""
        return [(kind, self.count(name)) for name, kind in KINDS.items()]

    @property
    def total(self) -> int:
        """Everything there is to look at."""
        return sum(count for _, count in self.kinds)


@dataclass(frozen=True, slots=True)
class _Row:
    pk: int
    item: int
    state: str
    decision: str
    reason: str
    digest: bytes
    language: str | None


def find(experiment: Experiment) -> Findings:
    """Look at every output once: two queries."""
    asked = {
        pk: language_again(_last_words(messages))
        for pk, messages in experiment.inputs.values_list("pk", "messages").iterator(chunk_size=CHUNK)
    }
    by_input: dict[int, list[_Row]] = defaultdict(list)
    columns = ("pk", "input_id", "state", "decision", "reason", "text")
    outputs = Output.objects.filter(input__experiment=experiment).order_by("input__position")
    for pk, item, state, decision, reason, text in outputs.values_list(*columns).iterator(chunk_size=CHUNK):
        digest = hashlib.sha256(" ".join(text.split()).encode()).digest()
        by_input[item].append(_Row(pk, item, state, decision, reason, digest, language_again(text)))
    usual = _usual(one.language for answers in by_input.values() for one in answers)
    rows: dict[str, list[int]] = defaultdict(list)
    notes: dict[int, str] = {}

    def handle(row: _Row) -> str:
        return handle_of(experiment, row.pk)

    for item, answers in by_input.items():
        language = asked.get(item) or usual
        foreign = _foreign(answers, language)
        notes |= {one.pk: f"Seems to be in {one.language}, where {language} was expected." for one in foreign}
        found = [(kind, one) for one in answers for kind in _kinds(one)]
        found += [("identical", min(same, key=handle)) for same in _identical(answers)]
        found += [("language", one) for one in foreign]
        # By their handles, whatever finding they stand under: the order of the rows would tell the arms apart.
        for kind, one in sorted(found, key=lambda finding: handle(finding[1])):
            rows[kind].append(one.pk)
    return Findings(dict(rows), notes)


def cards(experiment: Experiment, rows: Sequence[int], notes: dict[int, str]) -> list[Card]:
    """These outputs as cards, in the order given: one query."""
    found = Output.objects.filter(pk__in=rows, input__experiment=experiment).select_related("input").in_bulk()
    return [_card(experiment, found[pk], notes.get(pk, "")) for pk in rows if pk in found]


def handle_of(experiment: Experiment, pk: int) -> str:
    """What names an output in a form: it tells neither its row nor, by its order, its arm."""
    key = bytes.fromhex(experiment.draw_salt)
    return hmac.digest(key, f"output check {pk}".encode(), "sha256").hex()[:24]


def decide(*, experiment: Experiment, handles: Iterable[str], decision: str, reason: str, by: User) -> tuple[int, str]:
    """Decide on the outputs with these handles, each by itself; how many, and why others could not be decided on."""
    wanted = set(handles)
    pks = [
        pk
        for pk in Output.objects.filter(input__experiment=experiment).values_list("pk", flat=True)
        if handle_of(experiment, pk) in wanted
    ]
    done, refused = 0, Counter[str]()
    for output in Output.objects.filter(pk__in=pks).select_related("input").order_by("input__position", "pk"):
        try:
            decide_output(output=output, decision=decision, reason=reason, by=by)
            done += 1
        except Refused as error:
            refused[str(error)] += 1
    if done:
        log(by, f"{Decision(decision).label.lower()} outputs", f"experiment {experiment.slug}", outputs=done)
    return done, " ".join(f"{count} not: {sentence}" for sentence, count in refused.items())


def _kinds(row: _Row) -> Iterable[str]:
    if row.state == OutputState.EMPTY:
        yield "empty"
    elif row.decision != Decision.NONE:
        yield "decided"
    elif row.state == OutputState.FLAGGED:
        yield "undecided"
    elif row.state == OutputState.WITHHELD:
        yield "cut_off" if row.reason == CUT_OFF else "refused"


def _identical(answers: Sequence[_Row]) -> list[list[_Row]]:
    texts: dict[bytes, list[_Row]] = defaultdict(list)
    for one in answers:
        if one.state not in {OutputState.EMPTY, OutputState.WITHHELD}:
            texts[one.digest].append(one)
    return [same for same in texts.values() if len(same) > 1]


def _foreign(answers: Sequence[_Row], asked: str | None) -> list[_Row]:
    """Those in another language than the request, unless every answer is: then the request asked for it."""
    shown = [one for one in answers if one.state not in {OutputState.EMPTY, OutputState.WITHHELD}]
    if asked is None or not any(one.language == asked for one in shown):
        return []
    return [one for one in shown if one.language not in {None, asked}]


def _usual(languages: Iterable[str | None]) -> str | None:
    """What most answers are in: the measure where a request is too short to tell."""
    known = Counter(language for language in languages if language)
    return max(sorted(known), key=known.__getitem__) if known else None


def _card(experiment: Experiment, output: Output, note: str) -> Card:
    request = _last_words(output.input.messages)
    return Card(
        handle=handle_of(experiment, output.pk),
        input=output.input.external_id,
        request=request[:REQUEST_LENGTH] + ("…" if len(request) > REQUEST_LENGTH else ""),
        html=CleanHtml(output.html),
        seen=_words_seen(output.flags),
        state=output.state,
        decision=output.decision,
        reason=output.reason,
        note=note,
    )


def _words_seen(flags: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(flag.get("words", "")) for flag in flags))


def _last_words(messages: Sequence[dict[str, Any]]) -> str:
    content = messages[-1].get("content", "") if messages else ""
    return content if isinstance(content, str) else " ".join(str(part.get("text") or "") for part in content)
