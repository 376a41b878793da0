"""Every owner page and the rating cycle in an installation of 1,000 experiments with 1,000,000 judgments.

    .venv/bin/python bench/scale.py [--only sqlite|postgres] [--experiments 1000] [--judgments 1000000]
        [--large 100000] [--data FOLDER]

Three experiments (collecting, rating, closed) and one to rate in are made by the product itself, judgments imported;
SQL then copies them as often as it takes, every third copy put away. Among them stand two large ones of each kind:
one with `--large` judgments, one with half of them, since some pages show less beyond a size. Pages are asked through
the whole application in this process, warm, spread over the copies; the test of how many queries a page asks sees to it
that none is forgotten (`tests/owner_pages.py`). The rating cycle is measured before the copies are made and after. The
throw-away Postgres gathers no statistics by itself; so what its autovacuum does in production within a minute,
VACUUM ANALYZE, is done before each measurement. Goals: every page within 200 ms at p95, the cycle no slower. Exit 1
where a page is over.
With `--data` an SQLite installation is kept there, and found there again.
"""

import argparse
import logging
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import product
from pathlib import Path
from statistics import median, quantiles

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))
sys.path.insert(0, str(CHECKOUT / "bench"))
import filling  # noqa: E402 - after the path is set
from copying import STEP, copy_everything  # noqa: E402 - likewise

from tests import owner_pages  # noqa: E402 - likewise
from tests.servers import postgres  # noqa: E402 - likewise

GOAL_MS = 200
SPREAD, REPEATS, CYCLES = 12, 3, 60
EACH = 2 * filling.RIVALS * 50  # judgments that one more rater adds to a copy
VOTES_A_PAIR, EACH_RATER = 20, 500  # in the large ones
SECRETS = {
    "SECRET_KEY": "b3" * 30 + "xyzuvwqr",
    "BLINDPAIR_ENCRYPTION_KEYS": "a2V5IG9mIGEgYmVuY2gsIG9mIG5vIHVzZSBlbHNlLi4=",
}
TOKEN = "a-token-for-the-bench-only"


def main() -> int:
    """Run every leg in a process of its own, since settings are read once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    parser.add_argument("--experiments", type=int, default=1000)
    parser.add_argument("--judgments", type=int, default=1_000_000)
    parser.add_argument("--large", type=int, default=100_000, help="judgments in the largest experiment of a kind")
    parser.add_argument("--data", type=Path, help="keep the SQLite installation in this folder, or find it there")
    parser.add_argument("--leg", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.leg:
        return leg(given)
    missed = 0
    for name in [given.only] if given.only else ["sqlite", "postgres"]:
        kept = name == "sqlite" and given.data
        with (
            postgres() if name == "postgres" else nullcontext("") as url,
            nullcontext(str(given.data.resolve())) if kept else tempfile.TemporaryDirectory() as folder,
        ):
            more = {"DATABASE_URL": url, **SECRETS} if url else {}
            ours = {"BLINDPAIR_DATA": folder, "LOG_LEVEL": "ERROR", "ALLOWED_HOSTS": "testserver"}
            environment = {**os.environ, **ours, **more, "METRICS_TOKEN": TOKEN}
            sizes = ("experiments", "judgments", "large")
            words = [word for size in sizes for word in (f"--{size}", str(getattr(given, size)))]
            missed += subprocess.call([sys.executable, __file__, "--leg", name, *words], env=environment, cwd=CHECKOUT)
    return 1 if missed else 0


def leg(given: argparse.Namespace) -> int:
    """Make, measure, copy, measure again; how many pages are over the goal."""
    prepare_django()
    from config.gunicorn import search_less_for_garbage  # noqa: PLC0415 - needs the environment of this leg

    copies = given.experiments // (len(filling.KINDS) + 1)
    if not count_judgments():
        fill(given, copies)
    search_less_for_garbage()  # as the server does when it has started
    over = 0
    for name, addresses in pages(copies):
        over += not shown(name, *measured(addresses))
    return over


def fill(given: argparse.Namespace, copies: int) -> None:
    """What is copied, the copies and the large ones, with the rating cycle before and after."""
    raters = max(1, round((given.judgments - 3 * given.large) / copies / EACH))
    print(
        f"== {given.leg}: {len(filling.KINDS)} experiments, two of them with {raters} raters of 100 pairs", flush=True
    )
    for kind in filling.KINDS:
        filling.made(kind, raters=raters)
    desk = a_desk()
    cycle(desk)
    settle()
    before = cycle(desk)
    start = time.perf_counter()
    copy_everything(copies - 1)
    filling.neighbours()
    large = []
    for kind, size in product(filling.KINDS, (given.large, given.large // 2)):
        pairs = max(1, size // VOTES_A_PAIR)
        each = min(pairs, EACH_RATER)
        pk = filling.made(
            kind, title=f"{kind} {size:,}", inputs=-(-pairs // filling.RIVALS), raters=size // each, each=each
        )
        large.append(pk)
    filling.spread(large)
    settle()
    there, seconds = count_judgments(), time.perf_counter() - start
    print(f"{there:,} judgments in {copies * (len(filling.KINDS) + 1) + 6} experiments after {seconds:.0f} s")
    after = cycle(desk)
    print(f"rating cycle: {before:.1f} ms before, {after:.1f} ms after, {after / before:.2f} times", flush=True)


def settle() -> None:
    """Statistics for the planner: Postgres gathers them by itself in time, nobody does it to an embedded file."""
    from django.db import connection  # noqa: PLC0415 - needs the apps, as all below

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def prepare_django() -> None:
    """Settings, tables and static files."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # noqa: PLC0415 - only a leg has the environment for it

    django.setup()
    logging.disable(logging.WARNING)  # pages that say "not yet" are told of
    from django.core.management import call_command  # noqa: PLC0415 - likewise

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)


def a_desk() -> Callable[[], None]:
    """Somebody who rates in an experiment of their own; each call is a cycle."""
    from django.test import Client  # noqa: PLC0415

    filling.write(Path(os.environ["BLINDPAIR_DATA"]), "desk", wanted=9)
    pk = str(filling.command("add_experiment", str(Path(os.environ["BLINDPAIR_DATA"]) / "bench.toml"))["id"])
    filling.command("open_rating", pk, flagged="release")
    links = iter(filling.command("invite", pk, raters=9))
    client, form = Client(), dict[str, str]()

    def sit() -> None:
        path = next(links)["url"].partition("/r/")[2]
        client.post(f"/r/{path}")
        form.update(hidden(client.get("/rate/").content.decode()))

    def judge() -> None:
        if not form:
            sit()
        answer = client.post("/rate/", form | {"verdict": "left"}, headers={"HX-Request": "true"})
        found = hidden(answer.content.decode())
        form.clear()
        form.update(found)

    return judge


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the pair's form."""
    return dict(re.findall(r'<input type="hidden" name="(assignment|key)" value="([^"]*)"', page))


def cycle(judge: Callable[[], None]) -> float:
    """Milliseconds of one cycle, at the median."""
    times = []
    for _ in range(CYCLES):
        start = time.perf_counter()
        judge()
        times.append(time.perf_counter() - start)
    return 1000 * median(times)


def count_judgments() -> int:
    """All of them."""
    from ratings.models import Judgment  # noqa: PLC0415

    return Judgment.objects.count()


def pages(copies: int) -> Iterator[tuple[str, list[str]]]:
    """Every page with the addresses that stand for it."""
    from backends.models import Endpoint  # noqa: PLC0415
    from experiments.models import Experiment  # noqa: PLC0415

    site = owner_pages.of_the_site(endpoint=Endpoint.objects.earliest("pk").pk)
    yield from ((address, [address]) for address in (*site, "/metrics"))
    for kind in filling.KINDS:
        own = owner_pages.of_an_experiment(kind, system="one")
        first = Experiment.objects.filter(title=kind).earliest("pk").pk
        chosen = [first + STEP * (copies * number // SPREAD) for number in range(SPREAD)]
        for page in own:
            yield f"{kind}: {page[:40]}", [f"/experiments/{one}/{page}" for one in dict.fromkeys(chosen)]
        for large in Experiment.objects.filter(title__startswith=f"{kind} ").order_by("-pk"):
            for page in own:
                yield f"{large.title}: {page[:40]}", [f"/experiments/{large.pk}/{page}"]


def measured(addresses: list[str]) -> tuple[list[float], int]:
    """The times of all warm requests in ms, and the most queries that one made."""
    from django.db import connection  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    from accounts.models import User  # noqa: PLC0415

    client = Client(headers={"Accept-Encoding": "gzip", "Authorization": f"Bearer {TOKEN}"})
    client.force_login(User.objects.get(email=filling.owner()))

    def ask(address: str) -> int:
        path, _, target = address.partition("#")
        answer = client.get(path, headers={"HX-Request": "true", "HX-Target": target} if target else {})
        assert answer.status_code in {200, 409}, (address, answer.status_code)
        return len(b"".join(answer))

    times, queries = [], 0
    for address in addresses:
        with CaptureQueriesContext(connection) as caught:
            ask(address)
        queries = max(queries, len(caught))
        ask(address)
        for _ in range(REPEATS if len(addresses) > 1 else REPEATS * SPREAD):
            start = time.perf_counter()
            ask(address)
            times.append(1000 * (time.perf_counter() - start))
    return times, queries


def shown(name: str, times: list[float], queries: int) -> bool:
    """Print the line; whether the page is within the goal."""
    high = quantiles(times, n=20)[-1]
    good = high <= GOAL_MS
    print(
        f"{name:58} {median(times):7.1f} ms, p95 {high:7.1f} ms, {queries:3} queries{'' if good else '  MISSED'}",
        flush=True,
    )
    return good


if __name__ == "__main__":
    sys.exit(main())
