"""What is written about endpoints, systems and the collecting of their answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.utils import timezone

from backends import bell, checking, trouble
from backends.adapters.contract import Target
from backends.endpoints import keep_secret, policy
from backends.failures import KINDS
from backends.hosts import BadAddress
from backends.models import Completion, Endpoint, Outcome, State, System
from backends.naming import telling_names
from backends.parameters import problems
from backends.presets import UnknownPreset
from experiments.actions import BEFORE_THE_SEAL, PreparedOutput, add_arm, prepare_output, prompt_of, store_prepared
from experiments.models import Arm, Experiment, Input, Output, OutputState, Status
from experiments.refusals import Refused

CANCELLED = "cancelled"
CANCELLED_SENTENCE = "Collecting was cancelled before this answer came. Fetch it with collect --retry-failed."
STOPPING = ("rate", *(kind.name for kind in KINDS.values() if kind.stops_system))


class CannotAdd(Refused):
    """An endpoint or a system that cannot be as it was asked for."""


class NoSuchSystem(Refused):
    """The experiment has no system of this name."""


class TooLate(Refused):
    """Answers are only fetched before the opening of rating."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAnswer:
    """An answer that is at hand already; times in ms. `prepared`: see `prepare_recorded`."""

    text: str
    latency_ms: float | None = None
    ttft_ms: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    prepared: PreparedOutput | None = None


def prepare_recorded(
    answers: Mapping[str, RecordedAnswer], *, prompts: Mapping[str, str], names: Sequence[str]
) -> dict[str, RecordedAnswer]:
    """The same answers made ready for raters, so that `add_system` may run inside a transaction.

    `prompts`: what each input says, by its id; `names`: the words that give systems away.
    """
    return {
        key: replace(answer, prepared=prepare_output(answer.text, Outcome.COMPLETE, names, prompts.get(key, "")))
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
) -> Endpoint:
    """A server to ask; one of the same name and the same settings is used again.

    Raises CannotAdd where the name is taken by other settings (naming the fields) or the address cannot be used.
    """
    settings: dict[str, Any] = {
        "dialect": dialect,
        "preset": preset,
        "base_url": _checked(name, dialect, preset, base_url),
        "secret_env": secret_env,
        "headers": dict(headers or {}),
        "max_concurrency": max_concurrency,
    }
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
def edit_endpoint(*, endpoint: Endpoint, secret: str | None = None, **fields: Any) -> Endpoint:
    """Change an endpoint. Where its host changes, its key must be given again: it is never sent to another host.

    `secret`: None keeps the key, "" removes it. Raises CannotAdd.
    """
    before = Target.of(dialect=endpoint.dialect, preset=endpoint.preset, base_url=endpoint.base_url).base_url
    for field, value in fields.items():
        setattr(endpoint, field, value)
    endpoint.base_url = _checked(endpoint.name, endpoint.dialect, endpoint.preset, endpoint.base_url)
    after = Target.of(dialect=endpoint.dialect, preset=endpoint.preset, base_url=endpoint.base_url).base_url
    if secret is not None:
        keep_secret(endpoint, secret)
    elif endpoint.secret and _host(before) != _host(after):
        raise CannotAdd(f"endpoint {endpoint.name!r} gets another host: enter its key again.")
    endpoint.save()
    return endpoint


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
        _check_asked(name, endpoint, given, concurrency)
    ready = _all_prepared(experiment, name, model_id, recorded or {})
    with transaction.atomic():
        _before_the_seal(experiment)
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
        _store_recorded(experiment, system, ready)
    return system.arm


@transaction.atomic
def start_collecting(*, experiment: Experiment, retry_failed: bool = False) -> int:
    """Have every answer fetched that is missing, and go on where collecting was paused; how many rows wait now.

    Rows that failed because their system could not be asked at all wait again; all failed ones with `retry_failed`.
    Raises TooLate from the opening of rating on.
    """
    _before_the_seal(experiment)
    Experiment.objects.filter(pk=experiment.pk, status=Status.DRAFT).update(status=Status.COLLECTING)
    experiment.refresh_from_db(fields=["status"])
    _take_up(experiment, None, all_failed=retry_failed)
    asked = System.objects.filter(arm__experiment=experiment, endpoint__isnull=False)
    inputs = list(Input.objects.filter(experiment=experiment).order_by("position").values_list("pk", flat=True))
    for system in asked:
        _add_rows(system, inputs)
    bell.ring(experiment.pk)
    return Completion.objects.filter(system__in=asked, state=State.PENDING).count()


@transaction.atomic
def pause(*, experiment: Experiment, system_name: str | None = None, reason: str = "Paused by its owner.") -> int:
    """Ask nothing more; answers under way are still saved. How many systems were paused."""
    running = _systems(experiment, system_name).filter(paused_at__isnull=True, endpoint__isnull=False)
    count: int = running.update(paused_at=timezone.now(), pause_reason=reason[:500] or "Paused by its owner.")
    return count


@transaction.atomic
def resume(*, experiment: Experiment, system_name: str | None = None) -> int:
    """Go on asking, also where a key, a model or money stopped a system. How many rows wait now."""
    _before_the_seal(experiment)
    systems = _take_up(experiment, system_name, all_failed=False)
    bell.ring(experiment.pk)
    return Completion.objects.filter(system__in=systems, state=State.PENDING).count()


@transaction.atomic
def cancel(*, experiment: Experiment, system_name: str | None = None) -> int:
    """Give up every answer that is not there yet, those under way included; how many there were."""
    _before_the_seal(experiment)
    systems = _systems(experiment, system_name)
    left = Completion.objects.filter(system__in=systems, state__in=[State.PENDING, State.RUNNING])
    count: int = left.update(
        state=State.FAILED,
        failure_kind=CANCELLED,
        sentence=CANCELLED_SENTENCE,
        claim="",
        lease_until=None,
        not_before=None,
        finished_at=timezone.now(),
    )
    return count


@transaction.atomic
def fetch_again(
    *, experiment: Experiment, outcomes: Sequence[str], system_name: str | None = None, input_id: str | None = None
) -> int:
    """Ask again for answers that came but cannot be rated (truncated, refused, empty); how many. Raises TooLate."""
    _before_the_seal(experiment)
    rows = Completion.objects.filter(
        system__in=_systems(experiment, system_name).filter(endpoint__isnull=False),
        state=State.DONE,
        outcome__in=outcomes,
    )
    if input_id is not None:
        rows = rows.filter(input__external_id=input_id)
    outputs = [pk for pk in rows.values_list("output_id", flat=True) if pk is not None]
    count = _back_in_line(rows)
    Output.objects.filter(pk__in=outputs).delete()
    checking.forget(_systems(experiment, system_name).values_list("pk", flat=True), checking.AFTER)
    bell.ring(experiment.pk)
    return count


def _take_up(experiment: Experiment, system_name: str | None, *, all_failed: bool) -> list[int]:
    systems = list(_systems(experiment, system_name).values_list("pk", flat=True))
    trouble.forget(systems)
    failed = Completion.objects.filter(system__in=systems, state=State.FAILED)
    count = _back_in_line(failed if all_failed else failed.filter(failure_kind__in=STOPPING))
    checking.forget(systems, *([checking.AFTER] if count else []))
    return systems


def _back_in_line(rows: Any) -> int:
    """Rows that wait again as if they had never been asked, but for the record of their calls."""
    count: int = rows.update(
        state=State.PENDING,
        failure_kind="",
        sentence="",
        outcome=None,
        output=None,
        raw_text="",
        usage={},
        ttft_ms=None,
        first_visible_ms=None,
        latency_ms=None,
        user_ms=None,
        cold=False,
        not_before=None,
        started_at=None,
        finished_at=None,
    )
    return count


def _add_rows(system: System, inputs: Sequence[int]) -> None:
    there = set(system.completions.values_list("input_id", "sample"))
    wanted = [(item, sample) for sample in range(system.samples) for item in inputs]
    rows = [
        Completion(system=system, input_id=item, sample=sample)
        for item, sample in wanted
        if (item, sample) not in there
    ]
    if rows:
        Completion.objects.bulk_create(rows, batch_size=500)
        checking.forget([system.pk], checking.AFTER)


def _systems(experiment: Experiment, system_name: str | None) -> Any:
    found = System.objects.filter(arm__experiment=experiment)
    if system_name is None:
        return found
    named = found.filter(name=system_name)
    if not named.exists():
        there = ", ".join(found.order_by("name").values_list("name", flat=True)) or "none"
        raise NoSuchSystem(f"the experiment has no system {system_name!r}. It has: {there}.")
    return named


def _before_the_seal(experiment: Experiment) -> None:
    status = Experiment.objects.select_for_update().values_list("status", flat=True).get(pk=experiment.pk)
    if status not in BEFORE_THE_SEAL:
        raise TooLate("rating is open or over: answers are sealed and no more are fetched.")


def _check_asked(name: str, endpoint: Endpoint, parameters: Mapping[str, Any], concurrency: int) -> None:
    if concurrency > endpoint.max_concurrency:
        raise CannotAdd(
            f"system {name!r}: a concurrency of {concurrency} is more than the {endpoint.max_concurrency} calls "
            f"that endpoint {endpoint.name!r} takes at a time."
        )
    target = Target.of(dialect=endpoint.dialect, preset=endpoint.preset, base_url=endpoint.base_url)
    if wrong := problems(target.profile, parameters):
        raise CannotAdd(f"system {name!r}: {' '.join(wrong)}")


def _checked(name: str, dialect: str, preset: str, base_url: str) -> str:
    """The base address as given, without a trailing slash, if it can be used."""
    try:
        if dialect != "recorded":
            policy().check_base_url(Target.of(dialect=dialect, preset=preset, base_url=base_url).base_url)
    except (BadAddress, UnknownPreset) as error:
        raise CannotAdd(f"endpoint {name!r}: {error}") from error
    return base_url.rstrip("/")


def _host(url: str) -> str:
    return url.partition("//")[2].partition("/")[0].lower()


def _all_prepared(
    experiment: Experiment, name: str, model_id: str, recorded: Mapping[str, RecordedAnswer]
) -> dict[int, tuple[Input, RecordedAnswer, PreparedOutput]]:
    """By input, what is stored; rendered here where the caller did not, which is no work for a transaction."""
    items = Input.objects.filter(experiment=experiment, external_id__in=list(recorded)).order_by("position")
    words = (*telling_names(experiment.pk), name, model_id)
    ready = {}
    for item in items:
        answer = recorded[item.external_id]
        prepared = answer.prepared or prepare_output(
            answer.text, Outcome.COMPLETE, tuple(word for word in words if word), prompt_of(item)
        )
        ready[item.pk] = (item, answer, prepared)
    unknown = sorted(recorded.keys() - {item.external_id for item, _, _ in ready.values()})
    if unknown:
        raise CannotAdd(f"system {name!r}: a recorded answer is for {unknown[0]!r}, which is no input's id.")
    return ready


def _store_recorded(
    experiment: Experiment, system: System, ready: Mapping[int, tuple[Input, RecordedAnswer, PreparedOutput]]
) -> None:
    now = timezone.now()
    for item, answer, prepared in ready.values():
        empty = prepared.state == OutputState.EMPTY
        Completion.objects.create(
            system=system,
            input=item,
            state=State.DONE,
            outcome=Outcome.EMPTY if empty else Outcome.COMPLETE,
            output=store_prepared(item=item, arm=system.arm, prepared=prepared),
            raw_text=answer.text,
            usage=_usage(answer),
            ttft_ms=answer.ttft_ms,
            latency_ms=answer.latency_ms,
            user_ms=answer.latency_ms,
            finished_at=now,
        )


def _usage(answer: RecordedAnswer) -> dict[str, int]:
    given = {"input": answer.input_tokens, "output": answer.output_tokens}
    return {name: value for name, value in given.items() if value is not None}
