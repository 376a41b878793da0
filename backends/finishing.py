"""How a claimed row ends: with an answer, with a failure, or back in line for later; in one transaction, or not at all.

A row that is no longer held under the claim's token (its lease ran out, its owner cancelled or deleted) is left alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from backends import fetching
from backends.claiming import Claim
from backends.models import Attempt, Completion, Outcome, State
from backends.streams import Fetched
from experiments.actions import BEFORE_THE_SEAL, PreparedOutput, prepare_output, prompt_of, store_prepared
from experiments.models import Arm, Experiment, Input, OutputState


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an answer goes: the experiment, its arm and the words that may give the arm away."""

    experiment: int
    arm: Arm
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that was made, and when it was sent."""

    at: datetime
    attempt: fetching.Attempt


def store_answer(
    *, claim: Claim, item: Input, place: Place, fetched: Fetched, calls: Sequence[Call], user_ms: float
) -> bool:
    """Save an answer and, for the first sample, the output that raters see; whether the row was still held."""
    prepared = _prepared(claim, item, place, fetched)
    outcome: str = fetched.outcome
    if prepared and prepared.state == OutputState.EMPTY and outcome == Outcome.COMPLETE:
        outcome = Outcome.EMPTY
    with transaction.atomic():
        row = _held(claim, place.experiment)
        if row is None:
            return False
        if prepared:
            row.output = store_prepared(item=item, arm=place.arm, prepared=prepared)
        row.outcome, row.raw_text, row.usage = outcome, fetched.text, asdict(fetched.usage)
        row.ttft_ms, row.first_visible_ms = fetched.ttft_ms, fetched.first_visible_ms
        row.latency_ms, row.user_ms = fetched.latency_ms, user_ms
        _let_go(row, claim, State.DONE, fetched.sentence, calls)
    return True


def store_failure(
    *, claim: Claim, experiment: int, kind: str, sentence: str, calls: Sequence[Call], user_ms: float | None = None
) -> bool:
    """Save that no answer came and why; whether the row was still held."""
    with transaction.atomic():
        row = _held(claim, experiment)
        if row is None:
            return False
        row.failure_kind, row.user_ms = kind, user_ms
        _let_go(row, claim, State.FAILED, sentence, calls)
    return True


def put_off(*, claim: Claim, experiment: int, seconds: float, sentence: str, calls: Sequence[Call]) -> bool:
    """Put the row back in line, not to be asked before so many seconds; whether it was still held."""
    with transaction.atomic():
        row = _held(claim, experiment)
        if row is None:
            return False
        row.not_before = timezone.now() + timedelta(seconds=seconds)
        _let_go(row, claim, State.PENDING, sentence, calls)
    return True


def calls_since(claim: Claim) -> int:
    """Calls stored for this row since the claim's round began; those of the claim itself are not stored yet."""
    return Attempt.objects.filter(completion=claim.completion, at__gte=claim.began).count()


def _prepared(claim: Claim, item: Input, place: Place, fetched: Fetched) -> PreparedOutput | None:
    if claim.sample:
        return None
    return prepare_output(fetched.text, fetched.outcome, place.names, prompt_of(item))


def _held(claim: Claim, experiment: int) -> Completion | None:
    """The row, locked, if it is still ours to write; the experiment first, in the order everybody locks in."""
    status = Experiment.objects.select_for_update().filter(pk=experiment).values_list("status", flat=True).first()
    if status not in BEFORE_THE_SEAL:
        return None
    rows = Completion.objects.select_for_update()
    return rows.filter(pk=claim.completion, state=State.RUNNING, claim=claim.token).first()


def _let_go(row: Completion, claim: Claim, state: State, sentence: str, calls: Sequence[Call]) -> None:
    row.state, row.claim, row.lease_until = state, "", None
    row.sentence, row.attempts = sentence[:1000], claim.calls + len(calls)
    row.finished_at = None if state == State.PENDING else timezone.now()
    Attempt.objects.bulk_create(_attempts(row, claim.calls, calls))
    row.save()


def _attempts(row: Completion, before: int, calls: Iterable[Call]) -> list[Attempt]:
    return [
        Attempt(completion=row, number=number, at=call.at, **_told(call.attempt))
        for number, call in enumerate(calls, start=before + 1)
    ]


def _told(attempt: fetching.Attempt) -> dict[str, Any]:
    offsets = attempt.offsets
    return {
        "wait_ms": attempt.waited_ms,
        "headers_ms": offsets.headers,
        "first_token_ms": offsets.first_token,
        "first_visible_ms": offsets.first_visible,
        "end_ms": offsets.end,
        "failure_kind": attempt.failure_kind,
        "sentence": attempt.sentence[:1000],
        "raw_tail": attempt.raw_tail,
    }
