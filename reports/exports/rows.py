"""The judgments of a closed experiment as plain rows with names, streamed: what every file format is made from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from operator import itemgetter
from typing import Any

from experiments.models import Experiment, Input, Output
from ratings.models import Comparison, CriterionVerdict, Judgment
from reports import unblinding

CHUNK = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgmentRow:
    """One judgment. `counted` says that it enters the score: current, blinded, of the rating kind, and of a rater whom
    the owner did not leave out.

    `winner` is the name of the preferred system, or `both_good`, `both_bad`. Times are ISO 8601 in UTC.
    """

    judgment: int
    assignment: int
    input: str
    rater: str
    left: str
    right: str
    verdict: str
    winner: str
    kind: str
    counted: bool
    current: bool
    unblinded: bool
    left_out: bool
    imported: bool
    strength: str | None
    left_acceptable: bool | None
    right_acceptable: bool | None
    criteria: dict[str, str]
    comment: str
    seconds: float | None
    layout: str
    differences_used: bool
    supersedes: int | None
    judged_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputRow:
    """One output with the system that gave it; `html` is the markup that raters saw."""

    input: str
    system: str
    text: str
    state: str
    decision: str
    reason: str
    flags: list[Any]
    html: str
    decided_at: str


COLUMNS = (
    "pk",
    "assignment_id",
    "assignment__comparison__input__external_id",
    "assignment__left_id",
    "assignment__right_id",
    "assignment__rater__label",
    "assignment__rater__left_out_at",
    "assignment__kind",
    "verdict",
    "strength",
    "left_acceptable",
    "right_acceptable",
    "comment",
    "seconds",
    "layout",
    "differences_used",
    "unblinded",
    "imported",
    "supersedes_id",
    "superseded_by__pk",
    "judged_at",
)


def judgments(
    experiment: Experiment, *, superseded: bool = False, on: Sequence[int] | None = None
) -> Iterator[JudgmentRow]:
    """Every current judgment in the order it was made; with `superseded` the replaced ones too, with `on` those on
    these inputs (keys) alone. Raises StillBlind."""
    names = system_names(experiment)
    authors = _authors(experiment, names, on)
    criteria = dict(experiment.criteria.values_list("pk", "name"))
    query = Judgment.objects.filter(assignment__rater__experiment=experiment).order_by("pk")
    if on is not None:
        query = Judgment.objects.filter(assignment__comparison__input__in=on).order_by()
    if not superseded:
        query = query.current()
    rows = query.values_list(*COLUMNS).iterator(chunk_size=CHUNK)
    if on is not None:  # to sort by key an analysed SQLite walks every experiment's judgments
        rows = iter(sorted(rows, key=itemgetter(0)))
    while batch := list(islice(rows, CHUNK)):
        asked = _criteria([row[0] for row in batch], criteria) if criteria else {}
        for row in batch:
            yield _row(row, authors, asked.get(row[0], {}))


def counted(experiment: Experiment, *, on: Sequence[int] | None = None) -> Iterator[JudgmentRow]:
    """Those that enter the score."""
    return (row for row in judgments(experiment, on=on) if row.counted)


def outputs(experiment: Experiment, *, on: Sequence[int] | None = None) -> Iterator[OutputRow]:
    """Every output by input and system; with `on` those to these inputs. Raises StillBlind."""
    names = system_names(experiment)
    columns = ("input__external_id", "arm__code", "text", "state", "decision", "reason", "flags", "html", "decided_at")
    query = Output.objects.filter(input__experiment=experiment).order_by("input__position", "arm__code")
    if on is not None:
        query = query.filter(input__in=on)
    for item, arm, *rest, decided in query.values_list(*columns).iterator(chunk_size=CHUNK):
        kept = dict(zip(columns[2:-1], rest, strict=True))
        yield OutputRow(input=item, system=names[arm], **kept, decided_at=moment(decided))


def inputs(experiment: Experiment, *, on: Sequence[int] | None = None) -> Iterator[dict[str, Any]]:
    """Every input, or these, in the shape that `add_experiment` reads."""
    unblinding.require_closed(experiment)
    query = Input.objects.filter(experiment=experiment).order_by("position")
    if on is not None:
        query = query.filter(pk__in=on)
    for item in query.iterator(chunk_size=CHUNK):
        row: dict[str, Any] = {"id": item.external_id, "messages": item.messages}
        if item.tags != []:
            row["tags"] = item.tags
        if item.reference:
            row["reference"] = item.reference
        yield row


def system_names(experiment: Experiment) -> dict[str, str]:
    """By the code of the arm: the name of its system. Raises StillBlind."""
    return {code: identity.name for code, identity in unblinding.identities(experiment).items()}


def moment(at: datetime | None) -> str:
    """ISO 8601, or empty."""
    return at.isoformat() if at else ""


def _authors(experiment: Experiment, names: dict[str, str], on: Sequence[int] | None) -> dict[int, str]:
    query = Output.objects.filter(input__experiment=experiment)
    if on is not None:  # one side of a control answers another input
        query = query.filter(pk__in={pk for pair in _pairs(on) for pk in pair})
    rows = query.order_by().values_list("pk", "arm__code")
    return {pk: names[arm] for pk, arm in rows.iterator(chunk_size=CHUNK)}


def _pairs(on: Sequence[int]) -> list[tuple[int, int]]:
    return list(Comparison.objects.filter(input__in=on).values_list("first_id", "second_id"))


def _criteria(judged: list[int], criteria: dict[int, str]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    query = CriterionVerdict.objects.filter(judgment_id__gte=min(judged), judgment_id__lte=max(judged))
    wanted, place = set(judged), list(criteria)
    rows = [row for row in query.values_list("judgment_id", "criterion_id", "verdict") if row[0] in wanted]
    for judgment, criterion, verdict in sorted(rows, key=lambda row: place.index(row[1])):
        found.setdefault(judgment, {})[criteria[criterion]] = verdict
    return found


def _row(row: tuple[Any, ...], authors: dict[int, str], criteria: dict[str, str]) -> JudgmentRow:
    given = dict(zip(COLUMNS, row, strict=True))
    left, right = authors[given["assignment__left_id"]], authors[given["assignment__right_id"]]
    verdict, current = given["verdict"], given["superseded_by__pk"] is None
    left_out = given["assignment__rater__left_out_at"] is not None
    return JudgmentRow(
        judgment=given["pk"],
        assignment=given["assignment_id"],
        input=given["assignment__comparison__input__external_id"],
        rater=given["assignment__rater__label"],
        left=left,
        right=right,
        verdict=verdict,
        winner={"left": left, "right": right}.get(verdict, verdict),
        kind=given["assignment__kind"],
        counted=current and not given["unblinded"] and not left_out and given["assignment__kind"] == "rating",
        current=current,
        unblinded=given["unblinded"],
        left_out=left_out,
        imported=given["imported"],
        strength=given["strength"],
        left_acceptable=given["left_acceptable"],
        right_acceptable=given["right_acceptable"],
        criteria=criteria,
        comment=given["comment"],
        seconds=given["seconds"],
        layout=given["layout"],
        differences_used=given["differences_used"],
        supersedes=given["supersedes_id"],
        judged_at=moment(given["judged_at"]),
    )
