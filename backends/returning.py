"""The envelope of a closed experiment, written as it was elsewhere: systems, their answers, what was measured."""

from collections.abc import Iterable, Mapping
from itertools import islice

from backends.models import Completion, LoadRun, Outcome, State, System
from experiments.models import Arm, Experiment
from experiments.returning import BATCH, OutputKeys, known
from experiments.typed_records import Record


def add_returned_systems(experiment: Experiment, records: Iterable[Record]) -> dict[str, Arm]:
    """The systems as recorded ones, each with an arm of the code it had; the arms by name."""
    arms: dict[str, Arm] = {}
    for record in records:
        name = record.text("name", longest=120)
        if name in arms:
            record.wrong(f"{name!r} is there twice.")
        arms[name] = Arm.objects.create(experiment=experiment, code=record.text("arm", longest=12))
        System.objects.create(
            arm=arms[name],
            name=name,
            model_id=record.text("model", longest=300),
            system_prompt=record.text("system_prompt"),
            parameters=record.mapping("parameters"),
            facts=record.mapping("facts"),
            cost=record.mapping("cost"),
            concurrency=record.whole("concurrency", least=1),
            samples=record.whole("samples", least=1),
        )
    return arms


def add_returned_completions(experiment: Experiment, records: Iterable[Record], outputs: OutputKeys) -> None:
    """Every fetched answer; the first one to an input belongs to the output of the same input and system."""
    systems = _systems(experiment)
    items = dict(experiment.inputs.values_list("external_id", "pk"))
    rows = iter(records)
    while batch := list(islice(rows, BATCH)):
        Completion.objects.bulk_create(_completion(record, systems, items, outputs) for record in batch)


def add_returned_load_runs(experiment: Experiment, records: Iterable[Record]) -> None:
    """Every throughput measurement."""
    systems = _systems(experiment)
    LoadRun.objects.bulk_create(
        LoadRun(
            system=known(record, "system", systems),
            at=record.moment("at"),
            concurrency=record.whole("concurrency", least=1),
            requests=record.whole("requests"),
            failed=record.whole("failed"),
            seconds=record.number("seconds"),
            throughput=record.number("throughput"),
            quantiles=record.mapping("quantiles"),
        )
        for record in records
    )


def _systems(experiment: Experiment) -> dict[str, System]:
    return {system.name: system for system in System.objects.filter(arm__experiment=experiment)}


def _completion(
    record: Record, systems: Mapping[str, System], items: Mapping[str, int], outputs: OutputKeys
) -> Completion:
    state = record.one_of("state", [State.DONE, State.FAILED])
    sample = record.whole("sample")
    system, item = known(record, "system", systems), known(record, "input", items)
    output = None
    if state == State.DONE and sample == 0:
        output = outputs.get((record.values["input"], system.name))
        if output is None:
            record.wrong("this answer has no output.")
    return Completion(
        system=system,
        input_id=item,
        sample=sample,
        state=state,
        output_id=output,
        outcome=record.one_of("outcome", Outcome.values) if state == State.DONE else None,
        attempts=record.whole("attempts"),
        raw_text=record.text("raw_text"),
        usage=_usage(record),
        ttft_ms=record.number_or_none("ttft_ms"),
        first_visible_ms=record.number_or_none("first_visible_ms"),
        latency_ms=record.number_or_none("latency_ms"),
        user_ms=record.number_or_none("user_ms"),
        cold=record.truth("cold"),
        failure_kind=record.text("failure_kind", longest=40),
        sentence=record.text("sentence", longest=1000),
        started_at=record.moment_or_none("started_at"),
        finished_at=record.moment_or_none("finished_at"),
    )


def _usage(record: Record) -> dict[str, int | None]:
    usage = record.part("usage")
    return {name: usage.whole_or_none(name) for name in usage.values}
