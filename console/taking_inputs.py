"""Inputs of a draft taken from a file, all good rows or a sample, as the owner decided about personal data in them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from django.db import transaction

from accounts.actions import log
from accounts.models import User
from backends.actions import RecordedAnswer, add_system, prepare_recorded
from backends.queries import names as system_names
from backends.recordings import as_json
from console.drafting import CannotChange, unsealed
from experiments.actions import NewInput, add_inputs
from experiments.models import Experiment, PersonalData
from experiments.personal import Masks
from experiments.personal_data import in_words, looked_at, masks_of, total
from experiments.sampling import places
from experiments.spares import add_spares
from experiments.uploads import InputRow, Shelf, Upload

Answers = Mapping[str, RecordedAnswer]


class Shelved(Answers):
    """Answers by the ids of their inputs, in a file: with their pages they take several times the upload's size."""

    def __init__(self, answers: Iterable[tuple[str, RecordedAnswer]]) -> None:
        self._shelf = Shelf[RecordedAnswer]()
        self._places = {key: self._shelf.append(answer) for key, answer in answers}

    def __getitem__(self, key: str) -> RecordedAnswer:
        return self._shelf[self._places[key]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file: how many inputs were added, which systems came with it, how many rows are kept spare."""

    inputs: int
    systems: tuple[str, ...]
    spares: int


def take_inputs(
    *, experiment: Experiment, upload: Upload, sample: int | None, systems: Sequence[str], personal: str, by: User
) -> Taken:
    """Add the good rows of a file, or a sample of them drawn by the experiment's seed, and recorded answers in it.

    `systems` are those of the file whose answers are wanted. `personal` is "mask" or "keep", and may be empty where
    nothing was found or the experiment has its decision already. Raises CannotChange.
    """
    decided = experiment.personal_data or personal
    masks = masks_of(experiment) if decided == PersonalData.MASK else None
    ids = [row.external_id for row in upload.rows]
    looked = Shelf(looked_at(new_input(row), masks) for row in upload.rows)
    _check_decided(decided, looked)
    draw = Random(experiment.seed)  # noqa: S311  # a repeatable choice, no secret
    chosen = places(upload.rows, sample or len(ids), draw)
    answers = {name: _answers_of(name, upload.rows, masks) for name in systems}
    ready = _prepared(experiment, answers, (looked[place] for place in chosen), systems)
    rest = sorted(set(range(len(ids))).difference(chosen))
    with transaction.atomic():
        current = unsealed(experiment)
        _check_ids(current, upload.rows, [ids[place] for place in chosen])
        current.spares.filter(external_id__in=ids).delete()  # the log came again
        add_inputs(experiment=current, inputs=(looked[place] for place in chosen))
        there = set(current.inputs.values_list("external_id", flat=True))
        spares = (looked[place] for place in rest if ids[place] not in there)
        add_spares(experiment=current, rows=((one, spare_answers(one, answers)) for one in spares))
        for name, found in ready.items():
            add_system(experiment=current, name=name, recorded=found)
        current.personal_data, current.masks = decided, masks.state if masks else current.masks
        current.save(update_fields=["personal_data", "masks"])
        log(by, "added inputs", f"experiment {current.slug}", inputs=len(chosen), systems=len(ready))
    return Taken(len(chosen), tuple(ready), len(rest))


@transaction.atomic
def remove_inputs(*, experiment: Experiment, by: User) -> int:
    """All inputs with their answers, and the rest of their log; how many inputs there were. Raises CannotChange."""
    current = unsealed(experiment)
    count = current.inputs.count()
    current.inputs.all().delete()
    current.spares.all().delete()
    current.personal_data, current.masks = "", {}
    current.save(update_fields=["personal_data", "masks"])
    log(by, "removed inputs", f"experiment {current.slug}", inputs=count)
    return count


def new_input(row: InputRow) -> NewInput:
    """A row of a file as an input."""
    return NewInput(external_id=row.external_id, messages=row.messages, tags=row.tags, reference=row.reference)


def masked(answer: RecordedAnswer, masks: Masks | None) -> RecordedAnswer:
    """A recorded answer with the masks of its inputs."""
    return replace(answer, text=masks.masked(answer.text)) if masks else answer


def spare_answers(one: NewInput, answers: Mapping[str, Answers]) -> dict[str, dict[str, object]]:
    """What is kept of the recorded answers to a row that was not chosen, by system."""
    return {name: as_json(found[one.external_id]) for name, found in answers.items() if one.external_id in found}


def _check_decided(decided: str, inputs: Iterable[NewInput]) -> None:
    found = total(one.personal for one in inputs)
    if found and not decided:
        raise CannotChange(f"the file holds {in_words(found)}: say whether they are masked or left as they are.")


def _answers_of(system: str, rows: Sequence[InputRow], masks: Masks | None) -> Answers:
    return Shelved(
        (row.external_id, masked(RecordedAnswer(text=row.outputs[system]), masks))
        for row in rows
        if system in row.outputs
    )


def _prepared(
    experiment: Experiment, answers: Mapping[str, Answers], inputs: Iterable[NewInput], systems: Sequence[str]
) -> dict[str, Answers]:
    if not answers:
        return {}
    prompts = {one.external_id: "\n".join(message["content"] for message in one.messages) for one in inputs}
    words = (*system_names(experiment), *systems)
    return {
        name: Shelved(
            (key, prepare_recorded({key: found[key]}, prompts=prompts, names=words)[key])
            for key in found
            if key in prompts
        )
        for name, found in answers.items()
    }


def _check_ids(experiment: Experiment, rows: Sequence[InputRow], ids: Sequence[str]) -> None:
    there = set(experiment.inputs.values_list("external_id", flat=True))
    twice = [external_id for external_id in ids if external_id in there]
    if twice:
        line = next(row.line for row in rows if row.external_id == twice[0])
        more = f" and {len(twice) - 1} more" if len(twice) > 1 else ""
        raise CannotChange(f"line {line}: the experiment has an input {twice[0]!r}{more} already.")
