"""From an empty list to raters at work, in a real browser, without reading any documentation."""

import json
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as configured
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from experiments.models import Experiment
from tests.browsing import a_page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
INPUTS = [{"id": f"t-{n}", "input": f"Where is my parcel number {n}?"} for n in range(1, 7)]


@pytest.fixture
def owner(live_server: LiveServer, settings: Any, tmp_path: Path) -> User:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    return User.objects.create_user("owner@example.org")


def signed_in(page: Page, origin: str, user: User) -> None:
    client = Client()
    client.force_login(user)
    name = configured.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": origin}])


def clean(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], page.url
    fits(page)


def fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, page.url


def recorded(page: Page, name: str, *, baseline: bool) -> None:
    lines = [json.dumps({"id": row["id"], "output": f"{name} says {row['id']} is on its way."}) for row in INPUTS]
    page.get_by_role("link", name="Use recorded answers").click()
    page.get_by_label("Name", exact=True).fill(name.title())
    page.get_by_label("Or its text, pasted").fill("\n".join(lines))
    if baseline:
        page.get_by_label("This is the system in use today").check()
    page.get_by_role("button", name="Add the system").click()
    expect(page.get_by_text(f"“{name.title()}” is added.")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_an_owner_gets_from_nothing_to_raters(
    browser: Browser, live_server: LiveServer, owner: User, tmp_path: Path, scripts: bool
) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(row) + "\n" for row in INPUTS))
    size, look = ("desk", clean) if scripts else ("phone", fits)
    with a_page(browser, live_server.url, size=size, java_script_enabled=scripts) as (page, complaints):
        signed_in(page, live_server.url, owner)
        page.goto(live_server.url)
        page.get_by_role("link", name="Make the first experiment").click()
        page.get_by_label("Title").fill("Parcels")
        page.get_by_role("button", name="Save and go on to the inputs").click()
        page.get_by_label("A log of your own traffic").set_input_files(log)
        page.get_by_role("button", name="Look at it first").click()
        expect(page.get_by_role("heading", name="6 inputs found")).to_be_visible()
        look(page)
        page.get_by_role("button", name="Take these inputs").click()
        page.get_by_role("link", name="Go on to the systems").click()
        page.get_by_role("link", name="Add a system").click()
        recorded(page, "ours", baseline=False)
        look(page)
        page.get_by_role("link", name="Add a system").click()
        look(page)
        recorded(page, "theirs", baseline=True)
        page.get_by_role("link", name="Go on to the plan").click()
        expect(page.get_by_text("6 inputs make 6 pairs and 18 judgments")).to_be_visible()
        if scripts:
            page.get_by_label("Judgments for each pair").fill("2")
            expect(page.get_by_text("6 inputs make 6 pairs and 12 judgments")).to_be_visible()
        look(page)
        page.get_by_role("link", name="Overview").click()
        page.get_by_role("link", name="Open rating").click()
        page.get_by_role("button", name="Seal and open rating").click()
        expect(page.get_by_text("Rating is open with 6 pairs.")).to_be_visible()
        page.get_by_label("Names, one a line").fill("Dr. Weber")
        page.get_by_role("button", name="Make links").click()
        expect(page.locator("#link-1")).to_contain_text("/r/")
        assert Experiment.objects.get().status == "rating"
        assert complaints == []
