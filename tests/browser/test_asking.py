"""What an experiment may ask beside the verdict: criteria, good enough to use, how much, why, and which is which."""

import pytest
from playwright.sync_api import expect

from experiments.models import Criterion
from ratings.models import CriterionVerdict, Guess, Judgment
from tests.browser.conftest import Sit
from tests.browser.sitting import an_experiment_of
from tests.ratings.driving import an_open_experiment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LONG = "\n\n".join(["A paragraph that says as much as it must, and then a little more."] * 12)


def test_with_criteria_the_keys_act_on_the_current_line_then_advance(sit: Sit) -> None:
    experiment = an_open_experiment(inputs=2)
    for position, name in ((1, "accuracy"), (2, "tone")):
        Criterion.objects.create(experiment=experiment, position=position, name=name, description="Is it right?")
    rater = sit(experiment)
    current = rater.page.locator("[data-current] legend")
    for key, name in (("1", "accuracy"), ("4", "tone")):
        expect(current).to_contain_text(name)
        rater.page.keyboard.press(key)
    expect(current).to_have_count(0)
    rater.judge("3")
    assert Judgment.objects.get().verdict == "right"
    said = CriterionVerdict.objects.order_by("criterion__position").values_list("criterion__name", "verdict")
    assert list(said) == [("accuracy", "left"), ("tone", "both_bad")]


def test_a_verdict_waits_for_what_is_still_asked_and_then_goes_by_itself(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=3, ask_acceptable=True, ask_strength=True))
    page = rater.page
    page.keyboard.press("1")
    expect(rater.button("left")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("status")).to_have_text("Still to answer: Is A good enough to use?")
    page.keyboard.press("1")
    page.keyboard.press("2")
    expect(page.get_by_role("status")).to_have_text("Still to answer: If one is better, by how much?")
    assert rater.posts() == []
    page.keyboard.press("2")
    rater.arrived(2)
    rater.judge("4", first=2)
    columns = ("verdict", "left_acceptable", "right_acceptable", "strength")
    assert list(Judgment.objects.order_by("pk").values_list(*columns)) == [
        ("left", True, False, "clearly"),
        ("both_bad", False, False, None),
    ]


def test_on_a_phone_the_message_covers_nothing_that_is_still_asked(sit: Sit) -> None:
    experiment = an_experiment_of((LONG, LONG), (LONG, LONG))
    Criterion.objects.create(experiment=experiment, position=1, name="accuracy", description="Is it true?")
    rater = sit(experiment, size="phone")
    rater.button("left").click()
    message, asked = rater.page.get_by_role("status"), rater.page.locator("[data-current]")
    expect(message).to_have_text("Still to answer: accuracy")
    expect(asked).to_be_in_viewport()
    above, below = asked.bounding_box(), message.bounding_box()
    assert above
    assert below
    assert above["y"] + above["height"] <= below["y"]


def test_a_required_comment_is_asked_for_before_the_verdict_goes(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=2, require_comment=True))
    box = rater.page.get_by_role("textbox", name="Comment")
    expect(box).to_be_visible()
    rater.page.keyboard.press("1")
    expect(box).to_be_focused()
    assert rater.posts() == []
    rater.page.keyboard.type("A names the deadline.")
    rater.button("left").click()
    rater.arrived(2)
    assert Judgment.objects.get().comment == "A names the deadline."


def test_after_each_of_the_last_pairs_a_guess_is_asked(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=2, ask_guess=True))
    page = rater.page
    for number, key in ((1, "3"), (2, "2")):
        texts = rater.texts()
        page.keyboard.press("1")
        expect(page.get_by_role("heading", name="One more question about this pair")).to_be_visible()
        assert rater.texts() == texts
        rater.rest()
        page.keyboard.press(key)
        if number == 1:
            rater.arrived(2)
    expect(page.get_by_role("heading", name="That was the last one. Thank you.")).to_be_visible()
    assert list(Guess.objects.order_by("pk").values_list("side", flat=True)) == ["right", "unsure"]
    assert rater.verdicts() == ["left", "left"]
