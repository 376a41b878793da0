"""A system can be changed until the change would make answers that are here another system's."""

from typing import Any

import pytest
from django.utils import timezone

from backends.actions import CannotAdd
from backends.editing import CannotEdit, ChangedMeanwhile, Edited, edit_system
from backends.listing import version_of
from backends.models import Completion, LoadRun, System
from backends.queueing import TooLate, pause, start_collecting
from experiments.models import Experiment, Output, Spare
from tests.factories import a_collected_experiment, a_rating_experiment, a_system, an_endpoint, an_experiment, answers

pytestmark = pytest.mark.django_db
ANEW: list[dict[str, Any]] = [
    {"model_id": "other"},
    {"system_prompt": "Be brief."},
    {"parameters": {"temperature": 1}},
    {"concurrency": 2},
]


def an_asked_draft(*, inputs: int = 2) -> Experiment:
    experiment = an_experiment(inputs=inputs)
    a_system(experiment, "ours", endpoint=an_endpoint(), model_id="qwen", preflight={"before": {}}, lowered_to=1)
    return experiment


def edit(experiment: Experiment, called: str = "ours", **changes: Any) -> Edited:
    row = System.objects.get(arm__experiment=experiment, name=called)
    return edit_system(experiment=experiment, name=called, version=version_of(row), changes=changes)


def test_before_anything_is_asked_every_setting_can_be_changed() -> None:
    experiment, elsewhere = an_asked_draft(), an_endpoint()
    LoadRun.objects.create(system=System.objects.get(), concurrency=1, requests=5, seconds=1, throughput=5)
    changes = {"name": "mine", "endpoint": elsewhere, "model_id": "llama", "samples": 3, "cost": {"gpus": 2}}
    edited = edit(experiment, **changes)
    row = System.objects.get()
    assert {field: getattr(row, field) for field in changes} == changes
    assert (row.preflight, row.lowered_to) == ({}, None)
    assert edited == Edited(fields=tuple(changes), load_runs=1, paused=False)


def test_the_same_settings_again_change_nothing() -> None:
    experiment = an_asked_draft()
    assert edit(experiment, model_id="qwen", samples=1).fields == ()
    assert System.objects.get().preflight == {"before": {}}


@pytest.mark.parametrize("changes", ANEW)
def test_what_answers_were_asked_with_stays_once_one_is_here(changes: dict[str, Any]) -> None:
    experiment = an_asked_draft()
    answers(System.objects.get())
    with pytest.raises(CannotEdit, match=r"2 answers of 'ours' are here.*Add one like it"):
        edit(experiment, **changes)
    edit(experiment, name="mine", cost={"gpus": 1.0}, facts={"licence": "mit"})
    assert System.objects.get().facts == {"licence": "mit"}


@pytest.mark.parametrize("changes", ANEW)
def test_while_answers_are_fetched_the_system_is_paused_first(changes: dict[str, Any]) -> None:
    experiment = an_asked_draft()
    start_collecting(experiment=experiment)
    with pytest.raises(CannotEdit, match="Pause it first"):
        edit(experiment, **changes)
    pause(experiment=experiment)
    Completion.objects.filter(pk=Completion.objects.first().pk).update(state="running", lease_until=timezone.now())  # type: ignore[union-attr]
    with pytest.raises(CannotEdit, match="being asked right now"):
        edit(experiment, **changes)
    Completion.objects.update(state="pending", lease_until=None)
    assert edit(experiment, **changes).paused


def test_more_samples_are_fetched_and_those_that_are_here_are_not_given_up() -> None:
    experiment = an_asked_draft()
    start_collecting(experiment=experiment)
    edit(experiment, samples=3)
    assert Completion.objects.count() == 6
    edit(experiment, samples=2)
    assert Completion.objects.count() == 4
    Completion.objects.filter(sample=1).update(state="done", outcome="complete")
    with pytest.raises(CannotEdit, match="asked 2 times of 'ours' already"):
        edit(experiment, samples=1)


def test_a_recorded_system_gets_another_name_with_its_answers_to_spares() -> None:
    experiment = an_experiment(inputs=1)
    a_system(experiment, "ours")
    spare = Spare.objects.create(
        experiment=experiment,
        external_id="s",
        messages=[{"role": "user", "content": "?"}],
        outputs={"ours": {"text": "Yes."}},
        length=1,
    )
    edit(experiment, name="mine", model_id="qwen", parameters={"temperature": 1})
    spare.refresh_from_db()
    assert spare.outputs == {"mine": {"text": "Yes."}}


def test_answers_that_hold_the_new_name_wait_for_a_decision() -> None:
    experiment = an_experiment(inputs=2)
    answers(a_system(experiment, "ours"), text="I am Zorblax 7, glad to help with {input}.")
    edit(experiment, model_id="zorblax-7")
    assert set(Output.objects.values_list("state", "decision")) == {("flagged", "none")}


def test_two_who_change_it_at_once_do_not_overwrite_each_other() -> None:
    experiment = an_asked_draft()
    version = version_of(System.objects.get())
    edit_system(experiment=experiment, name="ours", version=version, changes={"model_id": "first"})
    with pytest.raises(ChangedMeanwhile, match="changed by somebody else"):
        edit_system(experiment=experiment, name="ours", version=version, changes={"model_id": "second"})
    assert System.objects.get().model_id == "first"


def test_what_does_not_fit_is_refused_and_nothing_is_changed() -> None:
    experiment = an_asked_draft()
    a_system(experiment, "theirs")
    for changes, error, why in (
        ({"name": "theirs"}, CannotEdit, "would be called 'theirs'"),
        ({"concurrency": 99}, CannotAdd, "more than the 8 calls"),
        ({"endpoint": an_endpoint(dialect="recorded", base_url="")}, CannotAdd, "needs recorded answers"),
    ):
        with pytest.raises(error, match=why):
            edit(experiment, **changes)
    with pytest.raises(CannotEdit, match="removed or renamed"):
        edit_system(experiment=experiment, name="nobody", version="", changes={})
    assert System.objects.filter(name="ours", concurrency=1).exists()


def test_after_the_seal_a_system_is_what_it_is() -> None:
    for sealed, may in ((a_rating_experiment(), False), (a_collected_experiment(), True)):
        if may:
            assert edit(sealed, "system-1", facts={"a": "b"}).fields == ("facts",)
            continue
        with pytest.raises(TooLate):
            edit(sealed, "system-1", facts={"a": "b"})
