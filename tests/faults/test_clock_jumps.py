"""The server's clock jumps an hour on and two back in the middle of its work: nothing twice, nothing stuck."""

from collections import Counter
from pathlib import Path

import pytest

from tests import needs
from tests.fakes.model_server import Asked, ModelServer, Reply
from tests.faults.asked import add_asked, fetched, polite
from tests.faults.assault import rows
from tests.faults.killable import Web, folders, started, until
from tests.faults.scene import set_up
from tests.journeys.drivers import Installation, RaterBrowser

pytestmark = pytest.mark.processes
INPUTS = 24


def slowly(asked: Asked) -> Reply:
    return polite(asked, ttft=0.2)


# The library does not understand the way in which Python sleeps; a process that it watches sleeps in another one.
SLEEP = """
import select, time
time.sleep = lambda seconds: select.select([], [], [], seconds) and None
"""


def under_another_clock(web: Web, folder: Path) -> Path:
    """The file that says how wrong the server's clock goes."""
    clock = folder / "clock"
    clock.write_text("+0")
    (folder / "sitecustomize.py").write_text(SLEEP)
    web.environment |= {
        "LD_PRELOAD": needs.libfaketime(),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
        "PYTHONPATH": str(folder),
    }
    return clock


def test_jumps_of_an_hour_double_nothing_and_hold_nothing_up() -> None:
    with folders("here") as (folder,), ModelServer(slowly) as server:
        here = Installation(folder)
        (links,) = set_up(here, inputs=6, raters=1)
        add_asked(here, server.base_url, inputs=INPUTS)
        web = Web(here)
        clock = under_another_clock(web, folder)
        with started(web):
            rater = RaterBrowser(web.address + links[0])
            here.run("collect", "asked")
            for enough, jump in ((2, "+1h"), (8, "-1h"), (14, "+0")):
                until(lambda: fetched(here) >= enough)  # noqa: B023 - called at once
                clock.write_text(jump)
                rater.answer("left")
            until(lambda: fetched(here) == INPUTS)
            while rater.pair():
                rater.answer("right")
        assert rows(here, "SELECT count(*) FROM ratings_judgment") == [(6,)]
        assert rows(here, "SELECT count(DISTINCT assignment_id) FROM ratings_judgment") == [(6,)]
        asked = Counter(one.prompt for one in server.posts if one.prompt.startswith("Question"))
        assert len(asked) == INPUTS
        outputs = rows(here, "SELECT count(*) FROM experiments_output WHERE text LIKE 'You said:%'")
        assert outputs == [(INPUTS,)], "one effect for each"
