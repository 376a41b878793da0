"""Personal data in inputs: counted as they come in, masked where the owner wants it, shown with its surroundings."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from experiments.actions import NewInput
from experiments.models import Experiment, Input, new_salt
from experiments.personal import KINDS, Masks, count, find

AROUND = 40  # signs of context on either side
NAMES = {
    "email": ("e-mail address", "e-mail addresses"),
    "phone": ("telephone number", "telephone numbers"),
    "card": ("card number", "card numbers"),
    "iban": ("bank account (IBAN)", "bank accounts (IBAN)"),
    "secret": ("key or token", "keys or tokens"),
}


@dataclass(frozen=True, slots=True)
class Example:
    """Something found, with what stands around it."""

    kind: str
    place: str
    before: str
    words: str
    after: str


def masks_of(experiment: Experiment | None = None) -> Masks:
    """The masks that were given in the experiment so far, to go on from."""
    return Masks(experiment.masks if experiment and experiment.masks else {"key": new_salt()})


def looked_at(one: NewInput, masks: Masks | None = None) -> NewInput:
    """The input with what was found in it counted, and masked if there are masks: slow work, for no transaction."""
    texts = [message["content"] for message in one.messages]
    personal = count([*texts, one.reference])
    if masks is None or not personal:
        return replace(one, personal=personal)
    messages = [{**message, "content": masks.masked(message["content"])} for message in one.messages]
    return replace(one, messages=messages, reference=masks.masked(one.reference), personal=personal)


def found(experiment: Experiment) -> dict[str, int]:
    """How much was found in the inputs, by kind: one query."""
    return total(Input.objects.filter(experiment=experiment).exclude(personal={}).values_list("personal", flat=True))


def total(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Counts of single inputs together, in the order of KINDS."""
    summed = Counter[str]()
    for one in counts:
        summed.update(one)
    return {kind: summed[kind] for kind in KINDS if summed[kind]}


def in_words(counts: Mapping[str, int]) -> str:
    """ "3 e-mail addresses and 1 telephone number"; empty for nothing."""
    parts = [f"{number} {NAMES[kind][number != 1]}" for kind, number in counts.items() if kind in NAMES]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def examples(inputs: Iterable[tuple[str, NewInput | Input]], *, each: int = 2) -> list[Example]:
    """The first few of each kind; `inputs` come with what to call them."""
    shown: dict[str, list[Example]] = {kind: [] for kind in KINDS}
    for place, one in inputs:
        if any(len(shown[kind]) < each for kind in one.personal):
            for example in _in_one(place, one):
                if len(shown[example.kind]) < each:
                    shown[example.kind].append(example)
    return [example for some in shown.values() for example in some]


def _in_one(place: str, one: NewInput | Input) -> Iterator[Example]:
    for text in (*(message["content"] for message in one.messages), one.reference):
        for hit in find(text):
            before, after = text[max(0, hit.start - AROUND) : hit.start], text[hit.end : hit.end + AROUND]
            yield Example(hit.kind, place, before, text[hit.start : hit.end], after)
