"""What is written about endpoints and systems; the collecting of their answers is started in `queueing`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils import timezone

from backends.adapters import is_recorded
from backends.adapters.contract import Target
from backends.deadlines import columns
from backends.deadlines import problems as deadlines_problems
from backends.encryption import is_current
from backends.endpoints import check_variable, host_of, keep_secret, policy, secret_of
from backends.hosts import BadAddress
from backends.models import Completion, Endpoint, Outcome, State, System
from backends.parameters import problems
from backends.presets import UnknownPreset
from backends.queries import telling_names
from backends.queueing import cancel, fetch_again, pause, refuse_after_the_seal, resume, start_collecting
from experiments.actions import PreparedOutput, add_arm, fields_of, prepare_output, prompt_of
from experiments.models import Arm, Experiment, Input, Output, OutputState
from experiments.refusals import Refused

__all__ = [
    "CannotAdd",
    "CannotRemove",
    "RecordedAnswer",
    "add_endpoint",
    "add_system",
    "cancel",
    "check_asked",
    "edit_endpoint",
    "fetch_again",
    "pause",
    "prepare_recorded",
    "remove_endpoint",
    "resume",
    "rotate_secrets",
    "start_collecting",
    "store_recorded",
]

NAMED = 3
AT_A_TIME = 200  # answers that are stored together


class CannotRemove(Refused):
    """An endpoint that is still in use."""


class CannotAdd(Refused):
    """An endpoint or a system that cannot be as it was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAnswer:
    """An answer that is at hand already; times in ms. `prepared`: see `prepare_recorded`.

    `outcome` is complete, truncated or refused, where whoever recorded it knows; an empty text is empty in any case.
    """

    text: str
    outcome: str = Outcome.COMPLETE
    latency_ms: float | None = None
    ttft_ms: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    prepared: PreparedOutput | None = None


Ready = tuple[Input, RecordedAnswer, PreparedOutput]


def prepare_recorded(
    answers: Mapping[str, RecordedAnswer], *, prompts: Mapping[str, str], names: Sequence[str]
) -> dict[str, RecordedAnswer]:
    """The same answers made ready for raters, so that `add_system` may run inside a transaction.

    `prompts`: what each input says, by its id; `names`: the words that give systems away.
    """
    return {
        key: replace(answer, prepared=prepare_output(answer.text, answer.outcome, names, prompts.get(key, "")))
        for key, answer in answers.items()
    }


@transaction.atomic
def add_endpoint(
    *,
    name: str,
    dialect: str,
    preset: str = "",
    base_url: str = "",
    secret: str = "",
    secret_env: str = "",
    headers: Mapping[str, str] | None = None,
    max_concurrency: int = 8,
    deadlines: Mapping[str, float | None] | None = None,
) -> Endpoint:
    """A server to ask; one of the same name and the same settings is used again. `deadlines` in seconds, by name.

    Raises CannotAdd where the name is taken by other settings (naming the fields) or the address cannot be used.
    """
    settings: dict[str, Any] = {
        "dialect": dialect,
        "preset": preset,
        "base_url": _checked(name, dialect, preset, base_url),
        "secret_env": secret_env,
        "headers": dict(headers or {}),
        "max_concurrency": max_concurrency,
        **_deadlines(name, deadlines or {}),
    }
    check_variable(secret_env)
    if secret and secret_env:
        raise CannotAdd(f"endpoint {name!r}: give the key, or the environment variable that holds it, not both.")
    known = Endpoint.objects.filter(name=name).first()
    if known is None:
        made = Endpoint.objects.create(name=name, **settings)
        keep_secret(made, secret)
        made.save(update_fields=["secret"])
        return made
    differing = [field for field, value in settings.items() if getattr(known, field) != value]
    if differing:
        was = ", ".join(f"{field} is {getattr(known, field)!r}" for field in differing)
        raise CannotAdd(f"endpoint {name!r} exists with other settings: {was}. Use them, or another name.")
    if secret:
        keep_secret(known, secret)
        known.save(update_fields=["secret"])
    return known


@transaction.atomic
def edit_endpoint(
    *,
    endpoint: Endpoint,
    secret: str | None = None,
    deadlines: Mapping[str, float | None] | None = None,
    **fields: Any,
) -> Endpoint:
    """Change an endpoint. Where its host changes, its key must be given again: it is never sent to another host.

    `secret`: None keeps the key, "" removes it; `deadlines`: None keeps them. Raises CannotAdd.
    """
    before = host_of(endpoint)
    fields |= {} if deadlines is None else _deadlines(endpoint.name, deadlines)
    for field, value in fields.items():
        setattr(endpoint, field, value)
    check_variable(endpoint.secret_env)
    endpoint.base_url = _checked(endpoint.name, endpoint.dialect, endpoint.preset, endpoint.base_url)
    if secret is not None:
        keep_secret(endpoint, secret)
    elif endpoint.secret and before != host_of(endpoint):
        raise CannotAdd(f"endpoint {endpoint.name!r} gets another host: enter its key again.")
    endpoint.save()
    return endpoint


@transaction.atomic
def remove_endpoint(*, pk: int) -> None:
    """Delete an endpoint with its key. Raises CannotRemove, naming the experiments, where a system still asks there."""
    endpoint = Endpoint.objects.select_for_update().filter(pk=pk).first()
    if endpoint is None:
        return
    titles = Experiment.objects.filter(pk__in=System.objects.filter(endpoint=endpoint).values("arm__experiment"))
    asking = list(titles.order_by("title").values_list("title", flat=True))
    if asking:
        named = ", ".join(f"“{title}”" for title in asking[:NAMED])
        more = f" and {len(asking) - NAMED} more" if len(asking) > NAMED else ""
        raise CannotRemove(
            f"endpoint {endpoint.name!r} cannot be deleted: systems of {named}{more} use it. "
            "Remove those systems, or delete their experiments, first."
        )
    endpoint.delete()


@transaction.atomic
def rotate_secrets() -> int:
    """Encrypt every stored key anew under the first key of the ring; how many were under another. Raises Unreadable."""
    old = [
        endpoint
        for endpoint in Endpoint.objects.select_for_update().exclude(secret="")
        if not is_current(endpoint.secret)
    ]
    for endpoint in old:
        keep_secret(endpoint, secret_of(endpoint))
        endpoint.save(update_fields=["secret"])
    return len(old)


def add_system(
    *,
    experiment: Experiment,
    name: str,
    endpoint: Endpoint | None = None,
    model_id: str = "",
    system_prompt: str = "",
    parameters: Mapping[str, Any] | None = None,
    concurrency: int = 1,
    samples: int = 1,
    cost: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
    recorded: Mapping[str, RecordedAnswer] | None = None,
) -> Arm:
    """A system and the anonymous arm that it plays. Recorded answers, by input id, are stored as done at once.

    An input without a recorded answer gets none. Raises CannotAdd, TooLate.
    """
    given = dict(parameters or {})
    if endpoint is None and recorded is None:
        raise CannotAdd(f"system {name!r} needs an endpoint to ask, or answers that are recorded.")
    if endpoint is not None and recorded is None:
        check_asked(name, endpoint, given, concurrency)
    ready = _made_ready(experiment, name, model_id, recorded or {})
    with transaction.atomic():
        refuse_after_the_seal(experiment)
        if System.objects.filter(arm__experiment=experiment, name=name).exists():
            raise CannotAdd(f"two systems of the experiment are called {name!r}.")
        system = System.objects.create(
            arm=add_arm(experiment=experiment),
            endpoint=endpoint if recorded is None else None,
            name=name,
            model_id=model_id,
            system_prompt=system_prompt,
            parameters=given,
            concurrency=concurrency,
            samples=samples,
            cost=dict(cost or {}),
            facts=dict(facts or {}),
        )
        store_recorded(system, ready)
    return system.arm


def store_recorded(system: System, ready: Iterable[Ready]) -> None:
    """Store recorded answers with the outputs made ready for raters, some at a time."""
    rest = iter(ready)
    while rows := list(islice(rest, AT_A_TIME)):
        outputs = Output.objects.bulk_create(
            Output(input=item, arm=system.arm, **fields_of(prepared)) for item, _, prepared in rows
        )
        Completion.objects.bulk_create(
            _recorded(system, output, answer, empty=prepared.state == OutputState.EMPTY)
            for (_, answer, prepared), output in zip(rows, outputs, strict=True)
        )


def check_asked(name: str, endpoint: Endpoint, parameters: Mapping[str, Any], concurrency: int) -> None:
    """Whether an endpoint can be asked with these settings. Raises CannotAdd, saying why not."""
    if is_recorded(endpoint.dialect):
        raise CannotAdd(
            f"system {name!r} needs recorded answers: endpoint {endpoint.name!r} is of the dialect 'recorded', "
            "which asks no server."
        )
    if concurrency > endpoint.max_concurrency:
        raise CannotAdd(
            f"system {name!r}: a concurrency of {concurrency} is more than the {endpoint.max_concurrency} calls "
            f"that endpoint {endpoint.name!r} takes at a time."
        )
    target = Target.of(dialect=endpoint.dialect, preset=endpoint.preset, base_url=endpoint.base_url)
    if wrong := problems(target.profile, parameters):
        raise CannotAdd(f"system {name!r}: {' '.join(wrong)}")


def _deadlines(name: str, given: Mapping[str, float | None]) -> dict[str, float | None]:
    if wrong := deadlines_problems(given):
        raise CannotAdd(f"endpoint {name!r}: {' '.join(wrong)}")
    return columns(given)


def _checked(name: str, dialect: str, preset: str, base_url: str) -> str:
    """The base address as given, without a trailing slash, if it can be used."""
    try:
        if dialect != "recorded":
            policy().check_base_url(Target.of(dialect=dialect, preset=preset, base_url=base_url).base_url)
    except (BadAddress, UnknownPreset) as error:
        raise CannotAdd(f"endpoint {name!r}: {error}") from error
    return base_url.rstrip("/")


def _made_ready(
    experiment: Experiment, name: str, model_id: str, recorded: Mapping[str, RecordedAnswer]
) -> Iterable[Ready]:
    """What is stored, in the order of the inputs; rendered here where the caller did not, which is no work for a
    transaction. What the caller made ready is taken up as it is stored, for it may lie in a file."""
    items = experiment.inputs.order_by("position").values_list("external_id", "pk")
    places = {external_id: pk for external_id, pk in items if external_id in recorded}
    unknown = sorted(recorded.keys() - places.keys())
    if unknown:
        raise CannotAdd(f"system {name!r}: a recorded answer is for {unknown[0]!r}, which is no input's id.")
    words = tuple(word for word in (*telling_names(experiment.pk), name, model_id) if word)
    ready = _each_ready(places, recorded, words)
    return ready if all(answer.prepared for answer in recorded.values()) else list(ready)


def _each_ready(
    places: Mapping[str, int], recorded: Mapping[str, RecordedAnswer], words: Sequence[str]
) -> Iterator[Ready]:
    rest = iter(places.values())
    while some := list(islice(rest, AT_A_TIME)):
        for item in Input.objects.filter(pk__in=some).order_by("position"):
            answer = recorded[item.external_id]
            yield item, answer, answer.prepared or prepare_output(answer.text, answer.outcome, words, prompt_of(item))


def _recorded(system: System, output: Output, answer: RecordedAnswer, *, empty: bool) -> Completion:
    return Completion(
        system=system,
        input_id=output.input_id,
        state=State.DONE,
        outcome=Outcome.EMPTY if empty else answer.outcome,
        output=output,
        raw_text=answer.text,
        usage=_usage(answer),
        ttft_ms=answer.ttft_ms,
        latency_ms=answer.latency_ms,
        user_ms=answer.latency_ms,
        finished_at=timezone.now(),
    )


def _usage(answer: RecordedAnswer) -> dict[str, int]:
    given = {"input": answer.input_tokens, "output": answer.output_tokens}
    return {name: value for name, value in given.items() if value is not None}
