"""One decision, one key; and no key where none was meant."""

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Sit
from tests.ratings.driving import an_open_experiment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_four_keys_are_the_four_verdicts(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=5))
    rater.judge("1", "2", "3", "4")
    assert rater.verdicts() == ["left", "both_good", "right", "both_bad"]


def test_an_arrow_points_at_a_side_and_enter_confirms(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=3))
    rater.page.keyboard.press("ArrowLeft")
    expect(rater.button("left")).to_be_focused()
    rater.page.keyboard.press("ArrowRight")
    expect(rater.button("right")).to_be_focused()
    assert rater.posts() == []
    rater.judge("Enter")
    rater.page.keyboard.press("ArrowLeft")
    rater.judge("Enter", first=2)
    assert rater.verdicts() == ["right", "left"]


def test_letters_open_what_they_name_and_escape_closes_it(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=2))
    page, keys = rater.page, rater.page.keyboard
    for key, sheet in (("i", "#instructions"), ("?", "#keys")):
        keys.press(key)
        expect(page.locator(sheet)).to_be_visible()
        keys.press("1")
        keys.press("Escape")
        expect(page.locator(sheet)).to_be_hidden()
    keys.press("c")
    expect(page.get_by_role("textbox", name="Comment")).to_be_focused()
    keys.press("Escape")
    expect(page.get_by_role("textbox", name="Comment")).to_be_hidden()
    keys.press("0")
    expect(rater.button("not_my_field")).to_be_focused()
    keys.press("Escape")
    expect(rater.button("not_my_field")).to_be_hidden()
    keys.press("d")
    expect(page.locator("#differences")).to_have_attribute("aria-pressed", "true")
    assert rater.posts() == []


def test_no_key_acts_while_typing_or_with_a_modifier(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=2))
    keys = rater.page.keyboard
    for modifier in ("Control", "Alt", "Meta"):
        keys.press(f"{modifier}+3")
    keys.press("c")
    keys.type("1 and 2, then Z?")
    assert rater.page.get_by_role("textbox", name="Comment").input_value() == "1 and 2, then Z?"
    keys.press("Escape")
    assert rater.posts() == []
    rater.judge("1")
    assert rater.posts()[0]["comment"] == ["1 and 2, then Z?"]


def test_a_key_does_nothing_in_the_first_moments_of_a_new_pair(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=3))
    clock = rater.page.clock
    rater.stop_time()
    rater.page.keyboard.press("1")
    expect(rater.page.locator("#progress b")).to_have_text("2")
    for passed in (0, 399):
        clock.fast_forward(passed)
        rater.page.keyboard.press("3")
        rater.page.keyboard.press("Enter")
        assert len(rater.posts()) == 1
    clock.fast_forward(1)
    rater.page.keyboard.press("3")
    expect(rater.page.locator("#progress b")).to_have_text("3")
    assert rater.verdicts() == ["left", "right"]


@pytest.mark.parametrize("held", ["1", "Enter"])
def test_a_held_key_judges_one_pair(sit: Sit, held: str) -> None:
    rater = sit(an_open_experiment(inputs=4))
    rater.button("left").focus()
    rater.page.keyboard.down(held)
    rater.arrived(2)
    rater.button("left").focus()
    for _ in range(3):
        rater.page.keyboard.down(held)
        expect(rater.page.locator("#pair")).not_to_have_attribute("aria-busy", "true")
        expect(rater.page.locator("#progress b")).to_have_text("2")
    assert len(rater.posts()) == 1


def test_nothing_acts_between_a_request_and_its_answer(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=3))
    waiting: list[Route] = []
    rater.intercept(waiting.append)
    rater.page.evaluate("htmx.config.timeout = 0")  # however long the keys take, the request is not given up
    rater.page.keyboard.press("1")
    expect(rater.page.locator("#pair")).to_have_attribute("aria-busy", "true")
    rater.until(lambda: bool(waiting))
    for key in ("3", "z", "0", "Enter"):
        rater.page.keyboard.press(key)
    rater.button("right").click()
    waiting[0].continue_()
    rater.arrived(2)
    assert len(waiting) == 1
    assert rater.verdicts() == ["left"]


def test_a_double_click_judges_one_pair(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=3))
    rater.button("left").dblclick()
    rater.arrived(2)
    rater.button("left").click(click_count=2)
    rater.arrived(3)
    box = rater.button("left").bounding_box()
    assert box
    rater.page.mouse.move(box["x"] + 9, box["y"] + 9)
    rater.page.mouse.down(click_count=2)
    rater.page.mouse.up(click_count=2)
    expect(rater.page.locator("#pair")).not_to_have_attribute("aria-busy", "true")
    assert rater.verdicts() == ["left", "left"]
    assert len(rater.posts()) == 2


def test_single_keys_can_be_switched_off_for_good(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=2))
    page = rater.page
    page.get_by_text("Aa", exact=True).click()
    with page.expect_response("**/rate/preferences/"):
        page.get_by_role("radio", name="Off").check()
    page.reload()
    for key in ("1", "c", "0", "?"):
        page.keyboard.press(key)
    expect(page.get_by_role("textbox", name="Comment")).to_be_hidden()
    expect(page.locator("kbd").first).to_be_hidden()
    assert rater.posts() == []
    rater.button("right").press("Enter")
    rater.arrived(2)
    assert rater.verdicts() == ["right"]
