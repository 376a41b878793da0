"""The inputs of an experiment: what was asked, page by page."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from console.forms import SearchForm
from console.paging import pages
from console.views.frames import OwnerRequest, framed, owned
from experiments.actions import BEFORE_THE_SEAL
from experiments.models import Experiment, Input

PER_PAGE = 50
FIRST_WORDS = 220


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
        lines=[_line(row) for row in found[start : start + PER_PAGE]],
    )


def _line(row: Input) -> Line:
    turns = [(str(message.get("role", "")), _text(message.get("content", ""))) for message in row.messages]
    last = " ".join(turns[-1][1].split()) if turns else ""
    return Line(
        position=row.position,
        external_id=row.external_id,
        words=last[:FIRST_WORDS] + ("…" if len(last) > FIRST_WORDS else ""),
        turns=turns,
        tags=tags_shown(row.tags),
        reference=row.reference,
    )


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text") or "") for part in content if isinstance(part, dict))


def tags_shown(tags: Any) -> list[str]:
    """Tags as short texts, whether they came as a list or by name."""
    if isinstance(tags, dict):
        return [f"{name}: {value}" for name, value in tags.items()]
    return [str(tag) for tag in tags]
