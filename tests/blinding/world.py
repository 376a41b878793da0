"""Experiments whose every hidden column holds something rare, alone or beside another one that is hidden altogether."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import Model
from django.test import Client

from accounts.models import Event, Invitation, Try, User
from backends.models import Attempt, Completion, Endpoint, LoadRun, System
from experiments.models import Arm, Criterion, Experiment, Input, Mapping, Output, Spare, Staged, StagedPart
from ratings.actions import make_comparisons
from ratings.links import invite
from ratings.models import Assignment, Comparison, CriterionVerdict, Guess, Judgment, Rater
from reports.models import Assumptions, Benchmark, Result
from tests.blinding.canaries import canaries_of, plant, tables
from tests.factories import NOW, a_user

OWNER = "owner-of-canaries@example.org"
FIRST_KEY = 918_273_645_000_001  # far from what a database counts up to by itself
HELD_BACK = 900  # the position of the first input whose answers nobody may see
FAR = datetime(2099, 7, 3, 3, 14, 15, 926535, tzinfo=UTC)


class Keys:
    """Primary keys that stand nowhere else, the same in every run."""

    def __init__(self, first: int) -> None:
        self.numbers = count(first)

    def add(self, model: type[Model], **fields: Any) -> Any:
        """A row under the next key."""
        return model._base_manager.create(pk=next(self.numbers), **fields)

    def renumber(self, model: type[Model], **where: Any) -> None:
        """Give rows that the product made the next keys, in their order."""
        rows = list(model._base_manager.filter(**where).order_by("pk"))
        model._base_manager.filter(**where).delete()
        for row in rows:
            row.pk = next(self.numbers)
        model._base_manager.bulk_create(rows)


# --- one experiment --------------------------------------------------------------------------------------------------


def a_world(*, arms: int = 2, inputs: int = 4, owner: User | None = None, number: int = 0, **fields: Any) -> Experiment:
    """An experiment open for rating; the same fields make the same draws in every run.

    `number` tells several of them apart: it is in keys and names.
    """
    keys = Keys(FIRST_KEY + number * 10_000_000)
    # What differs has another salt too: by it the product knows one experiment's pairs from another's.
    salt = hashlib.sha256(repr((arms, inputs, number, sorted(fields.items()))).encode()).hexdigest()
    defaults = {"slug": f"slug-of-quillfeather-{number}", "title": "Title of the Quillfeather study", "draw_salt": salt}
    experiment = _experiment(keys, inputs, **(defaults | fields))
    experiment.owners.add(owner or User.objects.filter(email=OWNER).first() or a_user(OWNER, name="Dr. Ada Byron"))
    systems = [_system(keys, experiment, one) for one in range(10 * number + 1, 10 * number + arms + 1)]
    experiment.baseline = systems[0].arm
    experiment.status, experiment.sealed_at, experiment.seal = "rating", NOW, "5ea1" * 16
    experiment.save()
    make_comparisons(experiment=experiment)
    keys.renumber(Comparison, input__experiment=experiment)
    return experiment


def _experiment(keys: Keys, inputs: int, request: str = "Question number {}?", **fields: Any) -> Experiment:
    defaults = {"question": "Which answer is better?", "margin": 0.0837465}
    experiment: Experiment = keys.add(Experiment, **(defaults | fields))
    for number in range(1, inputs + 1):
        keys.add(
            Input,
            experiment=experiment,
            position=number,
            external_id=f"zyxinput-{experiment.pk}-{number}",
            messages=[{"role": "user", "content": request.format(number)}],
        )
    return experiment


def _system(keys: Keys, experiment: Experiment, number: int) -> System:
    arm = keys.add(Arm, experiment=experiment, code=f"zyxarm{number:06d}")
    own_key = {"secret": f"v1:secret-of-zyxomatic-{number}"} if number % 2 else {"secret_env": f"ZYX_KEY_{number}"}
    endpoint = keys.add(
        Endpoint,
        name=f"vault-of-zyxomatic-{number}",
        dialect="openai",
        base_url=f"https://zyx{number}.quillfeather.example/v1",
        headers={"x-zyx": f"header-of-quillfeather-{number}"},
        **own_key,
    )
    system: System = keys.add(
        System,
        arm=arm,
        endpoint=endpoint,
        name=f"Zyxomatic-{number}-Quillfeather",
        model_id=f"quillfeather/zyx-{number}b-instruct-awq",
        system_prompt=f"You are the zyxomatic oracle {number}.",
        parameters={"temperature": 0.8374651 + number},
        cost={"input_per_million": 13.579241 + number, "price_source": "model-quillfeather-vs-mine.csv"},
    )
    for item in experiment.inputs.all():
        # Alike in length and kind, so that nothing but the letters differs between arms.
        text = f"Response {'abcdefghij'[number % 10] * 3} to {item.position:>6}, in a few words."
        output = keys.add(Output, input=item, arm=arm, text=text, html=f"<p>{text}</p>")
        _completion(keys, system, item, output)
    return system


def _completion(keys: Keys, system: System, item: Input, output: Output) -> Completion:
    done: Completion = keys.add(
        Completion,
        system=system,
        input=item,
        state="done",
        outcome="complete",
        output=output,
        raw_text=f"raw zyxomatic thoughts of {output.pk}",
        latency_ms=98765.4321 + item.position,
        usage={"output": 7_654_321 + item.position},
        sentence=f"zyxomatic-request-id-{output.pk}",
        finished_at=datetime(2026, 11, 1, 3, 14, 15, 926535, tzinfo=UTC),
    )
    return done


# --- and all the rest of the database --------------------------------------------------------------------------------


def a_crowded_world(**fields: Any) -> Experiment:
    """A world with neighbours: another rater's work, and another owner's closed experiment; rare in every column."""
    experiment = a_world(**fields)
    keys = Keys(FIRST_KEY + 500_000)
    stranger = keys.add(User, email="stranger@quillfeather.example", name="Zyxomatic Quillfeather", password="zyx" * 12)
    other = _experiment(
        keys,
        2,
        "What would the neighbour ask, number {}?",
        slug="slug-of-the-neighbouring-study",
        title="Title of the neighbouring study",
        question="Which zyxomatic answer would the neighbour take?",
        instructions="Look for the neighbouring quillfeather.",
        status="closed",
        sealed_at=NOW,
        seal="a1b2c3d4" * 8,
        closed_at=NOW,
        draw_salt="77aa66bb" * 8,
    )
    other.owners.add(stranger)
    system, _ = _system(keys, other, 8), _system(keys, other, 9)
    _held_back(keys, experiment)
    _trouble(keys, system)
    _work_of_others(keys, experiment)
    _paperwork(keys, other, stranger)
    for model in set(tables()) - {Event}:
        for number, row in enumerate(model._base_manager.order_by("pk")):
            plant(row, number, but=_leave_alone(row, experiment))
    return experiment


def _held_back(keys: Keys, experiment: Experiment) -> None:
    """Inputs whose answers no rater may see: withheld, and flagged without a decision."""
    withheld = {"state": "withheld", "decision": "withheld", "decided_at": NOW}
    for position, fields in ((HELD_BACK, withheld), (HELD_BACK + 1, {"state": "flagged"})):
        item = keys.add(
            Input,
            experiment=experiment,
            position=position,
            external_id=f"zyx-held-back-{position}",
            messages=[{"role": "user", "content": f"Question of the held back {position}?"}],
        )
        text = f"An answer that was held back: zyxomatic {position}."
        keys.add(Output, input=item, arm=experiment.baseline, text=text, html=f"<p>{text}</p>", **fields)


def _trouble(keys: Keys, system: System) -> None:
    item = system.arm.experiment.inputs.get(position=1)
    failed = keys.add(
        Completion,
        system=system,
        input=item,
        sample=1,
        state="failed",
        failure_kind="zyx_refused_the_key",
        sentence="The zyxomatic server refused the key.",
    )
    keys.add(Attempt, completion=failed, number=1)
    keys.add(
        LoadRun, system=system, concurrency=7_650_001, requests=2_000_000_123, seconds=135.79246, throughput=8642.1357
    )


def _work_of_others(keys: Keys, experiment: Experiment) -> None:
    """A rater whose link was withdrawn judged one pair and skipped another."""
    criterion = keys.add(Criterion, experiment=experiment, position=1, name="Tone", description="Is it kind?")
    rater = keys.add(Rater, experiment=experiment, label="Zyxomatic colleague", expires_at=FAR)
    pairs = list(Comparison.objects.filter(input__experiment=experiment).order_by("pk")[:2])
    judged, skipped = (
        keys.add(Assignment, comparison=pair, rater=rater, left=pair.first, right=pair.second, position=number)
        for number, pair in enumerate(pairs, start=1)
    )
    Assignment.objects.filter(pk=skipped.pk).update(skipped_at=NOW, skip_reason="reveals")
    judgment = keys.add(Judgment, assignment=judged, verdict="left", comment="The zyxomatic colleague prefers A.")
    keys.add(CriterionVerdict, judgment=judgment, criterion=criterion, verdict="left")
    keys.add(Guess, assignment=judged, side="left")


def _paperwork(keys: Keys, other: Experiment, stranger: User) -> None:
    arm = other.arms.first()
    keys.add(Criterion, experiment=other, position=1, name="Quillfeatherness", description="How zyxomatic it sounds.")
    keys.add(Invitation, email="invited@quillfeather.example", token_hash="zyx-hash" * 8, expires_at=FAR)
    keys.add(Try, key="zyx-try-" * 8, at=FAR)
    # The log takes no changes: its rows are rare from the start.
    keys.add(
        Event,
        actor=stranger,
        actor_name="zyx-actor",
        verb="zyx-verbed",
        object="experiment quillfeather-object",
        at=FAR,
        place="zyx-place",
        detail={"raters": "zyx-detail"},
    )
    request = [{"role": "user", "content": "What would the neighbour ask instead?"}]
    keys.add(Spare, experiment=other, external_id="zyx-spare", messages=request, length=7_654_321)
    keys.add(StagedPart, staged=keys.add(Staged, experiment=other, handle="zyx-staged"), number=1)
    keys.add(Mapping, owner=stranger, header="zyx-header-" * 5, columns={})
    keys.add(Assumptions, experiment=other)
    keys.add(Result, experiment=other, made_from="zyx-from" * 8, report={})
    keys.add(
        Benchmark,
        arm=arm,
        name="MT-Quillfeather",
        score=97.531864,
        source="https://quillfeather.example/board",
        dated=date(2019, 7, 3),
    )


def _leave_alone(row: Model, experiment: Experiment) -> frozenset[str]:
    """Columns whose emptiness means something: planting there would change what the row is."""
    alone: set[str] = set()
    match row:
        case Experiment() if row.pk == experiment.pk:
            alone = {"closed_at", "archived_at"}
        case Output() if row.decision == "none":
            alone = {"decided_at"}
        case Completion() if row.state == "done":
            alone = {"failure_kind"}
        case Endpoint():
            alone = {"secret", "secret_env"}
        case Assignment() if row.skipped_at is None:
            alone = {"skipped_at"}
    return frozenset(alone)


# --- what is hidden, and from whom -----------------------------------------------------------------------------------


def hidden_from(rater: Rater) -> Iterator[tuple[str, str]]:
    """Column and text of everything in the database that this rater must never see, as it stands now."""
    for model in tables():
        for row in model._base_manager.all():
            yield from canaries_of(row, rows_are_shown=_is_shown(row, rater))


def identities() -> Iterator[str]:
    """Every text of the envelope: what not even an owner may read before the end."""
    for model in apps.get_app_config("backends").get_models():
        for row in model._base_manager.all():
            yield from (text for _, text in canaries_of(row, rows_are_shown=True))


def _is_shown(row: Model, rater: Rater) -> bool:
    """Whether the columns that raters see may be seen of this row: it is their own, or of what they compare."""
    match row:
        case User():
            return row == rater.experiment.owners.first()
        case Experiment() | Rater():
            return row in (rater, rater.experiment)
        case Assignment() | Judgment():
            return getattr(row, "assignment", row).rater_id == rater.pk  # type: ignore[no-any-return]
        case Criterion() | Input() | Output():
            item = getattr(row, "input", row)
            return item.experiment_id == rater.experiment_id and item.position < HELD_BACK  # type: ignore[no-any-return]
    return True


def a_seated_rater(experiment: Experiment, label: str = "Rater 1", *, key: int | None = None) -> Client:
    """A browser that has exchanged a personal link; `key` becomes the rater's primary key."""
    [link] = invite(experiment=experiment, labels=[label])
    if key is not None:
        Rater.objects.filter(experiment=experiment, label=label).update(id=key)
    client = Client()
    assert client.post(link.url.removeprefix(settings.PUBLIC_URL)).status_code == 303
    return client
