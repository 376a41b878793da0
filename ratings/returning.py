"""What raters of a closed experiment were shown and decided, written as it was elsewhere, row for row."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from experiments.models import Criterion, Experiment
from experiments.returning import OutputKeys, known
from experiments.typed_records import Record
from ratings.models import (
    Assignment,
    AssignmentKind,
    Comparison,
    ComparisonKind,
    CriterionVerdict,
    Guess,
    Judgment,
    Layout,
    Rater,
    Side,
    SkipReason,
    Strength,
    Verdict,
)

BATCH = 2_000
Keys = dict[int, int]  # the key of a row elsewhere to the key it has here


@dataclass(frozen=True, slots=True)
class Shown:
    """A comparison here, with the outputs that the bundle calls its first and second."""

    pk: int
    first: int
    second: int


def add_returned_raters(experiment: Experiment, records: Iterable[Record]) -> dict[str, int]:
    """The raters by label; they have no link, and those who were left out stay so."""
    raters = Rater.objects.bulk_create(
        Rater(
            experiment=experiment,
            label=record.text("rater", longest=120),
            created_at=record.moment("created_at"),
            first_used_at=record.moment_or_none("first_used_at"),
            practised_at=record.moment_or_none("practised_at"),
            revoked_at=record.moment_or_none("left_out_at"),
            left_out_at=record.moment_or_none("left_out_at"),
        )
        for record in records
    )
    return {rater.label: rater.pk for rater in raters}


def add_returned_comparisons(
    experiment: Experiment, records: Iterable[Record], outputs: OutputKeys
) -> dict[int, Shown]:
    """Every pair that was made, by the key it had."""
    items = dict(experiment.inputs.values_list("external_id", "pk"))
    shown: dict[int, Shown] = {}
    for batch in _batches(records):
        made = []
        for record in batch:
            sides = {name: _output(record.part(name), outputs) for name in ("first", "second")}
            low, high = sorted(sides.values())
            expected = record.values.get("expected")
            made.append(
                Comparison(
                    input_id=known(record, "input", items),
                    kind=record.one_of("kind", ComparisonKind.values),
                    first_id=low,
                    second_id=high,
                    expected_id=None if expected is None else sides[record.one_of("expected", sides)],
                )
            )
            shown[record.whole("comparison")] = Shown(0, sides["first"], sides["second"])
        for record, row in zip(batch, Comparison.objects.bulk_create(made), strict=True):
            key = record.whole("comparison")
            shown[key] = Shown(row.pk, shown[key].first, shown[key].second)
    return shown


def add_returned_assignments(records: Iterable[Record], shown: Mapping[int, Shown], raters: Mapping[str, int]) -> Keys:
    """Every showing of a pair to a rater."""

    def made(record: Record, keys: Keys) -> Assignment:
        comparison = shown.get(record.whole("comparison"))
        if comparison is None:
            record.wrong("'comparison' is not in the bundle.")
        left, right = comparison.first, comparison.second
        if record.one_of("left", ["first", "second"]) == "second":
            left, right = right, left
        return Assignment(
            comparison_id=comparison.pk,
            rater_id=known(record, "rater", raters),
            kind=record.one_of("kind", AssignmentKind.values),
            repeat_of_id=_earlier(record, "repeat_of", keys),
            left_id=left,
            right_id=right,
            position=record.whole("position"),
            created_at=record.moment("created_at"),
            shown_at=record.moment_or_none("shown_at"),
            skipped_at=record.moment_or_none("skipped_at"),
            skip_reason=record.one_of("skip_reason", ["", *SkipReason.values]),
        )

    return _in_order(Assignment, records, "assignment", "repeat_of", made)


def add_returned_judgments(experiment: Experiment, records: Iterable[Record], assignments: Keys) -> int:
    """Every judgment that was ever made, with its criteria; how many there are."""
    criteria = dict(Criterion.objects.filter(experiment=experiment).values_list("name", "pk"))
    asked: list[tuple[int, dict[str, Any], Record]] = []

    def made(record: Record, keys: Keys) -> Judgment:
        if said := record.mapping("criteria"):
            asked.append((record.whole("judgment"), said, record))
        strength = record.values.get("strength")
        return Judgment(
            assignment_id=_its(record, "assignment", assignments),
            verdict=record.one_of("verdict", Verdict.values),
            strength=None if strength is None else record.one_of("strength", Strength.values),
            left_acceptable=record.truth_or_none("left_acceptable"),
            right_acceptable=record.truth_or_none("right_acceptable"),
            comment=record.text("comment"),
            seconds=record.number_or_none("seconds"),
            layout=record.one_of("layout", ["", *Layout.values]),
            differences_used=record.truth("differences_used"),
            unblinded=record.truth("unblinded"),
            imported=record.truth("imported"),
            supersedes_id=_earlier(record, "supersedes", keys),
            judged_at=record.moment("judged_at"),
        )

    keys = _in_order(Judgment, records, "judgment", "supersedes", made)
    CriterionVerdict.objects.bulk_create(_criteria(asked, keys, criteria), batch_size=BATCH)
    return len(keys)


def add_returned_guesses(records: Iterable[Record], assignments: Keys) -> None:
    """Which side raters took for the system in use."""
    Guess.objects.bulk_create(
        (
            Guess(
                assignment_id=_its(record, "assignment", assignments),
                side=record.one_of("side", Side.values),
                guessed_at=record.moment("guessed_at"),
            )
            for record in records
        ),
        batch_size=BATCH,
    )


def _in_order(
    model: Any, records: Iterable[Record], key: str, earlier: str, made: Callable[[Record, Keys], Any]
) -> Keys:
    """Write rows that may point at earlier ones of their kind; a batch ends before one that needs it written."""
    keys: Keys = {}
    waiting: dict[int, Any] = {}

    def write() -> None:
        for number, row in zip(waiting, model.objects.bulk_create(waiting.values()), strict=True):
            keys[number] = row.pk
        waiting.clear()

    for record in records:
        follows = record.values.get(earlier)
        if len(waiting) >= BATCH or (isinstance(follows, int) and follows in waiting):
            write()
        number = record.whole(key)
        if number in keys or number in waiting:
            record.wrong(f"{key} {number} is there twice.")
        waiting[number] = made(record, keys)
    write()
    return keys


def _earlier(record: Record, name: str, keys: Mapping[int, int]) -> int | None:
    return None if record.values.get(name) is None else _its(record, name, keys)


def _its(record: Record, name: str, keys: Mapping[int, int]) -> int:
    number = record.whole(name)
    if number not in keys:
        record.wrong(f"{name!r} is {number}, which does not stand before it in the bundle.")
    return keys[number]


def _output(record: Record, outputs: OutputKeys) -> int:
    found = outputs.get((record.text("input", longest=200), record.text("system", longest=120)))
    if found is None:
        record.wrong("there is no such output in the bundle.")
    return found


def _criteria(
    asked: Iterable[tuple[int, dict[str, Any], Record]], keys: Keys, criteria: Mapping[str, int]
) -> Iterator[CriterionVerdict]:
    for number, said, record in asked:
        for name, verdict in said.items():
            if name not in criteria or verdict not in Verdict.values:
                record.wrong(f"{verdict!r} on criterion {name!r}, which are not both known.")
            yield CriterionVerdict(judgment_id=keys[number], criterion_id=criteria[name], verdict=verdict)


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    rows = iter(records)
    while batch := list(islice(rows, BATCH)):
        yield batch
