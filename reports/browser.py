"""Pairs to read after closing: both texts with their systems, every verdict and comment, a page at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q, QuerySet

from experiments.models import Experiment
from ratings.models import Assignment, AssignmentKind, Comparison, ComparisonKind, Judgment, Verdict
from reports.exports.rows import system_names

PER_PAGE = 10
TIES = {Verdict.BOTH_GOOD: "both good", Verdict.BOTH_BAD: "both bad"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What the reader asked for."""

    input: str = ""
    system: str = ""
    commented: bool = False
    page: int = 1

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Chosen":
        """From the address; nonsense counts as nothing."""
        page = query.get("page", "1")
        return cls(
            input=query.get("input", "")[:200].replace("\x00", ""),
            system=query.get("system", "")[:200],
            commented=query.get("commented") == "yes",
            page=int(page) if page.isdecimal() and len(page) < 8 else 1,
        )

    def at(self, page: int) -> str:
        """The query of another page of the same choice."""
        chosen = {"input": self.input, "system": self.system, "commented": "yes" if self.commented else ""}
        return urlencode({name: value for name, value in chosen.items() if value} | {"page": page})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page of pairs; `before` and `after` are queries of the neighbouring pages, empty at the ends."""

    entries: list[dict[str, Any]]
    first: int
    last: int
    total: int
    before: str
    after: str


def names(experiment: Experiment) -> list[str]:
    """Of all systems. Raises StillBlind."""
    return sorted(system_names(experiment).values())


def listing(experiment: Experiment, chosen: Chosen) -> Listing:
    """The pairs that were judged, in the order of the inputs. Raises StillBlind."""
    by_arm = system_names(experiment)
    found = _matching(experiment, chosen, by_arm)
    # All keys at once, then the texts of one page: to count first and leave out what comes before takes twice as long.
    keys = list(found.order_by("input__position", "pk").values_list("pk", flat=True))
    total = len(keys)
    pages = max(1, -(-total // PER_PAGE))
    page = min(max(1, chosen.page), pages)
    start = (page - 1) * PER_PAGE
    pks = keys[start : start + PER_PAGE]
    whole = Comparison.objects.select_related("input", "first__arm", "second__arm").in_bulk(pks)
    rows = [whole[pk] for pk in pks]
    judged = _judgments(rows, by_arm)
    return Listing(
        entries=[_entry(row, judged.get(row.pk, []), by_arm) for row in rows],
        first=start + 1 if total else 0,
        last=start + len(rows),
        total=total,
        before=chosen.at(page - 1) if page > 1 else "",
        after=chosen.at(page + 1) if page < pages else "",
    )


def _matching(experiment: Experiment, chosen: Chosen, by_arm: dict[str, str]) -> QuerySet[Comparison]:
    # Found by each pair's own assignments: Postgres would read all judgments of the installation instead.
    wanted = {"commented": True} if chosen.commented else {"counts__isnull": False}
    judged = Assignment.objects.filter(comparison=OuterRef("pk"), **wanted)
    found = Comparison.objects.filter(Exists(judged), input__experiment=experiment, kind=ComparisonKind.REAL)
    if chosen.input:
        found = found.filter(input__external_id=chosen.input)
    codes = [code for code, name in by_arm.items() if name == chosen.system]
    if chosen.system:
        found = found.filter(Q(first__arm__code__in=codes) | Q(second__arm__code__in=codes))
    return found


def _judgments(rows: list[Comparison], by_arm: dict[str, str]) -> dict[int, list[dict[str, str]]]:
    columns = (
        "pk",
        "assignment__comparison_id",
        "assignment__rater__label",
        "assignment__kind",
        "assignment__left__arm__code",
        "assignment__right__arm__code",
        "verdict",
        "unblinded",
        "assignment__rater__left_out_at",
        "comment",
    )
    query = Judgment.objects.current().filter(assignment__comparison__in=[row.pk for row in rows])
    found: dict[int, list[dict[str, str]]] = {}
    # Put in order here: to sort by key an analysed SQLite walks every experiment's judgments.
    for _, comparison, rater, kind, left, right, verdict, unblinded, out, comment in sorted(
        query.order_by().values_list(*columns), key=itemgetter(0)
    ):
        side = {Verdict.LEFT: left, Verdict.RIGHT: right}.get(verdict)
        note = (
            "left out"
            if out
            else "saw the key"
            if unblinded
            else "asked again"
            if kind == AssignmentKind.REPEAT
            else ""
        )
        words = f"{by_arm[side]} better" if side else TIES[verdict]
        found.setdefault(comparison, []).append({"rater": rater, "verdict": words, "note": note, "comment": comment})
    return found


def _entry(row: Comparison, judged: list[dict[str, str]], by_arm: dict[str, str]) -> dict[str, Any]:
    outputs = [{"name": by_arm[output.arm.code], "text": output.text} for output in (row.first, row.second)]
    return {
        "input": row.input.external_id,
        "messages": row.input.messages,
        "outputs": sorted(outputs, key=lambda output: output["name"]),
        "judgments": judged,
    }
