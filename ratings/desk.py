"""The rating desk: shows a rater the next pair, takes what they decide, and goes back as far as they like."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from config.outage import once_more
from config.prepared import Adding, Errands, Row, prepared, together
from experiments.models import Experiment, Status
from ratings.blind import BlindAnswer, BlindGuess, BlindPair, Briefing
from ratings.models import Assignment, CriterionVerdict, Guess, Judgment, Rater, Side, SkipReason, Verdict
from ratings.serving import LEASE, Board, asked_around, assign, board_for, room_for, texts_of
from ratings.showing import answers_of, asked_beside, briefing_of, guess_of, pair_of
from ratings.standing import IDLE_SECONDS, Standing, Turn, standing_of, turns_of

GUESSES = 3
MARGIN_OF_LEASE = LEASE / 30  # nearer to its end a lease counts as run out: two clocks may disagree a little
ACCEPTABLE: dict[str, tuple[bool | None, bool | None]] = {
    Verdict.BOTH_GOOD: (True, True),
    Verdict.BOTH_BAD: (False, False),
}


class KeyUsedBefore(Exception):
    """A new answer under the key of another one, as no page sends it."""


class RatingEnded(Exception):  # it is told as it reads
    """The experiment is not open for rating (any more)."""


@dataclass(frozen=True, slots=True)
class Pause:
    """No pair to show: the rater is done, or others hold the last ones (`waiting`). `done` counts pairs judged."""

    done: int
    waiting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a rater decided, as the form says it: acceptable and strength are None where they were not asked or said."""

    verdict: str
    strength: str | None = None
    left_acceptable: bool | None = None
    right_acceptable: bool | None = None
    criteria: Mapping[int, str] | None = None
    comment: str = ""
    layout: str = ""
    differences_used: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """What the landing page says: `done` pairs are judged already, `returning` if any pair was ever shown."""

    briefing: Briefing
    returning: bool
    done: int


add_judgment = Adding(Judgment, key="key")
Shown = BlindPair | BlindGuess | Pause
Act = Callable[[Standing, Errands], Standing]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What is to be shown with its texts: a pair, or a guess about one, or neither."""

    board: Board
    turn: Turn | None = None
    guess: Turn | None = None
    texts: Row = ()

    @property
    def passed_over(self) -> bool:
        """Whether pairs were left, but others were just being given them."""
        return self.turn is None and self.guess is None and bool(self.board.real)


# --- what a rater does -----------------------------------------------------------------------------------------------


def next_pair(*, rater: Rater, now: datetime, again: UUID | None = None) -> Shown:
    """What this rater sees now: the pair that waits for an answer, else a new one; the same on every reload.

    `again` is the handle of a judged pair that the rater went back to; any other handle is ignored. Raises RatingEnded.
    """
    return _show(rater, now, again=again)


def judge(*, rater: Rater, token: UUID, key: UUID, answer: Answer, unblinded: bool, now: datetime) -> Shown:
    """Save what the rater decided of a pair, and show what comes next.

    A key is used once: the same request again changes nothing. Another answer to the same pair is a new row that
    supersedes the earlier one. An answer that comes after others have taken the pair's place is not saved.
    Raises RatingEnded.
    """

    def record(standing: Standing, errands: Errands) -> Standing:
        return _record(rater, standing, errands, token=token, key=key, answer=answer, unblinded=unblinded, now=now)

    return _show(rater, now, act=record)


def skip(*, rater: Rater, token: UUID, reason: str, now: datetime) -> Shown:
    """The rater cannot judge this pair: it goes to another one. A judged pair stays judged. Raises RatingEnded."""
    return _show(rater, now, act=lambda standing, _: _skip(standing, token, reason, now))


def undo(*, rater: Rater, again: UUID | None, now: datetime) -> Shown:
    """The judged pair with this handle once more, its answer marked (None: the last one); nothing is changed by it."""
    if again is None:
        last = _standing(rater).before(None)
        again = last.token if last else None
    return _show(rater, now, again=again)


def guess(*, rater: Rater, token: UUID, side: str, now: datetime) -> Shown:
    """Save which card the rater takes for the system in use today; only the first guess counts. Raises RatingEnded."""
    return _show(rater, now, act=lambda standing, _: _guess(rater, standing, token, side, now))


# --- what a rater may read -------------------------------------------------------------------------------------------


def review(*, rater: Rater) -> tuple[BlindAnswer, ...]:
    """The rater's last answers, newest first."""
    return answers_of(rater, _standing(rater))


def welcome(*, rater: Rater, now: datetime) -> Welcome:
    """What the rater is told on the landing page; nothing is assigned."""
    board = _board(rater, now)
    done = len(board.standing.done)
    return Welcome(briefing=briefing_of(rater, board), returning=bool(board.standing.turns), done=done)


def briefing(*, rater: Rater, now: datetime) -> Briefing:
    """Question and instructions, with what is left to do."""
    return briefing_of(rater, _board(rater, now))


def is_open(*, rater: Rater) -> bool:
    """Whether answers can still be given or changed."""
    return rater.experiment.status == Status.RATING


def done_by(*, rater: Rater) -> int:
    """How many pairs the rater has judged."""
    return Judgment.objects.current().filter(assignment__rater=rater).count()


def prefer(*, rater: Rater, preferences: Mapping[str, str]) -> None:
    """Remember how the rater likes to read."""
    rater.preferences = dict(rater.preferences) | dict(preferences)
    rater.save(update_fields=["preferences"])


def practised(*, rater: Rater, now: datetime) -> None:
    """Note that practice was done or skipped, once."""
    Rater.objects.filter(pk=rater.pk, practised_at__isnull=True).update(practised_at=now)


# --- inside ----------------------------------------------------------------------------------------------------------


def _show(rater: Rater, now: datetime, *, again: UUID | None = None, act: Act | None = None) -> Shown:
    # Safe to be done twice: a key is used once, a skip and a guess count once.
    try:
        found = once_more(lambda: _find(rater, now, again=again, act=act))
    except KeyUsedBefore:
        found = once_more(lambda: _find(rater, now, again=again))
    if found.passed_over and connection.features.has_select_for_update_skip_locked:
        found = once_more(lambda: _find(rater, now, again=again, patient=True))
    if found.guess is not None:
        return guess_of(found.guess, found.board, found.texts)
    if found.turn is not None:
        return pair_of(rater, found.turn, found.board, found.texts)
    return Pause(len(found.board.standing.done), found.board.waiting)


def _find(rater: Rater, now: datetime, *, again: UUID | None, act: Act | None = None, patient: bool = False) -> _Found:
    """One request of a rater after the other; and whoever closes waits for it (see `actions.hold_raters`)."""
    experiment = rater.experiment
    held, turns, raters, taken = together(
        _held.of(rater.pk), turns_of.of(rater.pk), *asked_around(rater, now)
    )  # in this order: who holds the rater reads what is so by then
    if not held:
        raise RatingEnded
    standing, errands = standing_of(rater, turns, baseline=experiment.baseline_id), Errands()
    if act is not None:
        standing = act(standing, errands)
    if standing.open is not None:
        errands.ask()  # now, for what is taken may be looked at again
    settled = _settle(rater, standing, now)
    if settled is not standing:  # a pair went back, and is taken by that much less
        standing, (raters, taken) = settled, together(*asked_around(rater, now))
    board = board_for(rater, experiment, standing, raters, taken)
    if board.status != Status.RATING:
        raise RatingEnded  # and nothing of this transaction is kept
    found = _next(rater, board, errands, now, again=again, patient=patient)
    errands.ask()  # nothing waits when the transaction ends
    return found


def _next(rater: Rater, board: Board, errands: Errands, now: datetime, *, again: UUID | None, patient: bool) -> _Found:
    def texts(turn: Turn) -> Row:
        ((row,),) = errands.ask(texts_of.of(turn.token))
        return row

    standing = board.standing
    back = standing.by_token(again)
    if back is not None and back.judged_at is not None:
        return _Found(board=board, turn=back, texts=texts(back))
    if standing.open is not None:
        return _Found(board=board, turn=standing.open, texts=texts(standing.open))
    asked = _guess_due(rater, board)
    if asked is not None:
        return _Found(board=board, guess=asked, texts=texts(asked))
    served = assign(rater, rater.experiment, board, errands, now, patient=patient)
    return _Found(board=board, turn=served.turn, texts=served.texts) if served else _Found(board=board)


@prepared
def _held(rater: int) -> QuerySet[Rater, Row]:
    return Rater.objects.select_for_update(no_key=True).filter(pk=rater, revoked_at__isnull=True).values_list("pk")


def _settle(rater: Rater, standing: Standing, now: datetime) -> Standing:
    """Renew the lease of the pair on the rater's desk; take it away where others have filled its place meanwhile."""
    turn = standing.open
    if turn is None:
        return standing
    row = Assignment.objects.filter(pk=turn.pk)
    if _lease_holds(turn.lease_until, now) or room_for(turn, rater.experiment, now):
        row.update(lease_until=now + LEASE)
        return standing
    row.delete()
    return standing.without(turn)


def _guess_due(rater: Rater, board: Board) -> Turn | None:
    """The pair judged last, where it is one of the rater's last three.

    Whether it holds the system in use today must not matter: who is asked of some pairs only learns which these are.
    """
    standing = board.standing
    if not _may_guess(rater, standing) or not standing.done or board.left >= GUESSES:
        return None
    last = standing.done[-1]
    return None if last.pk in standing.guessed else last


def _may_guess(rater: Rater, standing: Standing) -> bool:
    """Whether the rater can be asked (once more) which card comes from the system in use today."""
    asked = rater.experiment.ask_guess and standing.baseline is not None
    return asked and len(standing.guessed) < GUESSES


def _record(
    rater: Rater,
    standing: Standing,
    errands: Errands,
    *,
    token: UUID,
    key: UUID,
    answer: Answer,
    unblinded: bool,
    now: datetime,
) -> Standing:
    turn = standing.by_token(token)
    if turn is None or turn.skipped:
        return standing
    first = turn.judged_at is None
    if first and not (_lease_holds(turn.lease_until, now) or room_for(turn, rater.experiment, now)):
        return standing
    seconds = _seconds(turn, now) if first else turn.seconds
    judgment = add_judgment.of(
        assignment_id=turn.pk,
        key=key,
        supersedes_id=None if first else Judgment.objects.current().get(assignment=turn.pk).pk,
        seconds=seconds,
        unblinded=unblinded or standing.unblinded,
        judged_at=now,
        **_fields(rater.experiment, answer),
    )
    judged = standing.with_turn(turn._replace(judged_at=now, seconds=seconds))
    if first and not answer.criteria:
        errands.later(judgment, _is_new)
        return judged
    (made,) = errands.ask(judgment)
    if not made:  # the same request once more
        return standing
    if answer.criteria:
        CriterionVerdict.objects.bulk_create(
            CriterionVerdict(judgment_id=made[0][0], criterion=one, verdict=answer.criteria[one.position])
            for one in asked_beside(rater.experiment)
            if one.position in answer.criteria
        )
    return judged


def _is_new(made: Sequence[Row]) -> None:
    if not made:
        raise KeyUsedBefore


def _fields(experiment: Experiment, answer: Answer) -> dict[str, Any]:
    """The columns of a judgment; what was not asked is not stored, and a tie answers "good enough" by itself."""
    prefers = answer.verdict in (Verdict.LEFT, Verdict.RIGHT)
    said = (answer.left_acceptable, answer.right_acceptable)
    acceptable = ACCEPTABLE.get(answer.verdict, said) if experiment.ask_acceptable else (None, None)
    return {
        "verdict": answer.verdict,
        "strength": answer.strength if experiment.ask_strength and prefers else None,
        "left_acceptable": acceptable[0],
        "right_acceptable": acceptable[1],
        "comment": answer.comment,
        "layout": answer.layout,
        "differences_used": answer.differences_used,
    }


def _skip(standing: Standing, token: UUID, reason: str, now: datetime) -> Standing:
    turn = standing.by_token(token)
    if turn is None or not turn.is_open:
        return standing
    Assignment.objects.filter(pk=turn.pk).update(skipped_at=now, skip_reason=SkipReason(reason))
    return standing.with_turn(turn._replace(skipped=True))


def _guess(rater: Rater, standing: Standing, token: UUID, side: str, now: datetime) -> Standing:
    turn = standing.by_token(token)
    if not _may_guess(rater, standing) or turn is None or turn.judged_at is None or turn.pk in standing.guessed:
        return standing
    Guess.objects.create(assignment_id=turn.pk, side=Side(side), guessed_at=now)
    return replace(standing, guessed=standing.guessed | {turn.pk})


def _seconds(turn: Turn, now: datetime) -> float | None:
    if turn.shown_at is None:
        return None
    return max(0.0, min(IDLE_SECONDS, (now - turn.shown_at).total_seconds()))


def _lease_holds(until: datetime | None, now: datetime) -> bool:
    return until is not None and until > now + MARGIN_OF_LEASE


def _standing(rater: Rater) -> Standing:
    return standing_of(rater, turns_of(rater.pk), baseline=rater.experiment.baseline_id)


def _board(rater: Rater, now: datetime) -> Board:
    raters, taken = together(*asked_around(rater, now))
    return board_for(rater, rater.experiment, _standing(rater), raters, taken)
