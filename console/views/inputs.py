"""The inputs of an experiment: what was asked, page by page."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from console.forms import SearchForm
from console.paging import pages
from console.personal import undecided
from console.sample_picture import names_of, picture
from console.views.frames import OwnerRequest, framed, owned
from experiments.actions import BEFORE_THE_SEAL
from experiments.models import Experiment, Input, Spare, Status
from experiments.personal_data import examples, in_words
from experiments.personal_data import found as found_in

PER_PAGE = 50
FIRST_WORDS = 220
EXAMPLES_FROM = 200  # inputs


@dataclass(frozen=True, slots=True)
class Line:
    """One input: its first words, and all of it for whoever unfolds it."""

    position: int
    external_id: str
    words: str
    turns: list[tuple[str, str]]
    tags: list[str]
    reference: str


@require_safe
@owned
def inputs(request: OwnerRequest, experiment: Experiment) -> HttpResponse:
    """Fifty a page, found by id."""
    form = SearchForm(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    words = asked.get("q") or ""
    found = Input.objects.filter(experiment=experiment).order_by("position")
    if words:
        found = found.filter(external_id__icontains=words)
    total = found.count()
    shown = pages(page=asked.get("page"), total=total, each=PER_PAGE, q=words)
    start = (shown.page - 1) * PER_PAGE
    return framed(
        request,
        "console/inputs.html",
        experiment,
        "inputs",
        words=words,
        total=total,
        may_change=experiment.status in BEFORE_THE_SEAL,
        pages=shown,
        lines=[line_of(row) for row in found[start : start + PER_PAGE]],
        picture=picture(experiment) if experiment.status in BEFORE_THE_SEAL else None,
        **_personal(experiment),
    )


def _personal(experiment: Experiment) -> dict[str, Any]:
    """What was found in all inputs, in words, with examples as long as nobody decided about it."""
    found = experiment.personal_found or found_in(experiment)
    open_question = undecided(experiment) and experiment.status in BEFORE_THE_SEAL
    rows = Input.objects.filter(experiment=experiment).exclude(personal={}).order_by("position")[:EXAMPLES_FROM]
    return {
        "personal": in_words(found),
        "examples": examples((row.external_id, row) for row in rows) if open_question else [],
        "may_mask": experiment.status == Status.DRAFT,
    }


def line_of(row: Input | Spare) -> Line:
    """An input, or a row that may take its place, as a line of a list."""
    turns = [(str(message.get("role", "")), _text(message.get("content", ""))) for message in row.messages]
    last = " ".join(turns[-1][1].split()) if turns else ""
    return Line(
        position=getattr(row, "position", 0),
        external_id=row.external_id,
        words=last[:FIRST_WORDS] + ("…" if len(last) > FIRST_WORDS else ""),
        turns=turns,
        tags=names_of(row.tags),
        reference=row.reference,
    )


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
