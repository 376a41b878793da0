"""The main job for one rater in a real Chromium: link, instructions, practice, fifty pairs, thanks; then the report."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tests.browsing import a_page
from tests.fakes.model_server import ModelServer
from tests.journeys import arena
from tests.journeys.drivers import Installation

pytestmark = [pytest.mark.processes, pytest.mark.browser]
KEYS = "1324134"
QUIET_MS = 400  # in which no key is taken
IMPATIENT = 10  # so many pairs are pressed at before that; for the others nobody waits


def test_one_rater_rates_fifty_pairs_by_key_and_the_owner_reads_the_result(browser: Browser, tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.make_ready()
    with ModelServer(arena.Replays()) as model_server, installation.serving() as address:
        file = arena.experiment_file(tmp_path / "mine", model_server.base_url)
        slug = str(installation.facts("add_experiment", str(file))["slug"])
        installation.run("collect", slug, "--wait")
        installation.run("open_rating", slug, "--release-flagged")
        [link] = installation.facts("invite", slug, "--raters", "1")
        with a_page(browser, address) as (page, complaints):
            page.clock.install()
            page.goto(address + "/r/" + link["url"].split("/r/")[1])
            rates_everything(page)
            assert complaints == []
        installation.run("close", slug)
        report = json.loads(installation.run("report", slug, "--format", "json"))
        assert report["counts"]["judgments"] == 50
        assert report["counts"]["raters"] == 1


def rates_everything(page: Page) -> None:
    page.get_by_role("button", name="Start").click()
    assert "/r/" not in page.url
    page.goto(page.url.split("/rate/")[0] + "/rate/")
    for turn in range(50):
        expect(page.locator("#pair")).to_be_visible()
        expect(page.get_by_text(f"Pair {turn + 1} of 50", exact=True)).to_be_visible()
        handle = page.locator("#pair input[name=assignment]").input_value()
        if turn >= IMPATIENT:
            page.clock.fast_forward(QUIET_MS + 1)
        press_until_taken(page, KEYS[turn % len(KEYS)], handle)
    page.wait_for_url("**/rate/done/")


def press_until_taken(page: Page, key: str, handle: str) -> None:
    """Press as an impatient person would: a key in the first 400 ms is not taken, so press again."""
    for _ in range(400):
        page.keyboard.press(key)
        try:
            page.wait_for_function(
                "handle => document.querySelector('#pair input[name=assignment]')?.value !== handle",
                arg=handle,
                timeout=500,
            )
        except PlaywrightTimeoutError:
            continue
        return
    raise AssertionError(f"the key {key} was never taken")
