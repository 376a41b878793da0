"""How claimed rows end: with an answer, with a failure, or back in line for later; in one transaction, or not at all.

A row that is no longer held under its claim (the lease ran out, its owner cancelled or deleted) is left alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from backends import fetching
from backends.claiming import Claim
from backends.models import Attempt, Completion, Outcome, State
from backends.streams import Fetched
from experiments.actions import PreparedOutput, fields_of, prepare_output, prompt_of
from experiments.models import Arm, Output, OutputState


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where answers go: the experiment, its arm and the words that may give the arm away."""

    experiment: int
    arm: Arm
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that was made, and when it was sent."""

    at: datetime
    attempt: fetching.Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What becomes of a claimed row: the columns to write, the calls made, and the output that raters see."""

    claim: Claim
    columns: dict[str, Any]
    calls: Sequence[Call]
    prepared: PreparedOutput | None = field(default=None)


def answered(*, claim: Claim, place: Place, fetched: Fetched, calls: Sequence[Call], user_ms: float) -> Ending:
    """An answer came. The output is prepared here, outside any transaction, and for the first sample only."""
    prepared, outcome = None, Outcome(fetched.outcome)
    if claim.sample == 0:
        prepared = prepare_output(fetched.text, fetched.outcome, place.names, prompt_of(claim.item))
        if prepared.state == OutputState.EMPTY and outcome == Outcome.COMPLETE:
            outcome = Outcome.EMPTY
    columns = {
        **_ended(claim, State.DONE, fetched.sentence, calls),
        "outcome": outcome,
        "raw_text": fetched.text,
        "usage": asdict(fetched.usage),
        "ttft_ms": fetched.ttft_ms,
        "first_visible_ms": fetched.first_visible_ms,
        "latency_ms": fetched.latency_ms,
        "user_ms": user_ms,
    }
    return Ending(claim=claim, columns=columns, calls=calls, prepared=prepared)


def failed(*, claim: Claim, kind: str, sentence: str, calls: Sequence[Call], user_ms: float | None = None) -> Ending:
    """No answer came, for good."""
    columns = {**_ended(claim, State.FAILED, sentence, calls), "failure_kind": kind, "user_ms": user_ms}
    return Ending(claim=claim, columns=columns, calls=calls)


def put_off(*, claim: Claim, seconds: float, sentence: str, calls: Sequence[Call]) -> Ending:
    """Back in line, not to be asked before so many seconds."""
    later = timezone.now() + timedelta(seconds=seconds)
    columns = {**_ended(claim, State.PENDING, sentence, calls), "not_before": later, "finished_at": None}
    return Ending(claim=claim, columns=columns, calls=calls)


class NotHeld(Exception):
    """Some of these rows are no longer ours to finish; nothing was saved."""

    def __init__(self, lost: Sequence[Ending]) -> None:
        super().__init__(f"{len(lost)} rows are held by nobody or by others")
        self.lost = lost


def store(endings: Sequence[Ending], place: Place) -> None:
    """Save these endings of one locked system, in the caller's transaction; it is to be undone on NotHeld."""
    outputs = _store_outputs([one for one in endings if one.prepared], place.arm)
    lost = [one for one in endings if not _end(one, outputs.get(one.claim.completion))]
    if lost:
        raise NotHeld(lost)
    Attempt.objects.bulk_create([attempt for one in endings for attempt in _attempts(one)])


def _end(ending: Ending, output: Output | None) -> bool:
    """Whether the row was still held."""
    held = Completion.objects.filter(pk=ending.claim.completion, claim=ending.claim.token, state=State.RUNNING)
    return bool(held.update(**ending.columns, output=output))


def calls_since(claim: Claim) -> int:
    """Calls stored for this row since the claim's round began; those of the claim itself are not stored yet."""
    return Attempt.objects.filter(completion=claim.completion, at__gte=claim.began).count()


def _ended(claim: Claim, state: State, sentence: str, calls: Sequence[Call]) -> dict[str, Any]:
    return {
        "state": state,
        "claim": "",
        "lease_until": None,
        "sentence": sentence[:1000],
        "attempts": claim.calls + len(calls),
        "finished_at": timezone.now(),
    }


def _store_outputs(endings: Sequence[Ending], arm: Arm) -> dict[int, Output]:
    """By completion; an output that is there already is replaced."""
    made = [Output(input_id=one.claim.item.pk, arm=arm, **fields_of(one.prepared)) for one in endings if one.prepared]
    if not made:
        return {}
    changed = [name for name in fields_of(endings[0].prepared) if name] if endings[0].prepared else []
    stored = Output.objects.bulk_create(
        made, update_conflicts=True, unique_fields=["input", "arm"], update_fields=changed
    )
    return {one.claim.completion: output for one, output in zip(endings, stored, strict=True)}


def _attempts(ending: Ending) -> Iterable[Attempt]:
    for number, call in enumerate(ending.calls, start=ending.claim.calls + 1):
        yield Attempt(completion_id=ending.claim.completion, number=number, at=call.at, **_told(call.attempt))


def _told(attempt: fetching.Attempt) -> dict[str, Any]:
    offsets = attempt.offsets
    return {
        "wait_ms": attempt.waited_ms,
        "sent_ms": offsets.sent,
        "connect_ms": offsets.connected,
        "headers_ms": offsets.headers,
        "first_token_ms": offsets.first_token,
        "first_visible_ms": offsets.first_visible,
        "last_token_ms": offsets.last_token,
        "end_ms": offsets.end,
        "status": attempt.status,
        "sent": dict(attempt.sent),
        "told": dict(attempt.told),
        "failure_kind": attempt.failure_kind,
        "sentence": attempt.sentence[:1000],
        "raw_tail": attempt.raw_tail,
    }
