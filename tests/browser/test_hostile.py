"""Outputs that mean harm, on the real page in a real Chromium: nothing runs, is fetched, or reaches out."""

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import Sit
from tests.browser.sitting import an_experiment_of
from tests.browsing import a_page
from tests.experiments.hostile import HOSTILE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
AT_ONCE = 6
# What stands in an answer must stay inside its card, and the verdict must be what lies under the pointer there.
REACHING_OUT = """() => {
  const found = [];
  for (const card of document.querySelectorAll(".card")) {
    const frame = card.getBoundingClientRect();
    if (getComputedStyle(card.querySelector(".prose")).unicodeBidi !== "isolate") found.push("a text turns the page");
    for (const part of card.querySelectorAll(".prose *")) {
      const style = getComputedStyle(part);
      if (["fixed", "absolute", "sticky"].includes(style.position)) found.push(`${part.tagName} is ${style.position}`);
      if (part.matches("button, input, form, iframe, img, video, audio, object, embed, svg, script, style, dialog"))
        found.push(part.tagName);
      if ([...part.attributes].some((one) => /^(on|hx-|data-hx|id|name|style|target|ping|download)/.test(one.name)))
        found.push(part.outerHTML);
      const box = part.getBoundingClientRect();
      if (box.width && (box.left < frame.left - 1 || box.top < frame.top - 1) && !part.closest("pre, table"))
        found.push(`${part.tagName} leaves its card`);
    }
  }
  for (const button of document.querySelectorAll("#pair button.verdict")) {
    const box = button.getBoundingClientRect();
    const under = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    if (!button.contains(under)) found.push(`over ${button.value} lies ${under?.outerHTML.slice(0, 80)}`);
  }
  return found;
}"""


def groups() -> list[tuple[str, str]]:
    """The corpus in couples of texts, a few to a text; every one is shown on both sides over the whole."""
    texts = ["\n\n".join(HOSTILE[at : at + AT_ONCE]) for at in range(0, len(HOSTILE), AT_ONCE)]
    return [(text, texts[(number + 1) % len(texts)]) for number, text in enumerate(texts)]


def click_everything(page: Page) -> None:
    """Every link of both cards, by mouse; each asks, and the rater stays."""
    for link in page.locator(".card .prose a[href]").all():
        link.dispatch_event("click")
        expect(page.locator("#leaving")).to_be_visible()
        page.locator("#leaving button").click()


def test_nothing_of_the_corpus_does_anything(sit: Sit) -> None:
    couples = groups()
    rater = sit(an_experiment_of(*couples))
    page, dialogs, popups = rater.page, [], []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.context.on("page", lambda opened: popups.append(opened.url))
    seen = ""
    for number in range(1, len(couples) + 1):
        expect(page.locator("#progress b")).to_have_text(str(number))
        address = page.url
        assert page.evaluate(REACHING_OUT) == []
        click_everything(page)
        assert page.url == address
        seen += page.locator(".card").first.inner_text()
        if number < len(couples):
            rater.rest()
            page.keyboard.press("1")
    assert (dialogs, popups) == ([], [])
    assert "alert(1)" in seen  # the corpus was there
    assert rater.verdicts() == ["left"] * (len(couples) - 1)


def test_a_link_asks_where_to_and_opens_beside_the_page(sit: Sit) -> None:
    rater = sit(an_experiment_of(("[read on](https://bank.example@evil.example/a)", "plain")))
    page = rater.page
    opened: list[str] = []
    page.context.route("https://evil.example/**", lambda route: (opened.append(route.request.url), route.abort()))
    link = page.get_by_role("link", name="read on")
    expect(link.locator("..")).to_contain_text("(evil.example)")
    for press in ({}, {"button": "middle"}):
        link.click(**press)
        expect(page.locator("#leaving-place")).to_have_text("evil.example")
        page.get_by_role("button", name="Stay here").click()
    assert opened == []
    link.focus()
    page.keyboard.press("Enter")
    with page.context.expect_page() as beside:
        page.get_by_role("link", name="Open it").click()
    beside.value.close()
    expect(page.locator("#leaving")).to_be_hidden()
    assert page.url.endswith("/rate/")


def test_whatever_the_policy_refuses_is_a_complaint(sit: Sit) -> None:
    rater = sit(an_experiment_of(("one", "other")))
    page = rater.page
    with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        page.evaluate("document.head.append(Object.assign(document.createElement('style'), {textContent: 'p {}'}))")
    assert [one for one in rater.complaints if "Content Security Policy" in one]
    rater.forgive("Content Security Policy")


def test_what_the_policy_refused_fails_a_test_that_does_not_ask(live_server: LiveServer, browser: Browser) -> None:
    watched = a_page(browser, live_server.url)
    page, _ = watched.__enter__()
    page.goto(f"{live_server.url}/login/")
    with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        page.evaluate("document.body.append(Object.assign(new Image(), {src: 'https://elsewhere.example/x.png'}))")
    with pytest.raises(AssertionError, match="Security Policy"):
        watched.__exit__(None, None, None)
