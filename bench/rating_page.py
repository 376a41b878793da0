"""From the click on a verdict until the next pair is painted in Chromium, beside a bare Django page of the same texts.

    .venv/bin/python bench/rating_page.py [--pairs 40]

Both are served by gunicorn on loopback, in processes of their own; the bare page has no database, no session and no
style, and answers its form with the next two texts. Goal: a next pair within 40 ms (median).
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

from playwright.sync_api import Browser, Page

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))
from tests.browsing import launched  # noqa: E402 - after the path is set
from tests.journeys.drivers import Installation, stop, wait_until_ready  # noqa: E402
from tests.servers import free_port  # noqa: E402

WARMING_UP = 5
SETTLE_MS = 120  # between clicks, so that one pair's work does not count for the next
WATCH = """
    const now = () => performance.timeOrigin + performance.now();
    const painted = () => requestAnimationFrame(() => {
        const after = new MessageChannel();
        after.port1.onmessage = () => {
            if (!sessionStorage.clicked) return;
            const taken = JSON.parse(sessionStorage.taken ?? "[]");
            sessionStorage.taken = JSON.stringify([...taken, now() - sessionStorage.clicked]);
            sessionStorage.clicked = "";
        };
        after.port2.postMessage(0);
    });
    addEventListener("click", event => {
        if (event.target.closest("button[name=verdict]")) sessionStorage.clicked = now();
    }, true);
    addEventListener("DOMContentLoaded", () => {
        painted();
        new MutationObserver(changes => {
            if (changes.some(change => [...change.addedNodes].some(node => node.id === "pair"))) painted();
        }).observe(document.body, { childList: true, subtree: true });
    });
"""
BARE = '''
import json, os
import django
from django.conf import settings
settings.configure(DEBUG=False, SECRET_KEY="bare", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__,
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}])
django.setup()
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.template import engines
from django.urls import path
TEXTS = json.load(open(os.environ["TEXTS"]))
PAGE = engines["django"].from_string("""<!doctype html><title>Pair</title><form id="pair" method="post">
<input type="hidden" name="number" value="{{ number }}"><p>{{ request }}</p><pre>{{ left }}</pre><pre>{{ right }}</pre>
<button name="verdict" value="left">A</button></form>""")
def page(request):
    number = int(request.POST.get("number", -1)) + 1
    asked, left, right = TEXTS[number % len(TEXTS)]
    return HttpResponse(PAGE.render({"number": number, "request": asked, "left": left, "right": right}))
urlpatterns = [path("", page)]
application = get_wsgi_application()
'''


EXPERIMENT = """
title = "Bench"
question = "Which answer would you rather send?"
inputs = "inputs.jsonl"
baseline = "one"
[systems.one]
outputs = "hosted.jsonl"
[systems.other]
outputs = "managed.jsonl"
"""
FILES = ("inputs.jsonl", "hosted.jsonl", "managed.jsonl")


def main() -> int:
    """Print a line for each of the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=40, help="how many clicks are timed, at most 44")
    pairs = min(44, parser.parse_args().pairs)
    with tempfile.TemporaryDirectory(prefix="blindpair-bench-") as place, launched() as browser:
        folder = Path(place)
        with bare(folder) as address, desk(folder) as link:
            pages = {"a bare Django page": seated(browser, address), "the rating desk": seated(browser, link)}
            for _ in range(WARMING_UP + pairs):
                for page in pages.values():  # in turn, so that a busy machine is as busy for both
                    click(page)
            for name, page in pages.items():
                show(name, json.loads(page.evaluate("sessionStorage.taken"))[WARMING_UP:])
    return 0


def show(name: str, taken: list[float]) -> None:
    """A line of figures."""
    high = quantiles(taken, n=20)[-1]
    print(
        f"{name:20} {len(taken)} clicks: next pair painted after {median(taken):.1f} ms (median), {high:.1f} ms (p95)"
    )


def seated(browser: Browser, address: str) -> Page:
    """A window that shows the first pair; a personal link is exchanged first."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.add_init_script(WATCH)
    page.goto(address)
    if "/r/" in address:
        page.get_by_role("button", name="Start").click()
        page.goto(address.split("/r/", maxsplit=1)[0] + "/rate/")
    return page


def click(page: Page) -> None:
    """Choose A and see the next pair."""
    before = page.evaluate("sessionStorage.taken ?? ''")
    page.locator("button[name=verdict]").first.click()
    while page.evaluate("sessionStorage.taken ?? ''") == before:
        page.wait_for_timeout(10)
    page.wait_for_timeout(SETTLE_MS)


@contextmanager
def desk(folder: Path) -> Iterator[str]:
    """The product with its own sample of fifty inputs open for rating; the address of a rater's link."""
    installation = Installation(folder)
    installation.run("migrate", "--verbosity", "0")
    for name in FILES:
        shutil.copy(CHECKOUT / "samples" / name, folder)
    (folder / "bench.toml").write_text(EXPERIMENT)
    experiment = str(installation.facts("add_experiment", str(folder / "bench.toml"))["id"])
    installation.run("open_rating", experiment, "--release-flagged")
    with installation.serving() as address:
        (link,) = installation.facts("invite", experiment, "--raters", "1")
        yield address + link["url"][link["url"].index("/r/") :]


@contextmanager
def bare(folder: Path) -> Iterator[str]:
    """Gunicorn with the least that Django can be, and the sample's texts."""
    (folder / "bare.py").write_text(BARE)
    (folder / "texts.json").write_text(json.dumps(texts()))
    port = free_port()
    words = [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", "--threads", "16", "--log-level", "warning"]
    with subprocess.Popen(
        [*words, "bare:application"],
        cwd=folder,
        env=os.environ | {"TEXTS": str(folder / "texts.json")},
        start_new_session=True,
    ) as server:
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/")
            yield f"http://127.0.0.1:{port}/"
        finally:
            stop(server)


def texts() -> list[tuple[str, str, str]]:
    """Input and both outputs of every sample."""
    asked, *answers = ([json.loads(line) for line in (CHECKOUT / "samples" / name).open()] for name in FILES)
    left, right = ({row["id"]: row["output"] for row in rows} for rows in answers)
    both = [row for row in asked if row["id"] in left and row["id"] in right]
    return [(str(row.get("input", row.get("messages"))), left[row["id"]], right[row["id"]]) for row in both]


if __name__ == "__main__":
    sys.exit(main())
