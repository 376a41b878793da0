"""Who works on which row, asked of the database alone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backends.claiming import Claim, Nothing, give_back, renew
from backends.models import Completion, System
from experiments.models import Experiment
from tests.backends.scenes import a_collecting_experiment, claimed

pytestmark = pytest.mark.django_db
NOWHERE = "http://127.0.0.1:9/v1"


def taken(system: System, wanted: int = 10) -> list[Claim]:
    found = claimed(system.pk, wanted=wanted)
    assert isinstance(found, list), found
    return found


def test_no_more_rows_are_out_than_the_declared_concurrency() -> None:
    a_collecting_experiment(NOWHERE, inputs=6, concurrency=3)
    system = System.objects.get()
    first = taken(system)
    assert len(first) == 3
    assert claimed(system.pk, wanted=1) is Nothing.FREE
    give_back(first[:1])
    assert len(taken(system)) == 1


def test_systems_of_one_endpoint_share_its_places() -> None:
    a_collecting_experiment(NOWHERE, inputs=6, systems=2, concurrency=4, endpoint={"max_concurrency": 5})
    one, two = System.objects.order_by("pk")
    assert len(taken(one)) == 4
    assert len(taken(two)) == 1
    assert claimed(two.pk, wanted=1) is Nothing.FREE


def test_first_samples_come_first_whatever_the_order_of_the_rows() -> None:
    a_collecting_experiment(NOWHERE, inputs=2, samples=2, concurrency=4)
    for sample, row in zip((12, 13, 10, 11), Completion.objects.order_by("pk"), strict=True):
        Completion.objects.filter(pk=row.pk).update(sample=sample)
    claims = taken(System.objects.get(), wanted=2)
    assert [claim.sample for claim in claims] == [10, 11]


@pytest.mark.parametrize(
    "change",
    [
        {"paused_at": timezone.now(), "pause_reason": "Later."},
        {"circuit_until": timezone.now() + timedelta(hours=1)},
    ],
)
def test_nothing_is_taken_of_a_system_that_is_paused_or_rests(change: dict[str, object]) -> None:
    a_collecting_experiment(NOWHERE)
    System.objects.update(**change)
    assert claimed(System.objects.get().pk, wanted=1) is Nothing.DUE


def test_nothing_is_taken_before_its_time_or_outside_collecting() -> None:
    a_collecting_experiment(NOWHERE)
    system = System.objects.get()
    Completion.objects.update(not_before=timezone.now() + timedelta(minutes=1))
    assert claimed(system.pk, wanted=1) is Nothing.DUE
    Completion.objects.update(not_before=None)
    Experiment.objects.update(status="draft")
    assert claimed(system.pk, wanted=1) is Nothing.DUE
    assert claimed(0, wanted=1) is Nothing.DUE


def test_a_server_that_failed_again_and_again_is_asked_by_one_call_at_a_time() -> None:
    a_collecting_experiment(NOWHERE, inputs=4, concurrency=4)
    System.objects.update(failures_in_row=5, trouble_kind="busy", trouble="Busy.")
    (probe,) = taken(System.objects.get())
    assert probe.is_probe


def test_a_lowered_concurrency_counts() -> None:
    a_collecting_experiment(NOWHERE, inputs=6, concurrency=6)
    System.objects.update(lowered_to=2)
    assert len(taken(System.objects.get())) == 2


def test_only_what_is_still_held_is_renewed_or_given_back() -> None:
    a_collecting_experiment(NOWHERE, inputs=2, concurrency=2)
    mine, lost = taken(System.objects.get())
    Completion.objects.filter(pk=lost.completion).update(claim="another's")
    before = Completion.objects.get(pk=lost.completion).lease_until
    renew([mine, lost], lease_seconds=600)
    assert Completion.objects.get(pk=lost.completion).lease_until == before
    kept = Completion.objects.get(pk=mine.completion).lease_until
    assert kept is not None
    assert kept > timezone.now() + timedelta(seconds=500)
    assert give_back([mine, lost]) == 1
    assert Completion.objects.get(pk=lost.completion).state == "running"
