"""The comparison of two texts, word by word, in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

MARKED = """([a, b]) => {
    document.body.replaceChildren(...[a, b].map((html) => {
        const side = document.createElement("div");
        side.innerHTML = html;
        return side;
    }));
    const shown = window.differences.show(...document.body.children);
    if (!shown) return null;
    const words = ({ startContainer, startOffset, endOffset }) => startContainer.data.slice(startOffset, endOffset);
    return [...CSS.highlights.get("differs")].map(words);
}"""


@pytest.fixture
def page(browser: Browser, checkout: Path) -> Page:
    page = browser.new_page()
    page.add_script_tag(path=checkout / "static/js/differences.js")
    return page


def marked(page: Page, left: str, right: str) -> list[str] | None:
    found: list[str] | None = page.evaluate(MARKED, [left, right])
    return found


def test_equal_texts_show_nothing_even_in_different_markup(page: Page) -> None:
    assert marked(page, "<p>The fee is <b>10 euro</b>.</p>", "<p>The fee is 10 euro.</p>") == []


def test_only_the_changed_words_are_marked_on_both_sides(page: Page) -> None:
    assert marked(page, "<p>Pay the fee today please</p>", "<p>Pay the fee tomorrow please</p>") == [
        "today",
        "tomorrow",
    ]


def test_words_added_in_the_middle_are_marked_on_their_side_only(page: Page) -> None:
    assert marked(page, "<p>one two three four</p>", "<p>one two and a half three four</p>") == ["and a half"]


def test_a_stretch_of_changes_is_one_mark_across_a_lone_shared_word(page: Page) -> None:
    assert marked(page, "<p>x alpha of beta y</p>", "<p>x gamma of delta y</p>") == ["alpha of beta", "gamma of delta"]


def test_other_scripts_are_words_too(page: Page) -> None:
    assert marked(page, "<p>нет да</p>", "<p>нет нет да</p>") == ["нет"]


def test_texts_too_long_to_compare_are_said_to_be(page: Page) -> None:
    assert marked(page, "a " * 7000, "b " * 10) is None
    assert marked(page, " ".join(map(str, range(5000))), " ".join(map(str, range(9000, 9001)))) is None


def test_the_page_itself_is_not_touched(page: Page) -> None:
    marked(page, "<p>one</p>", "<p>two</p>")
    assert page.inner_html("body") == "<div><p>one</p></div><div><p>two</p></div>"
