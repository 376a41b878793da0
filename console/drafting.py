"""How an experiment is put together page by page: each step is saved in the draft at once, until the seal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from accounts import actions as accounts
from accounts.actions import OneTimeLink, log, owner_called
from accounts.models import User
from backends.actions import RecordedAnswer, add_system, prepare_recorded
from backends.editing import Edited, edit_system
from backends.listing import endpoint_with
from backends.queries import arms_by_name
from backends.queries import names as system_names
from backends.recordings import as_json
from experiments import actions as blind
from experiments.actions import BEFORE_THE_SEAL, RETENTION_DAYS, NewCriterion, free_slug, prompt_of
from experiments.models import Arm, Criterion, Experiment, Input, Pairs, PersonalData
from experiments.personal_data import masks_of
from experiments.refusals import Refused
from experiments.spares import add_answers
from experiments.uploads import OutputUpload


class CannotChange(Refused):
    """A change that the experiment does not allow any more, or not yet."""


@dataclass(frozen=True, slots=True)
class Shared:
    """How the new owner comes in: by a `link`; as ever; or `waits` for a link of those who run the site."""

    link: OneTimeLink | None = None
    waits: bool = False


@transaction.atomic
def begin(*, fields: Mapping[str, Any], criteria: Sequence[NewCriterion], by: User) -> Experiment:
    """A draft with its question and nothing to answer yet; without a baseline everybody meets everybody."""
    named = {"retention_days": RETENTION_DAYS, **fields, "slug": free_slug(str(fields["title"])), "pairs": Pairs.ALL}
    experiment = blind.add_experiment(fields=named, inputs=[], criteria=criteria, owners=[by])
    log(by, "added", f"experiment {experiment.slug}")
    return experiment


@transaction.atomic
def change(
    *, experiment: Experiment, fields: Mapping[str, Any], criteria: Sequence[NewCriterion] | None, by: User
) -> Experiment:
    """Other columns, and other criteria unless None. Raises CannotChange from the seal on."""
    current = unsealed(experiment)
    for name, value in fields.items():
        setattr(current, name, value)
    current.save(update_fields=list(fields))
    if criteria is not None:
        current.criteria.all().delete()
        Criterion.objects.bulk_create(
            Criterion(experiment=current, position=position, name=one.name, description=one.description)
            for position, one in enumerate(criteria, start=1)
        )
    log(by, "changed the plan", f"experiment {current.slug}")
    return current


def add_asked_system(*, experiment: Experiment, endpoint: int, baseline: bool, by: User, **settings: Any) -> Arm:
    """A system that is asked at an endpoint; raises Refused where the settings do not fit."""
    found = endpoint_with(endpoint)
    if found is None:
        raise CannotChange("the endpoint is no longer there. Choose another.")
    return _added(experiment, by, baseline, endpoint=found, **settings)


def add_recorded_system(
    *, experiment: Experiment, upload: OutputUpload, baseline: bool, by: User, name: str, **settings: Any
) -> Arm:
    """A system whose answers are in a file; raises Refused on answers to inputs that are not there."""
    items = {item.external_id: prompt_of(item) for item in Input.objects.filter(experiment=experiment)}
    spares = set(experiment.spares.values_list("external_id", flat=True))
    unknown = [row for row in upload.rows if row.external_id not in items and row.external_id not in spares]
    if unknown:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        raise CannotChange(
            f"line {unknown[0].line}: an answer for {unknown[0].external_id!r}{more}, which is no input's id."
        )
    masks = masks_of(experiment) if experiment.personal_data == PersonalData.MASK else None
    answers = {
        row.external_id: RecordedAnswer(
            text=masks.masked(row.output) if masks else row.output,
            latency_ms=row.latency_ms,
            ttft_ms=row.ttft_ms,
            input_tokens=row.input_tokens,
            output_tokens=row.output_tokens,
        )
        for row in upload.rows
    }
    words = [word for word in (*system_names(experiment), name, str(settings.get("model_id", ""))) if word]
    recorded = prepare_recorded(
        {key: answer for key, answer in answers.items() if key in items}, prompts=items, names=words
    )
    with transaction.atomic():
        arm = _added(experiment, by, baseline, name=name, recorded=recorded, **settings)
        add_answers(experiment, name, {key: as_json(answer) for key, answer in answers.items() if key in spares})
        if masks:
            Experiment.objects.filter(pk=experiment.pk).update(masks=masks.state)
    return arm


@transaction.atomic
def change_system(*, experiment: Experiment, name: str, version: str, changes: Mapping[str, Any], by: User) -> Edited:
    """Other settings of a system, `endpoint` as the id of one; see `backends.editing`. Raises Refused."""
    current, wanted = unsealed(experiment), dict(changes)
    if "endpoint" in wanted:
        wanted["endpoint"] = endpoint_with(wanted["endpoint"])
        if wanted["endpoint"] is None:
            raise CannotChange("the endpoint is no longer there. Choose another.")
    edited = edit_system(experiment=current, name=name, version=version, changes=wanted)
    if edited.fields:
        log(by, "changed a system", f"experiment {current.slug}", settings=", ".join(edited.fields))
    return edited


@transaction.atomic
def remove_system(*, experiment: Experiment, name: str, by: User) -> None:
    """A system with its arm and answers; without a baseline everybody meets everybody. Raises CannotChange."""
    current = unsealed(experiment)
    arm = arms_by_name(current).get(name)
    if arm is None:
        raise CannotChange(f"the experiment has no system {name!r}.")
    was_baseline = current.baseline_id == arm.pk
    arm.delete()
    if was_baseline:
        current.baseline, current.pairs = None, Pairs.ALL
        current.save(update_fields=["baseline", "pairs"])
    log(by, "removed a system", f"experiment {current.slug}")


@transaction.atomic
def choose_baseline(*, experiment: Experiment, name: str, by: User, pairs: str = Pairs.BASELINE) -> None:
    """The system in use today, "" for none. Every candidate meets it, or with `pairs` "all" everybody everybody.

    Raises CannotChange.
    """
    current = unsealed(experiment)
    arm = arms_by_name(current).get(name)
    if name and arm is None:
        raise CannotChange(f"the experiment has no system {name!r}.")
    current.baseline, current.pairs = arm, Pairs(pairs) if arm else Pairs.ALL
    current.save(update_fields=["baseline", "pairs"])
    log(by, "chose the baseline", f"experiment {current.slug}")


@transaction.atomic
def share(*, experiment: Experiment, email: str, by: User) -> Shared:
    """Another owner, and a one-time link where that account has no password yet.

    Whoever holds such a link can become the account, so it is for those who run the site where the account holds what
    `by` does not see; and links that others were given before stop working.
    """
    user = owner_called(email, by=by)
    experiment.owners.add(user)
    log(by, "added an owner", f"experiment {experiment.slug}", owner=user.email)
    if user.has_usable_password():
        return Shared()
    accounts.withdraw_links(user.email, but_of=by)
    foreign = user.is_staff or Experiment.objects.for_owner(user).exclude(owners=by).exists()
    if foreign and not by.is_superuser:
        return Shared(waits=True)
    return Shared(link=accounts.invite(email=user.email, by=by))


@transaction.atomic
def unshare(*, experiment: Experiment, email: str, by: User) -> None:
    """An owner less; the last one stays. Raises CannotChange."""
    owners = list(Experiment.objects.select_for_update().get(pk=experiment.pk).owners.all())
    leaving = next((owner for owner in owners if owner.email == email), None)
    if leaving is None or len(owners) == 1:
        raise CannotChange("an experiment needs an owner: add another one first.")
    experiment.owners.remove(leaving)
    log(by, "removed an owner", f"experiment {experiment.slug}", owner=email)


def unsealed(experiment: Experiment) -> Experiment:
    """The experiment's row, locked; raises CannotChange from the seal on."""
    current = Experiment.objects.select_for_update().get(pk=experiment.pk)
    if current.status not in BEFORE_THE_SEAL:
        raise CannotChange("the experiment is sealed: this can no longer be changed.")
    return current


def _added(experiment: Experiment, by: User, baseline: bool, **settings: Any) -> Arm:
    arm = add_system(experiment=experiment, **settings)
    if baseline:
        choose_baseline(experiment=experiment, name=settings["name"], by=by)
    log(by, "added a system", f"experiment {experiment.slug}")
    return arm
