"""Whoever is done leaves nothing behind in the browser: no draft, no page, no copy of a pair."""

import re
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from ratings.links import replace
from ratings.models import Rater
from tests.browser.conftest import Sit
from tests.browser.sitting import Sitting, an_experiment_of
from tests.factories import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
KEPT = """async () => ({
  local: {...localStorage}, session: {...sessionStorage}, caches: await caches.keys(),
  databases: (await indexedDB.databases()).map((one) => one.name),
  workers: (await navigator.serviceWorker.getRegistrations()).length,
})"""
NOTHING = {"local": {}, "session": {}, "caches": [], "databases": [], "workers": 0}


def kept(page: Page) -> Any:
    """Whatever the browser stores for the site, but for the address on the screen, which htmx notes."""
    found = page.evaluate(KEPT)
    found["session"].pop("htmx-current-path-for-history", None)
    return found


def a_rater_with_a_draft(sit: Sit) -> Sitting:
    """Somebody who wrote half a comment."""
    rater = sit(an_experiment_of(("One.", "Two.")))
    rater.page.keyboard.press("c")
    rater.page.get_by_role("textbox", name="Comment").fill("The customer's own words.")
    assert "The customer's own words." in str(kept(rater.page))
    return rater


def test_after_the_last_pair_nothing_is_kept(sit: Sit) -> None:
    rater = a_rater_with_a_draft(sit)
    rater.page.evaluate("localStorage.setItem('draft:of-an-older-pair', 'quoted')")
    rater.button("left").click()
    expect(rater.page.get_by_role("heading", name="That was the last one. Thank you.")).to_be_visible()
    assert kept(rater.page) == NOTHING


def test_no_request_tells_the_link_that_somebody_came_by(sit: Sit) -> None:
    """A proxy that keeps no addresses of links would still keep them as what other requests were sent from."""
    rater = sit(an_experiment_of(("One.", "Two.")))
    link = replace(rater=rater.rater).url.removeprefix(settings.PUBLIC_URL)
    told: list[str] = []
    rater.page.on("request", lambda request: told.append(request.all_headers().get("referer", "")))
    rater.open(link)
    rater.page.get_by_role("button", name=re.compile("Start|Go on|go on")).click()
    expect(rater.page.get_by_role("heading", name="Instructions")).to_be_visible()
    assert f"{rater.origin}/" in told
    assert not [one for one in told if "/r/" in one]


def test_a_withdrawn_link_takes_the_draft_with_it(sit: Sit) -> None:
    rater = a_rater_with_a_draft(sit)
    Rater.objects.update(revoked_at=NOW)
    rater.page.reload()
    expect(rater.page.get_by_role("heading", name="This link has been withdrawn.")).to_be_visible()
    assert kept(rater.page) == NOTHING
    rater.forgive("status of 403")


def test_signing_out_takes_the_draft_with_it(sit: Sit) -> None:
    rater = a_rater_with_a_draft(sit)
    rater.page.evaluate(
        """() => { const form = document.createElement("form"); form.method = "post"; form.action = "/logout/";
        form.append(document.querySelector("input[name=csrfmiddlewaretoken]").cloneNode());
        document.body.append(form); form.submit(); }"""
    )
    expect(rater.page).to_have_url(f"{rater.origin}/login/")
    assert kept(rater.page) == NOTHING
