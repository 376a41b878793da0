"""Seats at the desk: a window for each rater, and at the end not one complaint from any of them."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Request
from pytest_django.live_server_helper import LiveServer

from experiments.models import Experiment
from ratings.models import Rater
from tests.browser.sitting import Sitting
from tests.browsing import a_page
from tests.ratings.driving import a_seated_client


class Sit(Protocol):
    """Opens a window in which a rater of the experiment (a new one, unless given) sees the desk."""

    def __call__(
        self, experiment: Experiment, *, beside: Sitting | None = None, path: str = "/rate/", **options: object
    ) -> Sitting: ...


@pytest.fixture
def sit(live_server: LiveServer, browser: Browser) -> Iterator[Sit]:
    """Windows that close by themselves; a console error, a refused style or a request to elsewhere fails the test."""
    sittings: list[Sitting] = []
    with ExitStack() as windows:

        def seat(
            experiment: Experiment, *, beside: Sitting | None = None, path: str = "/rate/", **options: object
        ) -> Sitting:
            if beside:
                page, complaints = beside.page.context.new_page(), beside.complaints
                complaints.watch(page, live_server.url)
                rater = beside.rater
            else:
                page, complaints = windows.enter_context(a_page(browser, live_server.url, **options))
                cookies = a_seated_client(experiment).cookies
                page.context.add_cookies(
                    [{"name": name, "value": one.value, "url": live_server.url} for name, one in cookies.items()]
                )
                page.clock.install()
                rater = Rater.objects.latest("pk")
            sitting = Sitting(page, complaints, live_server.url, rater)
            page.on("request", lambda request: _note(sitting, request))
            sittings.append(sitting)
            sitting.open(path)
            return sitting

        yield seat
        complaints = [complaint for one in sittings for complaint in one.complaints]
    assert complaints == []


def _note(sitting: Sitting, request: Request) -> None:
    if "/static/" not in request.url:
        sitting.sent.append(request)
