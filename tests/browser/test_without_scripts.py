"""With scripts off every form still works, from the link to the last thank-you."""

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from experiments.models import Criterion
from ratings import links
from ratings.models import Assignment, CriterionVerdict, Guess, Judgment
from tests.browser.sitting import path_of
from tests.browsing import a_page
from tests.ratings.driving import an_open_experiment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_whole_way(live_server: LiveServer, browser: Browser) -> None:
    experiment = an_open_experiment(inputs=3, ask_guess=True)
    Criterion.objects.create(experiment=experiment, position=1, name="accuracy")
    (link,) = links.invite(experiment=experiment)
    with a_page(browser, live_server.url, java_script_enabled=False) as (page, complaints):
        pair = page.locator("#progress b")
        page.goto(live_server.url + path_of(link))
        page.get_by_role("button", name="Start").click()
        page.get_by_role("link", name="Two pairs to practise").click()
        page.get_by_role("button", name="A is better").click()
        page.get_by_role("button", name="Next").click()
        page.get_by_role("button", name="Skip the practice").click()
        expect(page.locator(".scripted:visible")).to_have_count(0)
        page.get_by_text("Aa", exact=True).click()
        page.get_by_role("radio", name="Dark").check()
        page.get_by_role("button", name="Apply").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.get_by_role("button", name="A is better").click()
        expect(pair).to_have_text("1")
        for number in (1, 2):
            expect(pair).to_have_text(str(number))
            page.get_by_role("group", name="accuracy").get_by_role("radio", name="B better").check()
            page.locator("#comment summary").click()
            page.get_by_role("textbox", name="Comment").fill(f"Said of {number}")
            page.get_by_role("button", name="A is better").click()
            page.get_by_role("button", name="No idea").click()
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_role("textbox", name="Comment")).to_have_value("Said of 2")
        page.get_by_role("button", name="Both bad").click()
        expect(pair).to_have_text("3")
        page.locator("#cant summary").click()
        page.get_by_role("button", name="Not my field").click()
        expect(page.get_by_role("heading", name="That was the last one.")).to_be_visible()
        assert complaints == []
    assert list(Judgment.objects.current().order_by("assignment__position").values_list("verdict", "layout")) == [
        ("left", ""),
        ("both_bad", ""),
    ]
    assert CriterionVerdict.objects.count() == 3
    assert set(Guess.objects.values_list("side", flat=True)) == {"unsure"}
    assert Assignment.objects.get(skipped_at__isnull=False).skip_reason == "not_my_field"
