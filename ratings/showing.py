"""Fills what a rater's templates may know, from one row of texts; nothing that could tell a system goes in."""

import uuid
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _

from config.prepared import Row
from experiments.models import Criterion, Experiment
from experiments.rendering import render
from ratings.blind import (
    BlindAnswer,
    BlindCriterion,
    BlindGuess,
    BlindMessage,
    BlindPair,
    Briefing,
    CleanHtml,
    Comfort,
)
from ratings.models import CriterionVerdict, Judgment, Rater
from ratings.serving import Board
from ratings.standing import Standing, Turn

SECONDS_A_PAIR = 48  # before anybody's pace is known
LAST_ANSWERS = 20
REQUEST_LENGTH = 160
YES_NO = {True: "yes", False: "no", None: ""}
COMFORT = {
    "size": ("m", "l", "xl"),
    "theme": ("auto", "light", "dark"),
    "text": ("rendered", "plain"),
    "keys": ("on", "off"),
}


@lru_cache(maxsize=256)
def clean(text: str) -> CleanHtml:
    """Rendered once a process: inputs are frozen by the seal and shown many times."""
    return CleanHtml(render(text))


def pair_of(rater: Rater, turn: Turn, board: Board, texts: Row) -> BlindPair:
    """The pair of a turn (`texts` as `texts_of` has them), with its earlier answer where there is one."""
    experiment, standing = rater.experiment, board.standing
    messages, left, right = _sides(texts)
    answer: dict[str, Any] = _earlier(turn) if turn.judged_at else {}
    chosen = answer.pop("criteria", {})
    again = standing.before(turn)
    return BlindPair(
        token=turn.token,
        key=uuid.uuid4(),
        question=experiment.question,
        messages=messages,
        left_html=CleanHtml(left[0]),
        left_text=left[1],
        right_html=CleanHtml(right[0]),
        right_text=right[1],
        again=again.token if again else None,
        break_after=standing.break_after() if turn.is_open else None,
        criteria=criteria_of(experiment, chosen),
        ask_acceptable=experiment.ask_acceptable,
        ask_strength=experiment.ask_strength,
        require_comment=experiment.require_comment,
        **_progress(turn, board),
        **answer,
    )


def guess_of(turn: Turn, board: Board, texts: Row) -> BlindGuess:
    """The question about a turn that was judged."""
    _said, left, right = _sides(texts)
    return BlindGuess(
        token=turn.token,
        left_html=CleanHtml(left[0]),
        left_text=left[1],
        right_html=CleanHtml(right[0]),
        right_text=right[1],
        **_progress(turn, board),
    )


def answers_of(rater: Rater, standing: Standing) -> tuple[BlindAnswer, ...]:
    """The rater's last answers, newest first."""
    numbers = {turn.pk: standing.number(turn) for turn in standing.done}
    rows = Judgment.objects.current().filter(assignment__rater=rater).order_by("-judged_at", "-pk")[:LAST_ANSWERS]
    columns = ("assignment_id", "assignment__token", "assignment__comparison__input__messages", "verdict", "comment")
    return tuple(
        BlindAnswer(token=token, number=numbers[pk], request=_start(messages), verdict=verdict, comment=comment)
        for pk, token, messages, verdict, comment in rows.values_list(*columns)
    )


def briefing_of(rater: Rater, board: Board) -> Briefing:
    """What a rater is told before and while rating."""
    experiment = rater.experiment
    pairs = board.left + sum(turn.is_open for turn in board.standing.turns) + len(board.standing.done)
    return Briefing(
        question=experiment.question,
        instructions_html=clean(experiment.instructions) if experiment.instructions else CleanHtml(),
        asked_by=asked_by(experiment),
        pairs=pairs,
        minutes=board.standing.minutes_for(pairs) or max(1, round(pairs * SECONDS_A_PAIR / 60)),
        retention_days=experiment.retention_days,
        criteria=criteria_of(experiment, {}),
        ask_acceptable=experiment.ask_acceptable,
        ask_strength=experiment.ask_strength,
        ask_guess=experiment.ask_guess,
        require_comment=experiment.require_comment,
    )


def asked_by(experiment: Experiment) -> str:
    """An owner as a person; the experiment itself has no name for raters."""
    owner = experiment.owners.order_by("pk").values_list("name", "email").first()
    return (owner[0] or owner[1]) if owner else _("The team")


def comfort_of(rater: Rater) -> Comfort:
    """How this rater likes to read; what is not understood is left as it comes."""
    kept = rater.preferences
    return Comfort(**{name: kept[name] for name, values in COMFORT.items() if kept.get(name) in values})


def asked_beside(experiment: Experiment) -> tuple[Criterion, ...]:
    """The criteria in their order, read once a process: the seal freezes them."""
    return _sealed_criteria(experiment.pk, experiment.draw_salt, experiment.seal)


@lru_cache(maxsize=256)
def _sealed_criteria(experiment: int, salt: str, seal: str) -> tuple[Criterion, ...]:
    """`salt` and `seal` only tell one reading from another."""
    return tuple(Criterion.objects.filter(experiment=experiment).order_by("position"))


def criteria_of(experiment: Experiment, chosen: dict[int, str]) -> tuple[BlindCriterion, ...]:
    """The criteria in their order, `chosen` by position."""
    return tuple(
        BlindCriterion(
            position=one.position, name=one.name, description=one.description, chosen=chosen.get(one.position, "")
        )
        for one in asked_beside(experiment)
    )


def _sides(texts: Row) -> tuple[tuple[BlindMessage, ...], tuple[str, str], tuple[str, str]]:
    messages, left_html, left_text, right_html, right_text = texts
    return tuple(_messages(messages)), (left_html, left_text), (right_html, right_text)


def _messages(messages: Iterable[dict[str, object]]) -> Iterable[BlindMessage]:
    for message in messages:
        text = str(message.get("content", ""))
        yield BlindMessage(role=str(message.get("role", "user")), html=clean(text), text=text)


def _start(messages: list[dict[str, object]]) -> str:
    words = " ".join(str(messages[-1].get("content", "")).split())
    return words if len(words) <= REQUEST_LENGTH else words[: REQUEST_LENGTH - 1] + "…"


def _progress(turn: Turn, board: Board) -> dict[str, Any]:
    standing = board.standing
    pending = sum(one.is_open for one in standing.turns) + board.left
    return {
        "number": standing.number(turn),
        "total": len(standing.done) + pending,
        "minutes_left": standing.minutes_for(pending) if pending else None,
    }


def _earlier(turn: Turn) -> dict[str, Any]:
    judgment = Judgment.objects.current().get(assignment=turn.pk)
    criteria = CriterionVerdict.objects.filter(judgment=judgment).values_list("criterion__position", "verdict")
    return {
        "chosen": judgment.verdict,
        "strength": judgment.strength or "",
        "left_acceptable": YES_NO[judgment.left_acceptable],
        "right_acceptable": YES_NO[judgment.right_acceptable],
        "comment": judgment.comment,
        "criteria": dict(criteria),
    }
