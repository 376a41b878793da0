"""The sealed envelope."""

import hashlib
import json

import pytest
from django.utils import timezone

from backends.models import Completion, System
from backends.sealing import UNSEEN, StillSealed, check, commitment, opening, readiness
from experiments.models import Experiment, Output
from tests.factories import a_collected_experiment, a_rated_experiment, a_system, an_endpoint, an_experiment, answers

pytestmark = pytest.mark.django_db


def test_everything_collected_is_ready() -> None:
    found = readiness(a_collected_experiment(arms=2))
    assert found.ready
    assert found.warnings == []


def test_rows_still_to_come_stand_against_it() -> None:
    experiment = a_collected_experiment(arms=2, inputs=3)
    system = System.objects.get(name="system-1")
    Completion.objects.filter(system=system, input__external_id="in1").update(
        state="pending", outcome=None, output=None
    )
    (why,) = readiness(experiment).blocking
    assert why == "system-1: 1 of 3 answers are still to come."
    System.objects.filter(pk=system.pk).update(paused_at=timezone.now(), pause_reason="The key was refused.")
    assert readiness(experiment).blocking == [f"{why} It is paused: The key was refused."]


def test_a_system_that_was_never_asked_stands_against_it() -> None:
    experiment = a_collected_experiment(arms=2)
    a_system(experiment, "later", endpoint=an_endpoint())
    assert readiness(experiment).blocking == ["later: collecting was not started."]


def test_one_system_or_no_pair_of_answers_is_too_few() -> None:
    experiment = an_experiment()
    answers(a_system(experiment, "alone"))
    blocking = readiness(experiment).blocking
    assert any("at least two" in why for why in blocking)
    assert any("No input has two answers" in why for why in blocking)


def test_what_is_held_back_is_a_warning_with_its_count() -> None:
    experiment = a_collected_experiment(arms=2, inputs=4)
    one, two, three, _ = Completion.objects.filter(system__name="system-1").order_by("input__position")
    outputs = [one.output_id, two.output_id, three.output_id]
    Completion.objects.filter(pk=one.pk).update(outcome="truncated")
    Completion.objects.filter(pk=two.pk).update(
        state="failed", outcome=None, output=None, failure_kind="too_slow", sentence="Slow."
    )
    three.delete()
    Output.objects.filter(pk__in=outputs[1:]).delete()
    assert readiness(experiment).warnings == [
        "system-1: 1 inputs have no answer.",
        "system-1: 1 answers failed and will not be shown.",
        "system-1: 1 answers are truncated and will not be shown.",
    ]


@pytest.mark.parametrize("letter", UNSEEN)
def test_letters_that_nobody_sees_are_told_of_and_not_taken_out(letter: str) -> None:
    experiment = a_collected_experiment(arms=2, inputs=4)
    text = f"An{letter} answer."
    Output.objects.filter(arm=System.objects.get(name="system-2").arm, input__position__lte=2).update(text=text)
    (warning,) = readiness(experiment).warnings
    assert warning.startswith("system-2: 2 answers hold letters that nobody sees")
    assert readiness(experiment).ready
    assert Output.objects.filter(text=text).count() == 2


def test_letters_that_scripts_and_emoji_need_are_no_matter() -> None:
    experiment = a_collected_experiment(arms=2)
    Output.objects.update(text="\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \U0001f469\u200d\U0001f52c")
    assert readiness(experiment).warnings == []


def test_the_commitment_fits_one_mapping_only() -> None:
    experiment = a_collected_experiment(arms=2)
    promised = commitment(experiment)
    assert commitment(experiment) == promised
    Experiment.objects.filter(pk=experiment.pk).update(sealed={"commitment": promised})
    experiment.refresh_from_db()
    assert check(experiment)
    one, two = System.objects.order_by("name")
    System.objects.filter(pk=one.pk).update(name="swapped")
    assert commitment(experiment) != promised
    assert not check(experiment)
    System.objects.filter(pk=one.pk).update(name=one.name)
    System.objects.filter(pk=two.pk).update(cost={"input_per_million": 3})
    assert check(experiment), "a price may be corrected later"


def test_two_experiments_with_equal_systems_promise_different_things() -> None:
    first, second = a_collected_experiment(arms=2), a_collected_experiment(arms=2)
    assert commitment(first) != commitment(second)


def test_without_a_promise_nothing_fits() -> None:
    assert not check(a_collected_experiment(arms=2))


def test_the_envelope_stays_sealed_until_closing() -> None:
    with pytest.raises(StillSealed, match="not closed"):
        opening(a_rated_experiment(closed=False))


def test_the_opening_can_be_checked_by_anybody() -> None:
    experiment = a_rated_experiment()
    opened = opening(experiment)
    assert opened["commitment"] == commitment(experiment)
    mapping = json.dumps(opened["mapping"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(f"{opened['salt']}\n{mapping}".encode()).hexdigest() == opened["commitment"]
    assert {one["name"] for one in opened["mapping"].values()} == {"system-1", "system-2"}


def test_the_opened_mapping_stands_in_the_order_of_its_codes() -> None:
    experiment = a_rated_experiment()
    for arm, code in zip(experiment.arms.order_by("pk"), ("zz", "aa"), strict=True):
        experiment.arms.filter(pk=arm.pk).update(code=code)
    assert list(opening(experiment)["mapping"]) == ["aa", "zz"]
