"""The judgments of one experiment, by arm and as numpy columns; it knows no names and no texts."""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import Case, Count, Q, QuerySet, Value, When
from django.db.models.functions import Length
from numpy.typing import NDArray

from experiments.models import Arm, Decision, Experiment, Input, Output, OutputState
from experiments.naming import TO_THE_RATER
from ratings.models import Assignment, AssignmentKind, CriterionVerdict, Guess, Rater, Side
from reports import ballot_rows
from reports.ballot_rows import IMPORTED, UNBLINDED, Rows, columns, verdict_code
from reports.statistics.codes import places, sorted_by
from reports.statistics.interval import Bools, Codes, Floats, Ints
from reports.statistics.verdicts import BOTH_BAD, BOTH_GOOD, LEFT, RIGHT, candidate_score

UNKNOWN = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """One entry a current judgment, all columns of equal length.

    `input`, `rater`, `left`, `right` (arms) are positions in the lists of `Ballots`; `verdict` is one of LEFT, RIGHT,
    BOTH_GOOD, BOTH_BAD; `left_ok`, `right_ok` are 1, 0 or UNKNOWN; `seconds` is NaN where nobody measured;
    `assignment` is the row's key, for joining repeats.
    """

    assignment: Ints
    input: Ints
    rater: Ints
    left: Ints
    right: Ints
    verdict: Codes
    left_ok: Codes
    right_ok: Codes
    seconds: Floats

    def __len__(self) -> int:
        return int(self.input.size)

    def where(self, mask: NDArray[Any]) -> "Votes":
        """Those that the mask (or an index array) picks, in its order."""
        return replace(self, **{field.name: getattr(self, field.name)[mask] for field in fields(self)})

    def decided(self, verdict: Codes) -> "Votes":
        """The same pairs with another verdict, say on a criterion."""
        return replace(self, verdict=verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Versus:
    """The votes on one candidate against one baseline, from the candidate's side; columns of equal length.

    `y` is 1 where the candidate was better, 0 where the baseline was, ½ for both good and both bad; `on_left` says that
    the candidate was card A; `ok` and `baseline_ok` are 1, 0 or UNKNOWN.
    """

    assignment: Ints
    input: Ints
    rater: Ints
    y: Floats
    both_good: Bools
    both_bad: Bools
    on_left: Bools
    ok: Codes
    baseline_ok: Codes

    def __len__(self) -> int:
        return int(self.y.size)

    def where(self, mask: NDArray[Any] | slice) -> "Versus":
        """Those that the mask (or a slice) picks."""
        return replace(self, **{field.name: getattr(self, field.name)[mask] for field in fields(self)})


def versus(votes: Votes, *, candidate: int, baseline: int) -> Versus:
    """The votes between two arms (positions), seen from the candidate."""
    forward = (votes.left == candidate) & (votes.right == baseline)
    backward = (votes.left == baseline) & (votes.right == candidate)
    both = votes.where(forward | backward)
    return _seen(both, both.left == candidate)


def by_pair(votes: Votes, order: tuple[int, ...]) -> dict[tuple[int, int], Versus]:
    """The votes on each pair that was voted on, by (candidate, baseline): of two arms the later in the order is the
    baseline. Pairs against the last of all come first."""
    rank = np.argsort(order)
    size, left, right = len(order) or 1, rank[votes.left], rank[votes.right]
    pair = np.minimum(left, right) * size + np.maximum(left, right)
    along = sorted_by(pair)
    everything = _seen(votes.where(along), (left < right)[along])
    ends = np.cumsum(np.bincount(pair, minlength=size * size))
    met = [divmod(int(code), size) for code in np.flatnonzero(np.diff(ends, prepend=0))]
    return {
        (order[a], order[b]): everything.where(slice(ends[a * size + b - 1], ends[a * size + b]))
        for a, b in sorted(met, key=lambda two: (two[1] != size - 1, two))
    }


def _seen(votes: Votes, on_left: Bools) -> Versus:
    """From the side of the candidate, which is on the left where `on_left`, else on the right."""
    return Versus(
        assignment=votes.assignment,
        input=votes.input,
        rater=votes.rater,
        y=candidate_score(votes.verdict, on_left),
        both_good=votes.verdict == BOTH_GOOD,
        both_bad=votes.verdict == BOTH_BAD,
        on_left=on_left,
        ok=np.where(on_left, votes.left_ok, votes.right_ok),
        baseline_ok=np.where(on_left, votes.right_ok, votes.left_ok),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What is known of the outputs without their words, by input and arm (positions).

    `length` holds characters, 0 where there is no output; `flagged` and `masked` mark outputs that named a maker or
    spoke to raters; `addressing` counts the latter.
    """

    length: Ints
    flagged: Bools
    masked: Bools
    held_back: int
    addressing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Guesses:
    """Which arm raters took for the system in use today: one entry a guess, the `other` arm beside it."""

    guessed: Ints
    other: Ints
    unsure: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A rater whom the owner left out before the closing, and how many real pairs they had judged."""

    label: str
    judgments: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballots:
    """Everything that raters decided in one experiment, sorted by its use.

    `votes` enter the score: current, blinded, of the rating kind. Repeats, controls and judgments of people who could
    see the key are apart. `originals` gives for each repeat the position of its first judgment in `votes`, or UNKNOWN.
    `expected` gives for each control the verdict that is right. Of raters who are `left_out` nothing is in any of them.
    """

    arms: tuple[str, ...]
    inputs: tuple[str, ...]
    tags: tuple[tuple[str, ...], ...]
    raters: tuple[str, ...]
    texts: Texts
    votes: Votes
    repeats: Votes
    originals: Ints
    controls: Votes
    expected: Ints
    unblinded: Votes
    guesses: Guesses
    superseded: int
    imported: int
    overwritten: int
    skipped: int
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class _Positions:
    """From primary keys to positions; the keys rise."""

    outputs: Ints
    input_of: Ints
    arm_of: Ints
    raters: Ints

    def output(self, keys: Ints) -> Ints:
        return places(self.outputs, keys)


def read(experiment: Experiment, *, texts: bool = True) -> Ballots:
    """All ballots of an experiment, streamed from the database: about 200 bytes a judgment at most.

    Without `texts` nothing is known of the outputs but whose they are, which is read much faster.
    """
    arms = list(Arm.objects.filter(experiment=experiment).order_by("code").values_list("pk", "code"))
    inputs = list(
        Input.objects.filter(experiment=experiment).order_by("position").values_list("pk", "external_id", "tags")
    )
    everybody = Rater.objects.filter(experiment=experiment).order_by("pk")
    raters = list(everybody.filter(left_out_at__isnull=True).values_list("pk", "label"))
    keys = [pk for pk, _ in arms], [pk for pk, _, _ in inputs], [pk for pk, _ in raters]
    positions, known = _outputs(experiment, *keys, texts=texts)
    cast = ballot_rows.read(experiment)
    votes, unblinded = _blinded_and_not(cast.of_kind(AssignmentKind.RATING), positions)
    repeats, _ = _blinded_and_not(cast.of_kind(AssignmentKind.REPEAT), positions)
    controls, _ = _blinded_and_not(cast.of_kind(AssignmentKind.CONTROL), positions)
    return Ballots(
        arms=tuple(code for _, code in arms),
        inputs=tuple(name for _, name, _ in inputs),
        tags=tuple(tags_of(tags) for _, _, tags in inputs),
        raters=tuple(label for _, label in raters),
        texts=known,
        votes=votes,
        repeats=repeats,
        originals=_originals(experiment, repeats, votes),
        controls=controls,
        expected=_expected(experiment, controls),
        unblinded=unblinded,
        guesses=_guesses(experiment, positions),
        superseded=cast.superseded,
        imported=_imported(cast),
        overwritten=cast.overwritten,
        skipped=cast.skipped,
        left_out=_left_out(everybody),
    )


def tags_of(tags: Any) -> tuple[str, ...]:
    """Tags as a list of strings, or an object of strings as `name: value`."""
    if isinstance(tags, dict):
        return tuple(f"{name}: {value}" for name, value in tags.items())
    return tuple(str(tag) for tag in tags or ())


def on_criterion(experiment: Experiment, criterion: int, votes: Votes) -> Votes:
    """Those of the votes that say something about a criterion (its primary key), with that verdict."""
    rows = (
        CriterionVerdict.objects.filter(
            criterion_id=criterion,
            judgment__assignment__rater__experiment=experiment,
            judgment__superseded_by__isnull=True,
        )
        .order_by()
        .values_list("judgment__assignment_id", verdict_code("verdict"))
    )
    found = columns(rows, [("assignment", "i8"), ("verdict", "i8")])
    order = np.argsort(votes.assignment)
    if not order.size or not found.size:
        return votes.where(np.zeros(len(votes), dtype=bool))
    found_at = order[places(votes.assignment[order], found["assignment"])]
    known = votes.assignment[found_at] == found["assignment"]
    found_at, verdicts = found_at[known], found["verdict"][known]
    # In the order of the votes, whatever the database's: sums and resamples then agree to the last digit.
    along = np.argsort(found_at)
    return votes.where(found_at[along]).decided(verdicts[along].astype(np.int8))


def _blinded_and_not(cast: Rows, positions: _Positions) -> tuple[Votes, Votes]:
    left, right = positions.output(cast.left), positions.output(cast.right)
    everything = Votes(
        assignment=cast.assignment,
        input=positions.input_of[left],
        rater=places(positions.raters, cast.rater),
        left=positions.arm_of[left],
        right=positions.arm_of[right],
        verdict=(cast.packed & 3).astype(np.int8),
        left_ok=_known(cast.packed >> 2),
        right_ok=_known(cast.packed >> 4),
        seconds=np.where(cast.seconds < 0, np.nan, cast.seconds),
    )
    # One order whatever the database's: sums and resamples then agree to the last digit.
    order = sorted_by(everything.input, everything.rater, everything.assignment)
    unblinded = cast.packed[order] & UNBLINDED > 0
    return everything.where(order[~unblinded]), everything.where(order[unblinded])


def _imported(cast: Rows) -> int:
    """How many of the judgments that count came from a file."""
    counted = cast.of_kind(AssignmentKind.RATING).packed
    return int(np.count_nonzero(counted & (IMPORTED | UNBLINDED) == IMPORTED))


def _known(packed: Ints) -> Codes:
    answers: Codes = np.array([0, 1, UNKNOWN, UNKNOWN], dtype=np.int8)[packed & 3]
    return answers


def _outputs(
    experiment: Experiment, arms: list[int], inputs: list[int], raters: list[int], *, texts: bool
) -> tuple[_Positions, Texts]:
    rows = Output.objects.filter(input__experiment=experiment).order_by("pk")
    about = (Length("text"), _state_code()) if texts else (Value(0), Value(0))
    table = columns(
        rows.values_list("pk", "input_id", "arm_id", *about),
        [("pk", "i8"), ("input", "i8"), ("arm", "i8"), ("length", "i8"), ("state", "i8")],
    )
    arm_keys, arm_places = _sorted(arms)
    input_keys, input_places = _sorted(inputs)
    arm_of = arm_places[np.searchsorted(arm_keys, table["arm"])]
    input_of = input_places[np.searchsorted(input_keys, table["input"])]
    shape = (len(inputs), len(arms))
    length, state = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    length[input_of, arm_of], state[input_of, arm_of] = table["length"], table["state"]
    known = Texts(
        length=length,
        flagged=state == 1,
        masked=state == 2,
        held_back=int(np.sum(state == 3)),
        addressing=_addressing(rows) if texts else 0,
    )
    positions = _Positions(
        outputs=table["pk"], input_of=input_of, arm_of=arm_of, raters=np.asarray(raters, dtype=np.int64)
    )
    return positions, known


def _addressing(outputs: QuerySet[Output]) -> int:
    """How many outputs speak to whoever rates them; flags are few."""
    flagged = outputs.exclude(flags=[]).values_list("flags", flat=True)
    return sum(any(flag.get("why") == TO_THE_RATER for flag in flags) for flags in flagged)


def _sorted(keys: list[int]) -> tuple[Ints, Ints]:
    places = np.argsort(np.asarray(keys, dtype=np.int64))
    return np.asarray(keys, dtype=np.int64)[places], places


def _state_code() -> Case:
    """1 flagged, 2 masked, 3 held back from raters, 0 as it came."""
    return Case(
        When(state=OutputState.FLAGGED, decision=Decision.RELEASED, then=Value(1)),
        When(state=OutputState.MASKED, then=Value(2)),
        When(state=OutputState.READY, then=Value(0)),
        default=Value(3),
    )


def _guesses(experiment: Experiment, positions: _Positions) -> Guesses:
    # A control shows an answer to another request, a repeat a pair already thought about: neither tests the blinding.
    asked = Guess.objects.filter(
        assignment__rater__experiment=experiment,
        assignment__rater__left_out_at__isnull=True,
        assignment__kind=AssignmentKind.RATING,
    )
    # Nor does a pair without the system in use today, of which is asked as well, so that asking tells nothing.
    today = Q(assignment__left__arm=experiment.baseline_id) | Q(assignment__right__arm=experiment.baseline_id)
    rows = asked.filter(today).exclude(assignment__judgments__unblinded=True)
    # Nobody guesses unasked, and looking for guesses among a million assignments takes a second.
    rows = rows if experiment.ask_guess else rows.none()
    made = list(rows.order_by("pk").values_list("side", "assignment__left_id", "assignment__right_id"))
    sides = [(left, right) if side == Side.LEFT else (right, left) for side, left, right in made if side != Side.UNSURE]
    keys = np.array(sides, dtype=np.int64).reshape(-1, 2)
    arms = positions.arm_of[positions.output(keys)] if sides else keys
    return Guesses(guessed=arms[:, 0], other=arms[:, 1], unsure=len(made) - len(sides))


def _left_out(raters: QuerySet[Rater]) -> tuple[LeftOut, ...]:
    judged = Count("assignments", filter=Q(assignments__kind=AssignmentKind.RATING, assignments__counts__isnull=False))
    rows = (
        raters.filter(left_out_at__isnull=False).annotate(judged=judged).values_list("label", "judged", "left_out_at")
    )
    return tuple(LeftOut(label=label, judgments=n, at=at) for label, n, at in rows if at is not None)


def _originals(experiment: Experiment, repeats: Votes, votes: Votes) -> Ints:
    if not len(repeats):
        return np.zeros(0, dtype=np.int64)
    rows = Assignment.objects.filter(rater__experiment=experiment, kind=AssignmentKind.REPEAT).order_by()
    first = dict(rows.values_list("pk", "repeat_of_id"))
    place = {int(key): number for number, key in enumerate(votes.assignment)} if first else {}
    return np.array([place.get(first[int(key)] or 0, UNKNOWN) for key in repeats.assignment], dtype=np.int64)


def _expected(experiment: Experiment, controls: Votes) -> Ints:
    if not len(controls):
        return np.zeros(0, dtype=np.int64)
    rows = Assignment.objects.filter(rater__experiment=experiment, kind=AssignmentKind.CONTROL).order_by()
    answers = {
        pk: LEFT if left == expected else RIGHT
        for pk, left, expected in rows.values_list("pk", "left_id", "comparison__expected_id")
    }
    return np.array([answers[int(key)] for key in controls.assignment], dtype=np.int64)
