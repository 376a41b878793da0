"""The regression check: the next version against the system in use, on inputs that were sealed and judged before."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from django.db import transaction

from accounts.actions import log
from accounts.models import User
from backends.actions import add_system
from backends.endpoints import endpoint_called
from backends.queries import arms_by_name
from backends.reusing import Settings, add_recorded_again, recorded_answers, settings_of
from backends.sealing import commitment
from console.actions import WrongStatus
from experiments import actions as blind
from experiments.actions import NewCriterion, NewInput, free_slug
from experiments.models import Experiment, Status
from experiments.refusals import Refused
from experiments.sealing import PROTOCOL, changes
from reports import assumptions, report
from reports.models import Assumptions

BY_TOKENS = ("input_per_million", "output_per_million")


class CannotFollow(Refused):
    """A regression check that cannot be as it was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The new version: NAME=MODEL@ENDPOINT; `parameters` and `system_prompt` replace those of the old candidate."""

    name: str
    model: str
    endpoint: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    system_prompt: str | None = None

    @classmethod
    def read(cls, text: str) -> "Candidate":
        """NAME=MODEL@ENDPOINT; a model's name may hold an @, an endpoint's not. Raises CannotFollow."""
        name, _, rest = (part.strip() for part in text.partition("="))
        model, _, endpoint = (part.strip() for part in rest.rpartition("@"))
        if not (name and model and endpoint):
            raise CannotFollow(f"--candidate {text!r}: write NAME=MODEL@ENDPOINT, such as next=qwen3-8b@local.")
        if len(name) > 80 or len(model) > 300:
            raise CannotFollow(f"--candidate {text[:40]!r}…: a name has at most 80 characters, a model 300.")
        return cls(name=name, model=model, endpoint=endpoint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """The new draft; `accepted` is the system whose stored answers it holds, `like` the one whose settings it took."""

    experiment: Experiment
    accepted: str
    like: str
    why: str
    warnings: tuple[str, ...] = ()


def parameter(text: str) -> tuple[str, Any]:
    """KEY=VALUE, the value as JSON where it is JSON, else as text; nothing after the sign removes it (None)."""
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise CannotFollow(f"--parameter {text!r}: write KEY=VALUE, such as temperature=0.2.")
    try:
        return key.strip(), json.loads(value) if value.strip() else None
    except ValueError:
        return key.strip(), value


def follow(
    *,
    source: Experiment,
    candidate: Candidate,
    accepted: str | None = None,
    like: str | None = None,
    title: str = "",
    owners: Sequence[User] | None = None,
    by: User | None = None,
) -> Followed:
    """A draft on the sealed inputs of a closed experiment: the accepted system's stored answers against the candidate.

    `accepted`: the baseline unless named. `like`: whose settings the candidate takes; see `_like`. `owners`: those of
    the source unless given. Raises WrongStatus, CannotFollow, NoSuchEndpoint, CannotAdd.
    """
    _check_source(source)
    settings = settings_of(source)
    accepted, why = _accepted(source, settings, accepted)
    if candidate.name == accepted:
        raise CannotFollow(f"the accepted system is called {accepted!r}: give the candidate another name.")
    endpoint_called(candidate.endpoint)
    old = settings[_like(source, settings, accepted, like)]
    names = [word for word in (accepted, settings[accepted].model_id, candidate.name, candidate.model) if word]
    answers = recorded_answers(source, accepted, names=names)
    report.current(source)  # kept, so that the next report can say how the series went
    with transaction.atomic():
        experiment = _draft(source, title or f"{source.title}: {candidate.name}", owners)
        experiment.baseline = add_recorded_again(source=source, name=accepted, experiment=experiment, answers=answers)
        experiment.save(update_fields=["baseline"])
        _add_candidate(experiment, candidate, old)
        _assume_again(source, experiment, accepted, by)
        log(by, "added", f"experiment {experiment.slug}", follows=source.slug, inputs=experiment.inputs.count())
    missing = experiment.inputs.count() - len(answers)
    return Followed(
        experiment=experiment, accepted=accepted, like=old.name, why=why, warnings=_warnings(missing, old, candidate)
    )


def _check_source(source: Experiment) -> None:
    if source.status != Status.CLOSED:
        raise WrongStatus(f"{source.slug} is {source.status}, not closed: a regression check follows a closed one.")
    broken = changes(source, commitment=commitment(source)) if source.sealed else []
    if broken:
        raise CannotFollow(f"the seal of {source.slug} is broken, nothing can be built on it. {' '.join(broken)}")


def _accepted(source: Experiment, settings: Mapping[str, Settings], named: str | None) -> tuple[str, str]:
    if named is not None:
        return _known(named, settings, source, "--accepted"), "as named"
    baseline = next((name for name, arm in arms_by_name(source).items() if arm.pk == source.baseline_id), None)
    if baseline is None:
        raise CannotFollow(
            f"{source.slug} has no baseline: say which system is in use with --accepted, "
            f"one of {', '.join(sorted(settings))}."
        )
    return baseline, f"the baseline of {source.slug}; name another with --accepted"


def _like(source: Experiment, settings: Mapping[str, Settings], accepted: str, named: str | None) -> str:
    """Whose settings the candidate takes: the system named, an accepted candidate, or the one candidate there was."""
    if named is not None:
        return _known(named, settings, source, "--like")
    baseline = {name for name, arm in arms_by_name(source).items() if arm.pk == source.baseline_id}
    candidates = sorted(settings.keys() - baseline)
    if accepted in candidates:
        return accepted
    if len(candidates) > 1:
        raise CannotFollow(
            f"{source.slug} had several candidates: say whose settings the new one takes with --like, "
            f"one of {', '.join(candidates)}."
        )
    return candidates[0]


def _known(name: str, settings: Mapping[str, Settings], source: Experiment, option: str) -> str:
    if name in settings:
        return name
    near = get_close_matches(name, list(settings), n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"They are: {', '.join(sorted(settings))}."
    raise CannotFollow(f"{option} {name!r} is no system of {source.slug}. {hint}")


def _draft(source: Experiment, title: str, owners: Sequence[User] | None) -> Experiment:
    rules = {name: getattr(source, name) for name in (*PROTOCOL, "retention_days", "personal_data")}
    title = title[:200]
    experiment = blind.add_experiment(
        fields={**rules, "title": title, "slug": free_slug(title), "follows": source},
        inputs=[
            NewInput(
                external_id=one.external_id,
                messages=one.messages,
                tags=one.tags,
                reference=one.reference,
                personal=one.personal,
            )
            for one in source.inputs.order_by("position")
        ],
        criteria=[
            NewCriterion(name=one.name, description=one.description) for one in source.criteria.order_by("position")
        ],
        owners=source.owners.all() if owners is None else owners,
    )
    _keep_positions(source, experiment)
    return experiment


def _keep_positions(source: Experiment, experiment: Experiment) -> None:
    """Inputs numbered as they were, so that the seal's hash of the inputs is the same again."""
    places = dict(source.inputs.order_by("position").values_list("external_id", "position"))
    if list(places.values()) == list(range(1, len(places) + 1)):
        return
    items = list(experiment.inputs.order_by("-position"))
    for item in items:  # numbers only grow, the highest first: no two are ever the same
        item.position = places[item.external_id]
        item.save(update_fields=["position"])


def _add_candidate(experiment: Experiment, candidate: Candidate, old: Settings) -> None:
    endpoint = endpoint_called(candidate.endpoint)
    parameters = {**old.parameters, **candidate.parameters}
    add_system(
        experiment=experiment,
        name=candidate.name,
        endpoint=endpoint,
        model_id=candidate.model,
        system_prompt=old.system_prompt if candidate.system_prompt is None else candidate.system_prompt,
        parameters={name: value for name, value in parameters.items() if value is not None},
        concurrency=min(old.concurrency, endpoint.max_concurrency),
        samples=old.samples,
        cost=old.cost if _same_price(old, candidate) else {},
    )


def _same_price(old: Settings, candidate: Candidate) -> bool:
    """A machine costs the same whatever runs on it; a price by the token belongs to its model."""
    return candidate.model == old.model_id or not any(name in old.cost for name in BY_TOKENS)


def _assume_again(source: Experiment, experiment: Experiment, accepted: str, by: User | None) -> None:
    """The volume and the costs that were assumed last, of the accepted system too."""
    values = assumptions.current(source)
    if not values:
        return
    was, now = arms_by_name(source)[accepted].code, arms_by_name(experiment)[accepted].code
    systems = values.pop("systems", {})
    if was in systems:
        values["systems"] = {now: systems[was]}
    Assumptions.objects.create(experiment=experiment, values=values, stated_by=by)


def _warnings(missing: int, old: Settings, candidate: Candidate) -> tuple[str, ...]:
    found = []
    if missing:
        found.append(f"{missing} inputs have no stored answer of the accepted system and count as missing.")
    if not _same_price(old, candidate):
        found.append(f"{old.name} is paid by the token: state what {candidate.model} costs on the report.")
    return tuple(found)
