"""The blind rows of a closed experiment, written as they were elsewhere: the experiment, its inputs and outputs."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from accounts.models import User
from experiments.models import (
    Arm,
    Criterion,
    Decision,
    Experiment,
    Input,
    Output,
    OutputState,
    Pairs,
    PersonalData,
    Status,
)
from experiments.personal import KINDS
from experiments.rendering import is_safe
from experiments.typed_records import Record

BATCH = 500
OutputKeys = dict[tuple[str, str], int]  # input id and system name to the key of the output


def add_returned_experiment(record: Record, *, slug: str, owners: Iterable[User]) -> Experiment:
    """A closed experiment with its criteria and seal; the baseline is set when the arms are there."""
    salt = record.text("draw_salt", longest=64)
    if len(salt) != 64 or not all(sign in "0123456789abcdef" for sign in salt):
        record.wrong("'draw_salt' must be 64 hexadecimal digits.")
    experiment = Experiment.objects.create(
        slug=slug,
        title=record.text("title", longest=200),
        question=record.text("question", longest=500),
        instructions=record.text("instructions"),
        pairs=record.one_of("pairs", Pairs.values),
        margin=record.number("margin"),
        ratings_per_pair=record.whole("ratings_per_pair", least=1),
        planned_raters=record.whole("planned_raters", least=1),
        repeat_share=record.number("repeat_share"),
        control_share=record.number("control_share"),
        seed=record.whole("seed"),
        draw_salt=salt,
        status=record.one_of("status", [Status.CLOSED]),
        created_at=record.moment("created_at"),
        sealed_at=record.moment("sealed_at"),
        closed_at=record.moment("closed_at"),
        seal=record.text("seal", longest=64),
        sealed=record.mapping("sealed"),
        retention_days=record.whole_or_none("retention_days"),
        **_personal(record),
        **{
            name: record.truth(name)
            for name in ("ask_acceptable", "ask_strength", "ask_guess", "require_comment", "monitored")
        },
    )
    experiment.owners.set(owners)
    Criterion.objects.bulk_create(
        Criterion(
            experiment=experiment,
            position=one.whole("position"),
            name=one.text("name", longest=80),
            description=one.text("description", longest=300),
        )
        for one in record.records("criteria")
    )
    return experiment


def add_returned_inputs(experiment: Experiment, records: Iterable[Record], positions: list[int] | None) -> None:
    """The inputs in the order given; `positions` where their numbers are not 1, 2, 3 …"""
    rows = enumerate(records, start=1)
    while batch := list(islice(rows, BATCH)):
        Input.objects.bulk_create(
            Input(
                experiment=experiment,
                position=_position(record, number, positions),
                external_id=record.text("id", longest=200),
                messages=_messages(record),
                tags=_tags(record),
                reference=record.text("reference", default=""),
            )
            for number, record in batch
        )


def add_returned_outputs(experiment: Experiment, records: Iterable[Record], arms: Mapping[str, Arm]) -> OutputKeys:
    """The outputs with the very markup that was sealed, if it is harmless; their keys."""
    items = dict(experiment.inputs.values_list("external_id", "pk"))
    keys: OutputKeys = {}
    rows = iter(records)
    while batch := list(islice(rows, BATCH)):
        made = Output.objects.bulk_create(_output(record, items, arms) for record in batch)
        for record, output in zip(batch, made, strict=True):
            keys[record.values["input"], record.values["system"]] = output.pk
    return keys


def _output(record: Record, items: Mapping[str, int], arms: Mapping[str, Arm]) -> Output:
    html = record.text("html")
    if not is_safe(html):
        record.wrong("'html' holds what no rendering of ours makes.")
    return Output(
        input_id=known(record, "input", items),
        arm=known(record, "system", arms),
        text=record.text("text"),
        html=html,
        state=record.one_of("state", OutputState.values),
        flags=record.rows("flags"),
        decision=record.one_of("decision", Decision.values),
        reason=record.text("reason", longest=300),
        decided_at=record.moment_or_none("decided_at"),
    )


def known(record: Record, name: str, there: Mapping[str, Any]) -> Any:
    """What a record means by a name."""
    found = there.get(record.text(name, longest=300))
    if found is None:
        record.wrong(f"{name!r} is {record.values[name]!r}, which is not in the bundle.")
    return found


def _personal(record: Record) -> dict[str, Any]:
    """What was found and decided about personal data; older bundles say nothing of it."""
    if "personal_data" not in record.values:
        return {}
    found = record.part("personal_found")
    return {
        "personal_data": record.one_of("personal_data", ["", *PersonalData.values]),
        "personal_found": {kind: found.whole(kind) for kind in KINDS if kind in found.values},
    }


def _position(record: Record, number: int, positions: list[int] | None) -> int:
    if positions is None:
        return number
    if number > len(positions):
        record.wrong("there are more inputs than 'input_positions' of experiment.json.")
    return positions[number - 1]


def _messages(record: Record) -> list[dict[str, Any]]:
    messages = record.rows("messages")
    if not messages or not all(isinstance(one.get(name), str) for one in messages for name in ("role", "content")):
        record.wrong("'messages' must be chat messages with a role and content each.")
    return messages


def _tags(record: Record) -> Any:
    tags = record.values.get("tags", [])
    texts = tags.values() if isinstance(tags, dict) else tags if isinstance(tags, list) else [None]
    if not all(isinstance(one, str) for one in texts):
        record.wrong("'tags' must be a list or an object of texts.")
    return tags
