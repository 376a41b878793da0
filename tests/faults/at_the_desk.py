"""A rater in front of a pair while something goes wrong behind the page: what every trouble's test asks of both."""

from dataclasses import dataclass

import httpx

from tests.faults.assault import rows
from tests.faults.killable import Postgres, Web, until
from tests.journeys.drivers import Installation, RaterBrowser

UNSAVED = "your answer was not saved, it will be sent again"


@dataclass
class Sitting:
    """A rater, the page and the installation behind it."""

    here: Installation
    web: Web
    rater: RaterBrowser

    def vote(self) -> httpx.Response:
        """Judge the pair on the screen, or judge it again with the same key."""
        form = self.rater.pair()
        assert form is not None
        fields = form.fields | {"verdict": "left"}
        return self.rater.client.post(f"{self.web.address}/rate/", data=fields, timeout=60, follow_redirects=False)

    def next(self) -> None:
        """The next pair on the screen."""
        self.rater.page = self.rater.client.get(f"{self.web.address}/rate/")

    def judgments(self) -> int:
        """How many are stored."""
        return int(rows(self.here, "SELECT count(*) FROM ratings_judgment")[0][0])


@dataclass
class SittingOnPostgres(Sitting):
    """The same, with the server that can be troubled."""

    postgres: Postgres

    def hang_up(self) -> None:
        """Terminate every connection but our own, and see them gone."""
        hang_up(self.here)


def hang_up(here: Installation) -> None:
    """Terminate every connection to Postgres but our own, and see them gone."""
    others = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    rows(here, f"SELECT pg_terminate_backend(pid) {others}")
    until(lambda: rows(here, f"SELECT count(*) {others}") == [(0,)])


def apologises(answer: httpx.Response, status: int = 503) -> None:
    """The answer says that nothing was saved, and when to come again."""
    assert answer.status_code == status
    assert int(answer.headers["Retry-After"]) > 0
    assert UNSAVED in answer.text
