"""Answers that were recorded: taken along when an input changes its place, and masked with the inputs."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from django.db import transaction

from backends.actions import RecordedAnswer, store_recorded
from backends.models import Completion, State, System
from backends.queries import telling_names
from backends.queueing import add_missing_rows
from experiments.actions import prepare_output, prompt_of, store_prepared
from experiments.models import Experiment, Input, Status

KEPT = ("text", "outcome", "latency_ms", "ttft_ms", "input_tokens", "output_tokens")


def as_json(answer: RecordedAnswer) -> dict[str, Any]:
    """What is kept of an answer with a spare."""
    return {name: value for name, value in asdict(answer).items() if name in KEPT and value is not None}


def at_hand(item: Input) -> dict[str, dict[str, Any]]:
    """The recorded answers to an input, by system, as `as_json` has them."""
    rows = Completion.objects.filter(input=item, sample=0, state=State.DONE, system__endpoint__isnull=True)
    return {
        row.system.name: as_json(
            RecordedAnswer(
                text=row.raw_text,
                outcome=str(row.outcome),
                latency_ms=row.latency_ms,
                ttft_ms=row.ttft_ms,
                input_tokens=row.usage.get("input"),
                output_tokens=row.usage.get("output"),
            )
        )
        for row in rows.select_related("system")
    }


def take_along(item: Input, outputs: Mapping[str, Mapping[str, Any]]) -> None:
    """Store the recorded answers to a new input, and have it asked where the others are being asked."""
    experiment = item.experiment
    names = telling_names(experiment.pk)
    recorded = System.objects.filter(arm__experiment=experiment, endpoint__isnull=True).select_related("arm")
    for system in recorded.order_by("pk"):
        if system.name not in outputs:
            continue
        given = outputs[system.name]
        outcome = "complete" if given.get("outcome") == "empty" else given.get("outcome", "complete")
        answer = RecordedAnswer(**{**given, "outcome": outcome})
        prepared = prepare_output(answer.text, answer.outcome, names, prompt_of(item))
        store_recorded(system, [(item, answer, prepared)])
    if experiment.status == Status.COLLECTING:
        add_missing_rows(experiment)


@transaction.atomic
def rewrite(experiment: Experiment, change: Callable[[str], str]) -> int:
    """Change the texts of recorded answers and make them ready for raters anew; how many were changed."""
    rows = Completion.objects.filter(
        system__arm__experiment=experiment, system__endpoint__isnull=True, state=State.DONE, sample=0
    )
    names, count = telling_names(experiment.pk), 0
    for row in rows.select_related("output__input", "system__arm"):
        changed = change(row.raw_text)
        if row.output is None or changed == row.raw_text:
            continue
        row.raw_text = changed
        row.save(update_fields=["raw_text"])
        item = row.output.input
        prepared = prepare_output(changed, str(row.outcome), names, prompt_of(item))
        store_prepared(item=item, arm=row.system.arm, prepared=prepared)
        count += 1
    return count
