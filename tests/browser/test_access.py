"""Everybody can rate: by keyboard alone, at any width, in any scheme, and axe finds nothing anywhere."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from experiments.models import Criterion, Experiment
from ratings import links
from ratings.models import Judgment
from tests.browser.conftest import Sit
from tests.browser.sitting import QUIET_MS, an_experiment_of, path_of
from tests.browsing import a_page
from tests.factories import a_user
from tests.ratings.driving import an_open_experiment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CODE = "```python\n" + "a_long_line_of_code = " + "that_does_not_fit + " * 12 + "1\n```"
TABLE = "| Step | What to do | Cost |\n|---|---|---|\n| 1 | Ask the landlord in writing | 10 |\n"
RICH = (
    f"# Title\n\nSome *text* with `code` and <https://example.org>.\n\n{CODE}\n\n> A quote\n\n{TABLE}\n\n- one\n- two"
)
VIEWS = [
    ("desk", "light", "en"),
    ("tablet", "dark", "en"),
    ("phone", "dark", "en"),
    ("narrow", "light", "en"),
    ("desk", "dark", "ar"),
]
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
HIDDEN = """() => {
    const focused = document.activeElement, box = focused.getBoundingClientRect();
    const bars = [...document.querySelectorAll(".bar, .askline:not([hidden]), .sides")].filter(bar =>
        !bar.contains(focused) && ["sticky", "fixed"].includes(getComputedStyle(bar).position));
    const covered = bars.map(bar => bar.getBoundingClientRect()).some(bar =>
        bar.height && box.top >= bar.top - 1 && box.bottom <= bar.bottom + 1);
    return covered || box.bottom <= 0 || box.top >= innerHeight ? focused.outerHTML : "";
}"""


def a_full_desk() -> Experiment:
    """An experiment that asks for much, about texts with everything in them."""
    experiment = an_experiment_of(
        (RICH, RICH), (RICH, "One line."), ask_acceptable=True, instructions=RICH, owner=a_user(name="Dr. Ada Byron")
    )
    Criterion.objects.create(experiment=experiment, position=1, name="accuracy", description="Is it true?")
    return experiment


def faults(page: Page, place: str) -> list[str]:
    """What axe says against a page, and whether it scrolls sideways."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    sideways = [f"{place} scrolls sideways"] if page.evaluate(SIDEWAYS) > 0 else []
    return [f"{place}: {one['id']} at {[node['target'] for node in one['nodes'][:3]]}" for one in found] + sideways


@pytest.mark.parametrize(("size", "scheme", "language"), VIEWS)
def test_axe_finds_nothing_on_any_page(sit: Sit, size: str, scheme: str, language: str) -> None:
    experiment = a_full_desk()
    rater = sit(experiment, size=size, color_scheme=scheme, locale=language, reduced_motion="reduce")
    page = rater.page
    found = faults(page, "a pair")
    for key in ("c", "Escape", "0"):
        page.keyboard.press(key)
    found += faults(page, "reasons")
    page.keyboard.press("Escape")
    page.keyboard.press("i")
    found += faults(page, "instructions over a pair")
    page.keyboard.press("Escape")
    page.get_by_text("Aa", exact=True).click()
    found += faults(page, "the Aa menu")
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    page.keyboard.press("4")
    rater.arrived(2)
    page.keyboard.press("z")
    rater.arrived(1)
    found += faults(page, "an earlier answer")
    (link,) = links.invite(experiment=experiment)
    for place in ("/rate/practice/", "/rate/review/", "/rate/done/", "/rate/instructions/", path_of(link)):
        rater.open(place)
        found += faults(page, place)
    assert found == []


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until something has the focus; it must be in sight, and nothing on the way may hide under a bar."""
    for _ in range(40):
        page.keyboard.press("Tab")
        assert page.evaluate(HIDDEN) == ""
        if wanted.evaluate("thing => thing === document.activeElement"):
            return
    raise AssertionError(f"Tab never came to {wanted}")


def test_the_whole_way_by_keyboard_alone(live_server: LiveServer, browser: Browser) -> None:
    experiment = an_experiment_of((RICH, RICH), ("Yes.", "No."))
    (link,) = links.invite(experiment=experiment)
    with a_page(browser, live_server.url) as (page, complaints):
        page.clock.install()
        page.goto(live_server.url + path_of(link))
        steps = ["Start", "Two pairs to practise", "A is better", "Next", "Both bad", "Next", "Start rating"]
        for name in steps:
            button = page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name, exact=True))
            if not button.evaluate("thing => thing === document.activeElement"):
                tab_to(page, button)
            with page.expect_navigation():
                page.keyboard.press("Enter")
        tab_to(page, page.get_by_role("button", name="B is better"))
        page.keyboard.press("Enter")
        expect(page.locator("#progress b")).to_have_text("2")
        expect(page.locator("#request")).to_be_focused()
        page.clock.fast_forward(QUIET_MS + 1)
        tab_to(page, page.get_by_role("button", name="Both good"))
        with page.expect_navigation():
            page.keyboard.press("Space")
        expect(page.get_by_role("heading", name="That was the last one.")).to_be_visible()
        assert complaints == []
    assert list(Judgment.objects.values_list("verdict", flat=True)) == ["right", "both_good"]


def test_the_first_tab_skips_to_the_verdict(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=1))
    rater.page.keyboard.press("Tab")
    expect(rater.page.get_by_role("link", name="Skip to the verdict")).to_be_focused()
    rater.page.keyboard.press("Enter")
    rater.page.keyboard.press("Tab")
    expect(rater.button("left")).to_be_focused()


def test_cards_are_named_regions_and_a_new_pair_is_announced(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=2))
    for name in ("Response A", "Response B", "The request"):
        expect(rater.page.get_by_role("region", name=name)).to_be_visible()
    rater.judge("1")
    expect(rater.page.locator("#request")).to_be_focused()
    expect(rater.page.get_by_role("status")).to_have_text("Saved. Pair 2 of 2")


def test_code_that_scrolls_is_reached_by_tab(sit: Sit) -> None:
    rater = sit(an_experiment_of((CODE, "Yes.")))
    code = rater.page.locator("pre")
    tab_to(rater.page, code)
    rater.page.keyboard.press("ArrowRight")
    expect(rater.button("right")).not_to_be_focused()


def test_in_forced_colours_the_chosen_answer_is_still_told_apart(sit: Sit) -> None:
    rater = sit(an_open_experiment(inputs=2), forced_colors="active")
    rater.judge("1")
    rater.page.keyboard.press("z")
    rater.arrived(1)
    outline = "button => getComputedStyle(button).outlineStyle"
    assert rater.button("left").evaluate(outline) == "solid"
    assert rater.button("right").evaluate(outline) == "none"
