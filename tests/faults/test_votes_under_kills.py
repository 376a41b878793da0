"""Whatever is killed, an acknowledged judgment is there, once; and sending again was needed."""

import pytest

from tests.faults.assault import Outcome, compare, kill_while_voting
from tests.faults.killable import Postgres, Redis, Web, Worker, folders, scaled, started
from tests.faults.scene import set_up
from tests.faults.voters import Tally
from tests.journeys.drivers import Installation

pytestmark = pytest.mark.processes
RATERS, INPUTS = 6, 40
VOTES = RATERS * INPUTS
CUT_SHARE = 0.05  # of the answers are lost on their way as well, so that the proof does not hang on a lucky moment


def check(outcome: Outcome, tally: Tally) -> None:
    assert outcome == Outcome(acknowledged=VOTES, lost=0, doubled=0, drift=0, absorbed=outcome.absorbed)
    assert outcome.absorbed > 0, "nothing was sent again in vain: the test proves nothing"
    assert tally.broken > 0
    assert set(tally.statuses) <= {200, 303, 503}
    assert all("retry-after" in one.headers for one in tally.refusals)


def test_the_one_server_killed_three_times_on_sqlite() -> None:
    with folders("here") as (folder,):
        here = Installation(folder)
        (links,) = set_up(here, inputs=INPUTS, raters=RATERS)
        web = Web(here)
        with started(web):
            tally = kill_while_voting(web.port, [[one] for one in links], [web] * 3, votes=VOTES, cut_share=CUT_SHARE)
        check(compare(here, tally), tally)


@pytest.mark.postgres
@pytest.mark.redis
def test_each_of_four_servers_killed_on_postgres() -> None:
    with folders("here", "postgres", "redis") as (folder, at_postgres, at_redis):
        postgres, broker = Postgres(at_postgres), Redis(at_redis)
        with started(postgres, broker):
            here = scaled(folder, postgres, broker)
            (links,) = set_up(here, inputs=INPUTS, raters=RATERS)
            web, worker = Web(here), Worker(here)
            with started(web, worker):
                seats = [[one] for one in links]
                victims = [web, postgres, broker, worker]
                tally = kill_while_voting(web.port, seats, victims, votes=VOTES, cut_share=CUT_SHARE)
            check(compare(here, tally), tally)
