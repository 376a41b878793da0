"""After signing out the browser holds nothing of what it showed, and going back shows nothing."""

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from tests.browsing import a_page
from tests.factories import a_user, an_experiment

KEPT = "JSON.stringify([{...localStorage}, {...sessionStorage}]).toLowerCase()"
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_nothing_is_kept_and_going_back_shows_nothing(live_server: LiveServer, browser: Browser) -> None:
    experiment = an_experiment(owner=a_user(), title="A canary among titles")
    with a_page(browser, live_server.url) as (page, complaints):
        page.goto(f"{live_server.url}/login/")
        page.get_by_label("E-mail address").fill("owner@example.org")
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_role("button", name="Sign in").click()
        page.goto(f"{live_server.url}/experiments/{experiment.pk}/")
        expect(page.get_by_role("heading", name="A canary among titles")).to_be_visible()
        assert "canary" not in page.evaluate(KEPT)
        page.evaluate("localStorage.setItem('draft', 'canary'); sessionStorage.setItem('page', 'canary')")
        page.get_by_text("Account", exact=True).click()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert "canary" not in page.evaluate(KEPT)
        page.go_back()
        expect(page.get_by_text("A canary among titles")).to_have_count(0)
        assert complaints == []
