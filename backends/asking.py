"""One claimed row and one system: the question is put to the server, and what comes of it is written down."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from django.db import Error
from django.utils import timezone

from backends import finishing, trouble
from backends.adapters.contract import ChatRequest, Target
from backends.claiming import Claim
from backends.client import WireClient
from backends.error_answers import for_good
from backends.failures import KINDS
from backends.fetching import Attempt, FetchResult, RetryPolicy, fetch, fetch_with_retries
from backends.finishing import Call, Ending, Place
from backends.models import System
from backends.own_faults import OwnFaults
from backends.preflight import PROBES
from backends.streams import Fetched
from backends.turns import database_turn, patiently
from experiments.models import Input

POLICY = RetryPolicy(attempts=4, base=0.5)
PROBE = RetryPolicy(attempts=1)
CALLS_A_ROUND = 8  # for one row, until it has failed for good
SHORT_WAIT_SECONDS = 5.0  # longer ones are spent in line, not in a place
SHORTEST_PUT_OFF_SECONDS = 1.0
OUR_FAULT = "Blindpair itself failed on this answer; the server's log says where. Report it."
SAVE_WITHIN_SECONDS = 60.0
Result = TypeVar("Result")


class LongWait(Exception):
    """The row must wait longer than a place may be held for."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.1f} s")
        self.seconds = seconds


class Halted(Exception):
    """Nobody wants the answer now: paused, cancelled, deleted, or the process stops."""


@dataclass(slots=True, kw_only=True)
class Asker:
    """All that the threads of one drain share. `halt` is set when no further call is wanted."""

    system: System
    target: Target
    place: Place
    client: WireClient
    halt: threading.Event
    faults: OwnFaults = field(default_factory=OwnFaults)
    rng: random.Random = field(default_factory=random.Random)
    good: int = 0

    def look_again(self) -> bool:
        """Read what any process has found out about the system meanwhile; whether it is still there."""
        found = System.objects.filter(pk=self.system.pk).values_list("preflight", flat=True).first()
        self.system.preflight = found or {}
        return found is not None

    @property
    def parameters(self) -> dict[str, Any]:
        """As the owner set them, with the context length that the check before found to be needed."""
        raised = self._found("num_ctx")
        return {**({"num_ctx": raised} if raised else {}), **self.system.parameters}

    def _found(self, name: str) -> Any:
        return self.system.preflight.get("before", {}).get(name)

    def chat(self, item: Input) -> ChatRequest:
        """The question."""
        return ChatRequest(
            model=self.system.model_id,
            messages=item.messages,
            system_prompt=self.system.system_prompt,
            parameters=self.parameters,
            context=self._found("context_length"),
        )

    def warm_up(self) -> bool:
        """One call that is not counted, with a question that any model answers; whether an answer came."""
        question = self.chat(Input(messages=[{"role": "user", "content": PROBES[0]}]))
        return isinstance(fetch(self.client, self.target, question)[1], Fetched)

    def ask(self, claim: Claim) -> Ending:
        """Put the claimed row's question, with retries; what comes of it."""
        asking = _Asking(self, claim)
        try:
            result = fetch_with_retries(
                self.client,
                self.target,
                self.chat(claim.item),
                policy=PROBE if claim.is_probe else POLICY,
                sleep=asking.wait,
                on_attempt=asking.note,
                rng=self.rng,
            )
            ending = asking.settle(result)
        except LongWait as wait:
            return asking.put_off(wait.seconds)
        except Halted:
            return asking.put_off(0.0)
        except Error:
            raise
        except Exception as error:  # one odd answer must not end the thread that serves all the others
            if self.halt.is_set():
                return asking.put_off(0.0)  # stopped: the client was closed under a call that nobody waits for
            self.faults.stop_at_last(error, system_id=self.system.pk, what=f"fetching completion {claim.completion}")
            return asking.fail("internal", OUR_FAULT)
        self.faults.forget()
        return ending


class _Asking:
    """One row being asked: its calls so far."""

    def __init__(self, asker: Asker, claim: Claim) -> None:
        self._asker, self._claim = asker, claim
        self._calls: list[Call] = []
        self._rests = claim.is_probe

    def note(self, attempt: Attempt) -> None:
        """A call has ended: what it says about the server as a whole is written down at once."""
        sent = timezone.now() - timedelta(milliseconds=attempt.offsets.end or 0.0)
        self._calls.append(Call(at=sent, attempt=attempt))
        system, kind = self._system, attempt.failure_kind
        if kind == "rate":
            self._asker.good = 0
            self._save(lambda: trouble.lower(system_id=system))
        elif kind and KINDS[kind].trips_circuit:
            self._rests = self._save(
                lambda: trouble.note_failure(system_id=system, kind=kind, sentence=attempt.sentence)
            )

    def wait(self, seconds: float) -> None:
        """Before the next call. Raises LongWait or Halted."""
        if self._rests or seconds > SHORT_WAIT_SECONDS:
            raise LongWait(seconds)
        if self._asker.halt.wait(seconds):
            raise Halted

    def settle(self, result: FetchResult) -> Ending:
        """An answer is stored; a failure is final, or stops the system, or the row waits for a better time."""
        if result.fetched is not None:
            self._recover()
            return finishing.answered(
                claim=self._claim,
                place=self._asker.place,
                fetched=result.fetched,
                calls=self._calls,
                user_ms=result.user_ms + self._waited_before(),
            )
        if result.stops_system:
            self._save(lambda: trouble.stop(system_id=self._system, kind=result.kind, sentence=result.sentence))
        elif result.trips_circuit and self._rests:
            return self.put_off(0.0)
        elif result.kind in {"busy", "rate", "unreachable"}:
            return self.put_off(
                self._asker.rng.uniform(SHORTEST_PUT_OFF_SECONDS, SHORT_WAIT_SECONDS * len(self._calls))
            )
        return self.fail(result.kind, result.sentence, result.user_ms)

    def put_off(self, seconds: float) -> Ending:
        """Back in line, unless this row has used up its calls while its server answers others."""
        last = self._calls[-1].attempt if self._calls else None
        if last and last.failure_kind and not self._asker.halt.is_set() and self._used_up():
            ending = self._once_more() if self._rests else self._give_up(last)
            if ending is not None:
                return ending
        if last and last.failure_kind == "rate":
            self._save(lambda: trouble.rest_for(system_id=self._system, seconds=seconds, sentence=last.sentence))
        return finishing.put_off(
            claim=self._claim, seconds=seconds, sentence=last.sentence if last else "", calls=self._calls
        )

    def fail(self, kind: str, sentence: str, user_ms: float | None = None) -> Ending:
        """For good."""
        return finishing.failed(claim=self._claim, kind=kind, sentence=sentence, calls=self._calls, user_ms=user_ms)

    @property
    def _system(self) -> int:
        return self._asker.system.pk

    def _waited_before(self) -> float:
        """Milliseconds from the row's first call to this claim's, where it waited in line between the two."""
        if not self._claim.calls or not self._calls:
            return 0.0
        return max(0.0, (self._calls[0].at - self._claim.began).total_seconds() * 1000)

    def _recover(self) -> None:
        """The server is well: whatever was in its way is lifted, at once or step by step."""
        asker, claim = self._asker, self._claim
        asker.good += 1
        if claim.troubled or self._rests or len(self._calls) > 1:
            self._save(lambda: trouble.note_answer(system_id=self._system))
        if claim.lowered and asker.good % trouble.RAISE_AFTER == 0:
            self._save(lambda: trouble.raise_again(system_id=self._system))

    def _give_up(self, last: Attempt) -> Ending:
        """A rate limit that never lets this row through will not let the others through either."""
        if last.failure_kind == "rate":
            self._save(lambda: trouble.stop(system_id=self._system, kind="rate", sentence=last.sentence))
        return self.fail(last.failure_kind, for_good(last.sentence, self._claim.calls + len(self._calls)))

    def _once_more(self) -> Ending | None:
        """For a row that has had all its calls from a server that seems away: is it the server, or this row alone?

        A server that answers another question may just have come back, so the row's own is put to it once more.
        """
        asker = self._asker
        if not asker.warm_up():
            return None
        self._save(lambda: trouble.note_answer(system_id=self._system))
        chat = asker.chat(self._claim.item)
        result = fetch_with_retries(asker.client, asker.target, chat, policy=PROBE, on_attempt=self.note)
        if result.fetched is not None:
            return self.settle(result)
        return self._give_up(self._calls[-1].attempt)

    def _used_up(self) -> bool:
        with database_turn():
            return finishing.calls_since(self._claim) + len(self._calls) >= CALLS_A_ROUND

    def _save(self, work: Callable[[], Result]) -> Result:
        return patiently(work, seconds=SAVE_WITHIN_SECONDS)
