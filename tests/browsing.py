"""A real Chromium for tests, and what it complained about while a page was open."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests import needs

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE_MS = 120_000  # a busy machine is no fault
REFUSED = re.compile("content security policy|trusted(html|script|types)|permissions policy", re.IGNORECASE)
WIDTHS = {"desk": (1440, 900), "tablet": (768, 1024), "phone": (390, 844), "narrow": (320, 640)}


@contextmanager
def launched() -> Iterator[Browser]:
    """A headless Chromium for as long as the block lasts."""
    path = needs.chromium()
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS, timeout=PATIENCE_MS)
        try:
            yield browser
        finally:
            browser.close()


class Complaints(list[str]):
    """What a page complained about: uncaught errors, refused content, console errors, requests to elsewhere."""

    def watch(self, page: Page, origin: str) -> None:
        """Note every complaint of the page from now on."""
        page.on("pageerror", lambda error: self.append(f"error: {error}"))
        page.on("console", self._heard)
        page.on(
            "request", lambda request: None if request.url.startswith((origin, "data:")) else self.append(request.url)
        )

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.append(f"{message.type}: {message.text}")


@contextmanager
def a_page(
    browser: Browser, origin: str, *, size: str = "desk", **options: object
) -> Iterator[tuple[Page, Complaints]]:
    """A page in a context of its own, watched; options are those of a Playwright context.

    Whatever the test forgives or forgets to ask: at the end the policy of the pages has refused nothing.
    """
    width, height = WIDTHS[size]
    context: BrowserContext = browser.new_context(viewport={"width": width, "height": height}, **options)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    page, complaints = context.new_page(), Complaints()
    complaints.watch(page, origin)
    try:
        yield page, complaints
    finally:
        context.close()
    refused = [one for one in complaints if REFUSED.search(one)]
    assert not refused, refused
