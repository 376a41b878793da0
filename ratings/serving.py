"""Handing out pairs: which are left for a rater, and the row that gives them one of these."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from django.db import connection
from django.db.models import F, Q, QuerySet

from config.prepared import Adding, Errands, Question, Row, prepared, together
from experiments.models import Experiment
from ratings.catalogue import Offer, catalogue_of
from ratings.draws import Draws
from ratings.models import Assignment, AssignmentKind, Comparison, Rater
from ratings.pairing import (
    APART,
    Candidate,
    Mix,
    Seat,
    allowed_sides,
    choose,
    expected_share,
    next_kind,
    plan,
    queue,
    still_to_come,
)
from ratings.slots import NOTHING, UNTAKEN, taken_by, taken_in, taken_of, taken_of_unseen
from ratings.standing import Standing, Turn, whether

LEASE = timedelta(minutes=30)
# From so many judgments of each pair on, looking up the unseen pairs is cheaper than counting what everybody was given.
CROWD = 20
add_assignment = Adding(Assignment)


@dataclass(frozen=True, kw_only=True)
class Board:
    """What one rater can still be given: `real` and `controls` have not been shown to them; `waiting` says that
    others hold what this rater could judge."""

    status: str
    standing: Standing
    offers: Mapping[int, Offer]
    groups: tuple[tuple[int, ...], ...]
    real: Sequence[Candidate]
    controls: Sequence[Candidate]
    waiting: bool
    place: int
    everyone: bool
    real_left: int
    controls_left: int
    repeats_left: int

    @property
    def left(self) -> int:
        """How many pairs this rater can still expect."""
        return self.real_left + self.controls_left + self.repeats_left


def asked_around(rater: Rater, now: datetime) -> tuple[Question, Question]:
    """What `board_for` has to be told: who the raters are, and what is taken of each pair this rater has not seen."""
    experiment = rater.experiment
    crowd = experiment.ratings_per_pair >= CROWD
    taken = taken_of_unseen.of(experiment.pk, rater.pk, now) if crowd else taken_in.of(experiment.pk, now)
    return raters_of.of(experiment.pk, now), taken


def board_for(
    rater: Rater, experiment: Experiment, standing: Standing, raters: Sequence[Row], taken: Sequence[Row]
) -> Board:
    """Look at everything a rater could be given, by the answers to `asked_around`."""
    seen, wanted, seats = standing.tally.seen, experiment.ratings_per_pair, _seats(raters)
    given = {row[0]: row for row in taken}
    catalogue = catalogue_of(experiment, given.keys())
    unseen = [one for one in catalogue.real if one.comparison not in seen]
    free, share = _free(unseen, given, wanted, seats.usable - 1)
    controls = [one for one in catalogue.controls if one.comparison not in seen]
    mix = Mix(
        real_done=standing.count(AssignmentKind.RATING),
        real_left=max(1, int(share + 0.5)) if free else 0,
        controls_done=standing.count(AssignmentKind.CONTROL),
        controls_left=len(controls),
        repeats_done=standing.count(AssignmentKind.REPEAT),
    )
    controls_left, repeats = still_to_come(
        mix, control_share=experiment.control_share, repeat_share=experiment.repeat_share
    )
    return Board(
        status=seats.status,
        standing=standing,
        offers=catalogue.offers,
        groups=catalogue.groups,
        real=free,
        controls=controls,
        waiting=any(judged < wanted for *_, judged, _ in (given.get(one.comparison, UNTAKEN) for one in unseen)),
        place=seats.order.index(rater.pk) if rater.pk in seats.order else 0,
        everyone=wanted >= len(seats.order),
        real_left=mix.real_left,
        controls_left=controls_left,
        repeats_left=repeats if mix.real_left or controls_left else min(repeats, len(_due(standing, catalogue.offers))),
    )


class Served(NamedTuple):
    """A pair just given to a rater, with its texts (as `texts_of` has them)."""

    turn: Turn
    texts: Row


def assign(
    rater: Rater, experiment: Experiment, board: Board, errands: Errands, now: datetime, *, patient: bool = False
) -> Served | None:
    """Give the rater their next pair, or None where there is none. Call it in a transaction that holds the rater.

    On a database with row locks a pair that somebody else is just being given is passed over, so that nobody waits;
    `patient` waits for it, as a last resort. The same work is done whichever kind comes out: time tells nothing.
    """
    draws = Draws(experiment.draw_salt, experiment.seed)
    step = next_step(board.standing)
    drawn = next_kind(
        real=board.real_left,
        controls=board.controls_left,
        repeats=board.repeats_left,
        place=draws.share("kind", rater.pk, step),
    )
    giving = _Giving(rater, experiment, board, errands, now, draws, step, patient)
    real, control = giving.choose(board.real, giving.wanted), giving.choose(board.controls, None)
    again = giving.again()
    ways = {
        "real": lambda: _give_real(giving, real),
        "control": lambda: _give_control(giving, control),
        "repeat": lambda: _give_repeat(giving, again),
    }
    for kind in (drawn, *(kind for kind in ways if kind != drawn)):
        served = ways[kind]()
        if served is not None:
            return served
    return None


def room_for(turn: Turn, experiment: Experiment, now: datetime) -> bool:
    """Whether an answer to a pair whose lease has run out is still wanted; takes the pair's row lock."""
    if turn.kind != AssignmentKind.RATING:
        return True
    _, taken = together(_wait_for.of(turn.comparison), taken_of.of(turn.comparison, now))
    candidate = turn.offer.candidate(taken_by(taken).get(turn.comparison, NOTHING))
    side = 1 if turn.left == turn.offer.leading else -1
    return side in allowed_sides(candidate, experiment.ratings_per_pair)


# --- the three kinds -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Giving:
    rater: Rater
    experiment: Experiment
    board: Board
    errands: Errands
    now: datetime
    draws: Draws
    step: int
    patient: bool

    @property
    def wanted(self) -> int:
        return self.experiment.ratings_per_pair

    @cached_property
    def seat(self) -> Seat:
        """For whom, of real pairs and controls alike."""
        turns = self.board.standing.turns
        return Seat(
            rater=self.rater.pk,
            place=self.board.place,
            step=self.step,
            last_item=turns[-1].item if turns else None,
            leads=self.board.standing.leads,
        )

    def choose(self, candidates: Sequence[Candidate], wanted: int | None) -> tuple[Candidate, int] | None:
        return choose(
            candidates,
            seat=self.seat,
            wanted=wanted,
            everyone=wanted is None or self.board.everyone,
            sides=plan(self.draws, self.board.place, self.board.groups),
            order=queue(self.draws, self.rater.pk, self.board.groups),
            draws=self.draws,
        )

    def again(self) -> Turn | None:
        """A judged pair that may come again, of another input than the last one where there is such a pair."""
        due, last = _due(self.board.standing, self.board.offers), self.seat.last_item
        fitting = [turn for turn in due if turn.offer.item != last] or due
        return fitting[self.draws.number("repeat", self.rater.pk, self.step) % len(fitting)] if fitting else None

    def store(self, kind: AssignmentKind, offer: Offer, side: int, repeat_of: Turn | None = None) -> Served:
        left, right = (offer.leading, offer.following) if side > 0 else (offer.following, offer.leading)
        token, lease_until = uuid.uuid4(), self.now + LEASE
        added = add_assignment.of(
            token=token,
            comparison_id=offer.comparison,
            rater_id=self.rater.pk,
            kind=kind,
            repeat_of_id=repeat_of.pk if repeat_of else None,
            left_id=left,
            right_id=right,
            position=self.step,
            created_at=self.now,
            lease_until=lease_until,
            shown_at=self.now,
        )
        ((pk,),), (texts,) = self.errands.ask(added, texts_of.of(token))
        turn = Turn(
            pk=pk,
            token=token,
            position=self.step,
            kind=kind,
            offer=offer,
            left=left,
            right=right,
            skipped=False,
            lease_until=lease_until,
            shown_at=self.now,
        )
        return Served(turn, texts)


def _give_real(giving: _Giving, chosen: tuple[Candidate, int] | None) -> Served | None:
    """The chosen pair, or the next best where another rater is just being given it, or was given the last of it."""
    left, wanted, wait = {one.comparison: one for one in giving.board.real}, giving.wanted, giving.patient
    while chosen is not None:
        candidate, side = chosen
        held = _hold(candidate, giving, wait=wait)
        sides = allowed_sides(held, wanted) if held else ()
        if sides:
            offer = giving.board.offers[candidate.comparison]
            return giving.store(AssignmentKind.RATING, offer, side if side in sides else sides[0])
        wait = False  # once: who holds one pair and waits for another may wait for somebody who waits for the first
        del left[candidate.comparison]
        chosen = giving.choose(list(left.values()), wanted)
    return None


def _hold(candidate: Candidate, giving: _Giving, *, wait: bool = False) -> Candidate | None:
    """Lock the pair and look again: None where somebody else holds it this moment. SQLite needs neither."""
    if not connection.features.has_select_for_update_skip_locked:
        return candidate
    offer = giving.board.offers[candidate.comparison]
    hold = _wait_for if wait else _pass_over
    held, taken = giving.errands.ask(hold.of(offer.comparison), taken_of.of(offer.comparison, giving.now))
    return offer.candidate(taken_by(taken).get(offer.comparison, NOTHING)) if held else None


@prepared
def _pass_over(comparison: int) -> QuerySet[Comparison, Row]:
    rows = Comparison.objects.filter(pk=comparison).values_list("pk")
    return rows.select_for_update(no_key=True, skip_locked=True)


@prepared
def _wait_for(comparison: int) -> QuerySet[Comparison, Row]:
    return Comparison.objects.filter(pk=comparison).values_list("pk").select_for_update(no_key=True)


def _give_control(giving: _Giving, chosen: tuple[Candidate, int] | None) -> Served | None:
    if not giving.board.controls_left or chosen is None:
        return None
    _hold(chosen[0], giving)
    return giving.store(AssignmentKind.CONTROL, giving.board.offers[chosen[0].comparison], chosen[1])


def _give_repeat(giving: _Giving, again: Turn | None) -> Served | None:
    if not giving.board.repeats_left or again is None:
        return None
    offer = giving.board.offers[again.comparison]
    _hold(offer.candidate(NOTHING), giving)
    return giving.store(AssignmentKind.REPEAT, offer, -1 if again.left == offer.leading else 1, again)


# --- looking ---------------------------------------------------------------------------------------------------------


def _free(
    unseen: Sequence[Offer], given: Mapping[int, Row], wanted: int, others: int
) -> tuple[Sequence[Candidate], float]:
    """Of the pairs that a rater has not seen those that can still be taken, and how many of them they can expect."""
    free, shares = [], []
    for one in unseen:
        _, first_left, both, _, times = given.get(one.comparison, UNTAKEN)
        if both < wanted:
            forward = first_left if one.leads_first else both - first_left
            free.append(Candidate(one.comparison, one.item, one.group, forward, both - forward))
            shares.append(expected_share(wanted - both, others - times))
    return free, sum(shares)


# --- reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Seats:
    """The raters in the order they began, and how many could still judge; the experiment's status as of now."""

    order: Sequence[int]
    usable: int
    status: str


def _seats(rows: Sequence[Row]) -> _Seats:
    return _Seats(
        order=[pk for pk, began, usable, _ in rows if began or usable],
        usable=sum([usable for _, _, usable, _ in rows]),
        status=rows[0][3] if rows else "",
    )


@prepared
def raters_of(experiment: int, now: datetime) -> QuerySet[Rater, Row]:
    """Those who began come first, in the order in which they did."""
    lasting = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    usable = Q(lasting, token_hash__isnull=False, revoked_at__isnull=True)
    return (
        Rater.objects.filter(experiment=experiment)
        .order_by(F("first_used_at").asc(nulls_last=True), "pk")
        .values_list("pk", whether(Q(first_used_at__isnull=False)), whether(usable), "experiment__status")
    )


@prepared
def texts_of(token: uuid.UUID) -> QuerySet[Assignment, Row]:
    columns = ("comparison__input__messages", "left__html", "left__text", "right__html", "right__text")
    return Assignment.objects.filter(token=token).values_list(*columns)


def _due(standing: Standing, offers: Mapping[int, Offer]) -> list[Turn]:
    """Judged pairs that may come again now: not repeated yet, long enough ago, and still shown to raters (an import
    may bring a judgment on a pair that is not)."""
    real, latest, repeated = AssignmentKind.RATING, next_step(standing) - APART, standing.tally.repeated
    return [
        turn
        for turn in standing.done
        if turn.kind == real
        and turn.position <= latest
        and turn.offer.comparison not in repeated
        and turn.offer.comparison in offers
    ]


def next_step(standing: Standing) -> int:
    """The position of the next turn."""
    return standing.turns[-1].position + 1 if standing.turns else 1
