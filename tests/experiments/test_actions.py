"""Outputs are made ready alike for every arm, flagged where they name a maker, decided about before the seal only."""

from typing import Any

import pytest

from experiments.actions import (
    AlreadySealed,
    CannotDecide,
    NewCriterion,
    NewInput,
    add_arm,
    add_experiment,
    decide_all_flagged,
    decide_output,
    free_slug,
    prepare_output,
    prompt_of,
    store_output,
)
from experiments.models import Experiment, Input, Output, OutputState
from tests.factories import NOW, a_rating_experiment, a_user, an_experiment

pytestmark = pytest.mark.django_db


def stored(raw_text: str, outcome: str = "complete", experiment: Experiment | None = None, **more: Any) -> Output:
    experiment = experiment or an_experiment(inputs=1)
    item = experiment.inputs.earliest("pk")
    return store_output(input=item, arm=add_arm(experiment=experiment), raw_text=raw_text, outcome=outcome, **more)


def test_an_answer_is_stored_as_text_and_as_markup() -> None:
    output = stored("  **Two** days.\n")
    assert (output.text, output.state, output.flags) == ("**Two** days.", OutputState.READY, [])
    assert "<strong>Two</strong>" in output.html


def test_an_answer_that_names_its_maker_is_flagged() -> None:
    output = stored("I am ChatGPT, made by OpenAI.")
    assert output.state == OutputState.FLAGGED
    assert Output.objects.undecided().get() == output
    assert not Output.objects.servable().exists()


def test_a_name_of_the_experiments_own_systems_is_flagged() -> None:
    assert stored("As Zephyrus-9 I would say yes.", extra_names=("Zephyrus-9",)).state == OutputState.FLAGGED
    assert stored("As Zephyrus-9 I would say yes.").state == OutputState.READY


@pytest.mark.parametrize(
    ("raw_text", "outcome", "state"),
    [
        ("", "empty", OutputState.EMPTY),
        (" \n", "complete", OutputState.EMPTY),
        ("", "refused", OutputState.EMPTY),
        ("Half an ans", "truncated", OutputState.WITHHELD),
        ("I cannot help.", "refused", OutputState.WITHHELD),
    ],
)
def test_what_raters_could_not_judge_is_held_back(raw_text: str, outcome: str, state: str) -> None:
    output = stored(raw_text, outcome)
    assert output.state == state
    assert bool(output.reason) == (state == OutputState.WITHHELD)
    assert not Output.objects.servable().exists()


def test_an_answer_fetched_again_takes_the_place_of_the_first() -> None:
    first = stored("I am Claude.")
    decide_output(output=first, decision="withheld", reason="names its maker", by=a_user())
    second = store_output(input=first.input, arm=first.arm, raw_text="Two days.", outcome="complete")
    assert (second.pk, second.state, second.decision, second.decided_by) == (first.pk, "ready", "none", None)


def test_nothing_is_stored_after_the_seal() -> None:
    experiment = a_rating_experiment()
    output = Output.objects.filter(input__experiment=experiment).earliest("pk")
    with pytest.raises(AlreadySealed):
        store_output(input=output.input, arm=output.arm, raw_text="Later.", outcome="complete")


def test_masking_changes_only_the_flagged_words() -> None:
    output = stored("I am ChatGPT, and **two days** is right.")
    decide_output(output=output, decision="masked", by=a_user())
    output.refresh_from_db()
    assert output.text == "I am [the assistant], and **two days** is right."
    assert "[the assistant]" in output.html
    assert "<strong>two days</strong>" in output.html
    assert (output.state, output.decision) == (OutputState.MASKED, "masked")
    assert Output.objects.servable().get() == output


def test_releasing_shows_the_answer_as_it_is() -> None:
    output = stored("I am ChatGPT.")
    decide_output(output=output, decision="released", by=None)
    assert Output.objects.servable().get().text == "I am ChatGPT."


def test_a_withheld_answer_can_be_released_after_all() -> None:
    output = stored("I am ChatGPT.")
    decide_output(output=output, decision="withheld", reason="too clear", by=None)
    assert not Output.objects.servable().exists()
    decide_output(output=output, decision="released", by=None)
    assert Output.objects.servable().count() == 1


@pytest.mark.parametrize(
    ("raw_text", "decision", "reason"),
    [
        ("Two days.", "released", ""),
        ("Two days.", "masked", ""),
        ("Two days.", "withheld", ""),
        ("", "withheld", "why not"),
        ("I am ChatGPT.", "none", ""),
    ],
)
def test_a_decision_that_does_not_fit_is_refused(raw_text: str, decision: str, reason: str) -> None:
    output = stored(raw_text)
    with pytest.raises(CannotDecide):
        decide_output(output=output, decision=decision, reason=reason, by=None)


def test_a_masked_answer_cannot_be_masked_or_released_again() -> None:
    output = decide_output(output=stored("I am ChatGPT."), decision="masked", by=None)
    with pytest.raises(CannotDecide, match="masked already"):
        decide_output(output=output, decision="released", by=None)


def test_nothing_is_decided_after_the_seal() -> None:
    experiment = a_rating_experiment()
    with pytest.raises(AlreadySealed):
        decide_output(output=Output.objects.earliest("pk"), decision="withheld", reason="late", by=None)
    assert experiment.status == "rating"


def test_all_flagged_answers_are_decided_together() -> None:
    experiment = an_experiment(inputs=1)
    for text in ("I am ChatGPT.", "I am Claude.", "Two days."):
        stored(text, experiment=experiment)
    count = decide_all_flagged(experiment=experiment, decision="withheld", reason="all", by=None, at=NOW)
    assert count == 2
    assert Output.objects.servable().get().text == "Two days."


def test_preparing_needs_no_database(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert prepare_output("Two days.", "complete").state == OutputState.READY


def test_a_name_in_the_prompt_gives_nothing_away() -> None:
    item = Input(messages=[{"role": "system", "content": "Compare Zephyrus-9."}, {"role": "user", "content": "Well?"}])
    said = prepare_output("Zephyrus-9 is quick.", "complete", ("Zephyrus-9",), prompt_of(item))
    assert said.state == OutputState.READY
    assert prepare_output("Zephyrus-9 is quick.", "complete", ("Zephyrus-9",)).state == OutputState.FLAGGED


def test_an_experiment_comes_with_its_inputs_and_criteria_in_order() -> None:
    owner = a_user()
    experiment = add_experiment(
        fields={"slug": "x", "title": "X", "question": "Which?"},
        inputs=[
            NewInput(external_id=name, messages=[{"role": "user", "content": name}], tags=["t"], reference="r")
            for name in ("b", "a")
        ],
        criteria=[NewCriterion(name="accuracy"), NewCriterion(name="tone", description="Is it kind?")],
        owners=[owner],
    )
    assert list(experiment.inputs.values_list("position", "external_id")) == [(1, "b"), (2, "a")]
    assert list(experiment.criteria.values_list("position", "name")) == [(1, "accuracy"), (2, "tone")]
    assert list(experiment.owners.all()) == [owner]


def test_a_slug_is_made_from_the_title_and_is_free() -> None:
    an_experiment(slug="support-answers")
    assert free_slug("Support answers") == "support-answers-2"
    assert free_slug("答案") == "experiment"
