"""The owner's whole way in a real Chromium: from the link that makes the first account to the exported report."""

import csv
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsing import a_page
from tests.fakes.model_server import Asked, ModelServer, Reply, answers
from tests.journeys.drivers import Installation, RaterBrowser

pytestmark = [pytest.mark.processes, pytest.mark.browser]

PASSWORD = "a passphrase of some length"
TOPICS = ("late", "broken", "lost", "refunded", "invoiced", "blocked", "dyed", "sized", "wrapped", "booked")
SAMPLE = 6


def log(folder: Path) -> Path:
    """Forty good rows, one bad one, and an address that should go no further."""
    rows = [
        {
            "ticket": f"t-{number}",
            "said": f"My order {number} was {TOPICS[number % 10]}. What now?{' Please hurry.' * (number % 4)}",
            "tags": [("delivery", "billing")[number % 2]],
        }
        for number in range(40)
    ]
    for row in rows:
        row["said"] += " Write to ada@example.org."
    path = folder / "log.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {"ticket": "t-40"}]))
    return path


def answered(asked: Asked) -> Reply:
    """Two systems that answer differently, and never saw an address."""
    if "ada@example.org" in asked.prompt:
        return answers("The address came through.")
    return answers(f"As {asked.body.get('model')} I would look into it: {asked.prompt[:24]}", ttft=0.01)


def test_from_the_first_link_to_the_exported_report(browser: Browser, tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    said = tmp_path / "said.txt"
    with (
        ModelServer(answered) as server,
        installation.serving(said=said) as address,
        a_page(browser, address, accept_downloads=True) as (page, complaints),
    ):
        makes_the_first_account(page, address, said)
        adds_an_endpoint(page, server.base_url)
        begins_an_experiment(page)
        takes_a_sample(page, log(tmp_path))
        swaps_an_input(page)
        for name, model in (("candidate", "small"), ("api", "large")):
            adds_a_system(page, name, model)
        plans(page)
        collects(page)
        assert not any("ada@example.org" in prompt for prompt in server.counts)
        links = opens_and_invites(page)
        done = [RaterBrowser(link).rate_all(lambda _page: "left") for link in links]
        assert done == [SAMPLE, SAMPLE]
        table = closes_and_exports(page, tmp_path)
        assert complaints == []
    rows = list(csv.DictReader(table.open()))
    assert len(rows) == 2 * SAMPLE
    assert {rows[0]["left"], rows[0]["right"]} == {"candidate", "api"}


def makes_the_first_account(page: Page, address: str, said: Path) -> None:
    link = re.search(r"http\S+/welcome/\S+", said.read_text())
    assert link is not None
    page.goto(address + urlsplit(link[0]).path)
    page.get_by_label("E-mail").fill("owner@example.org")
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    page.locator("main form button").first.click()
    expect(page.get_by_role("heading", name="Experiments")).to_be_visible()


def adds_an_endpoint(page: Page, base_url: str) -> None:
    page.get_by_role("link", name="Endpoints").click()
    page.get_by_role("link", name="Add an endpoint").click()
    page.get_by_label("Name", exact=True).fill("our server")
    page.get_by_label("Address").fill(base_url)
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name="Test our server").click()
    expect(page.get_by_text("It works.")).to_be_visible()


def begins_an_experiment(page: Page) -> None:
    page.get_by_role("link", name="Experiments", exact=True).click()
    page.get_by_role("link", name="New experiment").click()
    page.get_by_label("Title").fill("Support answers")
    page.get_by_label("Question to the raters").fill("Which answer would you rather send?")
    page.get_by_role("button", name="Save and go on to the inputs").click()


def takes_a_sample(page: Page, file: Path) -> None:
    page.get_by_label("A log of your own traffic").set_input_files(file)
    page.get_by_role("button", name="Look at it first").click()
    expect(page.get_by_role("heading", name="0 inputs found")).to_be_visible()
    page.get_by_label("Input", exact=True).select_option("said")
    page.get_by_label("Id", exact=True).select_option("ticket")
    page.get_by_role("button", name="Read again").click()
    expect(page.get_by_role("heading", name="40 inputs found")).to_be_visible()
    expect(page.get_by_text("1 row cannot be used.")).to_be_visible()
    expect(page.get_by_text("Found in these rows: 40 e-mail addresses.")).to_be_visible()
    page.get_by_label("Mask them").check()
    page.get_by_label("Take only so many").fill(str(SAMPLE))
    page.get_by_role("button", name="good rows").click()
    expect(page.get_by_text(f"{SAMPLE} inputs were added.")).to_be_visible()


def swaps_an_input(page: Page) -> None:
    page.locator(".sampled summary").click()
    expect(page.get_by_role("row", name="delivery")).to_be_visible()
    first = page.locator(".inputs summary").first
    was = first.inner_text()
    first.click()
    page.get_by_role("link", name="for another row").first.click()
    page.get_by_role("button", name="Draw another row").click()
    expect(page.get_by_text("is in its place now")).to_be_visible()
    assert page.locator(".inputs summary").first.inner_text() != was
    page.get_by_role("link", name="Go on to the systems").click()


def adds_a_system(page: Page, name: str, model: str) -> None:
    page.get_by_role("link", name="Add a system").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Endpoint").select_option(index=1)
    page.get_by_label("Model", exact=True).fill(model)
    if name == "api":
        page.get_by_label("This is the system in use today").check()
    page.get_by_role("button", name="Add the system").click()
    expect(page.get_by_text(f"“{name}” is added.")).to_be_visible()


def plans(page: Page) -> None:
    page.get_by_role("link", name="Go on to the plan").click()
    page.get_by_label("Judgments for each pair").fill("2")
    page.get_by_role("button", name="Save the plan").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.get_by_role("button", name="Save and go on to collecting").click()


def collects(page: Page) -> None:
    page.get_by_role("button", name="Start collecting").click()
    expect(page.get_by_text("Every answer is here.")).to_be_visible()
    page.get_by_role("link", name="Check the outputs").click()


def opens_and_invites(page: Page) -> list[str]:
    """Seals, and gives the links of two raters."""
    flagged = page.get_by_label("All on this page")
    if flagged.count():
        flagged.check()
        page.get_by_role("button", name="Mask the names").click()
    page.get_by_role("link", name="Open rating…").click()
    page.get_by_role("button", name="Seal and open rating").click()
    page.get_by_label("Or so many links").fill("2")
    page.get_by_role("button", name="Make links").click()
    expect(page.get_by_role("heading", name="2 new links")).to_be_visible()
    return [str(code.text_content()) for code in page.locator("code[id^=link-]").all()]


def closes_and_exports(page: Page, folder: Path) -> Path:
    """Ends rating, reads the report and takes the judgments along."""
    page.get_by_role("link", name="Raters", exact=True).click()
    page.get_by_role("link", name="Close rating…").first.click()
    page.get_by_role("button", name="Close rating").click()
    expect(page.get_by_text("6 e-mail addresses, masked before anything was sent")).to_be_visible()
    expect(page.get_by_role("region", name="The three numbers")).to_be_visible()
    page.get_by_role("link", name="Export", exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name=re.compile("CSV", re.I)).first.click()
    table = folder / "judgments.csv"
    waiting.value.save_as(table)
    return table
