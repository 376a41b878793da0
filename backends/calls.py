"""What an owner may read about the calls behind answers that failed for good: the last one of each kind of failure."""

import json
from dataclasses import dataclass

from django.db.models import F

from backends.models import Attempt, State
from experiments.models import Experiment

MOST_READ, LONGEST_TAIL = 200, 1_000
Failing = tuple[str, str, str]  # system, kind, sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class LastCall:
    """One call; times in ms from sending. `sent` is the request without its messages, `told` a line a header."""

    calls: int
    status: int | None
    times: dict[str, int]
    sent: str
    told: list[str]
    tail: str


def last_calls(experiment: Experiment) -> dict[Failing, LastCall]:
    """By system, kind and sentence, the last call of one answer that failed so: one query."""
    rows = Attempt.objects.filter(
        completion__system__arm__experiment=experiment,
        completion__state=State.FAILED,
        number=F("completion__attempts"),
    ).select_related("completion__system")
    found: dict[Failing, LastCall] = {}
    for row in rows.order_by("completion__input__position", "completion__sample", "pk")[:MOST_READ]:
        failed = row.completion
        found.setdefault((failed.system.name, failed.failure_kind, failed.sentence), _card(row))
    return found


def _card(row: Attempt) -> LastCall:
    times = {
        "waited": row.wait_ms or None,
        "connected": row.connect_ms,
        "headers": row.headers_ms,
        "first token": row.first_token_ms,
        "end": row.end_ms,
    }
    return LastCall(
        calls=row.number,
        status=row.status,
        times={name: round(value) for name, value in times.items() if value is not None},
        sent=json.dumps(row.sent, ensure_ascii=False),
        told=[f"{name}: {value}" for name, value in row.told.items()],
        tail=row.raw_tail[:LONGEST_TAIL],
    )
