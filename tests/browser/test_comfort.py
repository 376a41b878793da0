"""The Aa menu: size, colours, plain text, remembered for this rater on every device."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Sit
from tests.browser.sitting import an_experiment_of
from tests.browsing import WIDTHS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LOOK = """() => { const prose = getComputedStyle(document.querySelector(".card > .prose"));
    return [parseFloat(prose.fontSize), prose.colorScheme]; }"""


def test_how_one_likes_to_read_shows_at_once_and_is_remembered(sit: Sit) -> None:
    rater = sit(an_experiment_of(("It is **so**.", "No."), ("Yes.", "No.")))
    page = rater.page
    assert page.evaluate(LOOK) == [17, "light dark"]
    page.get_by_text("Aa", exact=True).click()
    for choice in ("Largest", "Dark"):
        with page.expect_response("**/rate/preferences/"):
            page.get_by_role("radio", name=choice).check()
    changed = [pytest.approx(17 * 1.3), "dark"]
    assert page.evaluate(LOOK) == changed
    page.keyboard.press("Escape")
    expect(page.get_by_role("radio", name="Dark")).to_be_hidden()
    page.reload()
    assert page.evaluate(LOOK) == changed
    rater.judge("1")
    assert page.evaluate(LOOK) == changed


@pytest.mark.parametrize("size", ["phone", "narrow"])
def test_the_menu_fits_a_phone(sit: Sit, size: str) -> None:
    rater = sit(an_experiment_of(("Yes.", "No.")), size=size, has_touch=True, is_mobile=True)
    rater.page.get_by_text("Aa", exact=True).tap()
    box = rater.page.locator(".menu-panel").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= WIDTHS[size][0]


def test_plain_text_shows_what_was_written(sit: Sit) -> None:
    rater = sit(an_experiment_of(("It is **so**.", "No.")))
    handle = rater.handle()
    assert "It is so." in rater.texts()
    rater.page.get_by_text("Aa", exact=True).click()
    with rater.page.expect_navigation():
        rater.page.get_by_role("radio", name="Plain text").check()
    assert "It is **so**." in rater.texts()
    assert rater.handle() == handle
