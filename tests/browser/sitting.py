"""A rater at a real Chromium: sits down with a link already exchanged, presses keys, and never waits by the clock."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from django.conf import settings
from playwright.sync_api import Locator, Page, Request, Route, expect

from experiments.models import Experiment, Output
from experiments.rendering import render
from ratings.links import Link
from ratings.models import Judgment, Rater
from tests.browsing import PATIENCE_MS, Complaints
from tests.ratings.driving import an_open_experiment

QUIET_MS = 400


@dataclass
class Sitting:
    """One rater in one window; `sent` are the requests for anything but static files."""

    page: Page
    complaints: Complaints
    origin: str
    rater: Rater
    sent: list[Request] = field(default_factory=list)

    def open(self, path: str = "/rate/") -> None:
        """Go to a page."""
        self.page.goto(f"{self.origin}{path}")

    def intercept(self, handle: Callable[[Route], None]) -> None:
        """Have every answer that is sent from here on handled.

        In a page that is loaded for it: from one that is there already, the first request may slip past.
        """

        def sent(route: Route) -> None:
            if route.request.method == "POST":
                handle(route)
            else:
                route.continue_()

        self.page.route("**/rate/", sent)
        self.page.reload()

    def until(self, holds: Callable[[], bool]) -> None:
        """Let the browser go on until something holds."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not holds():
            assert time.monotonic() < deadline, "it never came about"
            self.page.wait_for_timeout(20)

    def rest(self) -> None:
        """Let the quiet time after a new pair pass, without waiting for it."""
        self.page.clock.fast_forward(QUIET_MS + 1)

    def stop_time(self) -> None:
        """From now on time passes only when it is told to."""
        self.page.clock.pause_at(self.page.evaluate("Date.now()") + 10_000)

    def arrived(self, number: int) -> None:
        """The pair with this number is on the screen, ready for keys."""
        expect(self.page.locator("#progress b")).to_have_text(str(number))
        self.rest()

    def judge(self, *keys: str, first: int = 1) -> None:
        """Press a key for each pair from pair `first` on; the last one must not end the rating."""
        for number, key in enumerate(keys, first):
            self.page.keyboard.press(key)
            self.arrived(number + 1)

    def verdicts(self) -> list[str]:
        """The current judgments, in the order in which the pairs were given."""
        rows = Judgment.objects.current().filter(assignment__rater=self.rater).order_by("assignment__position")
        return list(rows.values_list("verdict", flat=True))

    def button(self, value: str) -> Locator:
        """A button of the pair by the value it posts."""
        return self.page.locator(f"#pair button[value={value}]")

    def handle(self) -> str:
        """The handle of the pair on the screen."""
        return self.page.locator("#pair input[name=assignment]").input_value()

    def texts(self) -> list[str]:
        """What cards A and B say."""
        return self.page.locator(".card > .prose").all_inner_texts()

    def posts(self, path: str = "/rate/") -> list[dict[str, list[str]]]:
        """The fields of every POST to a path so far."""
        address = f"{self.origin}{path}"
        sent = [one for one in self.sent if one.method == "POST" and one.url == address]
        return [parse_qs(one.post_data or "") for one in sent]

    def forgive(self, *words: str) -> None:
        """Chromium and htmx report a failed request as an error by themselves: one with these words was meant."""
        self.complaints[:] = [one for one in self.complaints if not any(word in one for word in words)]


def path_of(link: Link) -> str:
    """The path of a personal link, wherever it is served."""
    return link.url.removeprefix(settings.PUBLIC_URL)


def an_experiment_of(*texts: tuple[str, str], inputs: list[str] | None = None, **fields: object) -> Experiment:
    """Open for rating, with an input for each couple of Markdown texts."""
    experiment = an_open_experiment(inputs=len(texts), **fields)
    for number, (item, couple) in enumerate(zip(experiment.inputs.order_by("position"), texts, strict=True)):
        if inputs:
            item.messages = [{"role": "user", "content": inputs[number]}]
            item.save(update_fields=["messages"])
        for output, text in zip(Output.objects.filter(input=item).order_by("pk"), couple, strict=True):
            Output.objects.filter(pk=output.pk).update(text=text, html=render(text))
    return experiment
