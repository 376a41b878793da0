"""Every owner page and the rating cycle in an installation of 1,000 experiments with 1,000,000 judgments.

    .venv/bin/python bench/scale.py [--only sqlite|postgres] [--experiments 1000] [--judgments 1000000]

Three experiments (collecting, rating, closed) and one to rate in are made by the product itself, judgments imported;
SQL then copies them as often as it takes. Pages are asked through the whole application in this process, warm, spread
over the copies. The rating cycle is measured before the copies are made and after. Goals: every page within 200 ms at
p95, the cycle no slower. Exit 1 where a page is over.
"""

import argparse
import csv
import io
import json
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
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))
sys.path.insert(0, str(CHECKOUT / "bench"))
from copying import copy_everything  # noqa: E402 - after the path is set

from tests.servers import postgres  # noqa: E402 - likewise

GOAL_MS = 200
SAMPLES = CHECKOUT / "samples"
SYSTEMS = {"api": "managed", "one": "hosted", "other": "hosted"}
KINDS = ("collecting", "rating", "closed")
SPREAD, REPEATS, CYCLES = 12, 3, 60
SECRETS = {
    "SECRET_KEY": "b3" * 30 + "xyzuvwqr",
    "BLINDPAIR_ENCRYPTION_KEYS": "a2V5IG9mIGEgYmVuY2gsIG9mIG5vIHVzZSBlbHNlLi4=",
}
EVERYWHERE = ("", "inputs/", "systems/", "collecting/", "check/", "raters/", "delete/", "log/")
OF_KIND = {
    "collecting": ("open/", "question/", "plan/"),
    "rating": ("close/",),
    "closed": ("report/", "report/pairs/", "exports/"),
}
LISTS = ("/", "/?page=20", "/?q=closed", "/?archived", "/endpoints/", "/people/", "/log/", "/account/", "/metrics")
TOKEN = "a-token-for-the-bench-only"


def main() -> int:
    """Run every leg in a process of its own, since settings are read once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    parser.add_argument("--experiments", type=int, default=1000)
    parser.add_argument("--judgments", type=int, default=1_000_000)
    parser.add_argument("--leg", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.leg:
        return leg(given)
    missed = 0
    for name in [given.only] if given.only else ["sqlite", "postgres"]:
        with (
            postgres() if name == "postgres" else nullcontext("") as url,
            tempfile.TemporaryDirectory(prefix="blindpair-bench-") as folder,
        ):
            more = {"DATABASE_URL": url, **SECRETS} if url else {}
            ours = {"BLINDPAIR_DATA": folder, "LOG_LEVEL": "ERROR", "ALLOWED_HOSTS": "testserver"}
            environment = {**os.environ, **ours, **more, "METRICS_TOKEN": TOKEN}
            words = [sys.executable, __file__, "--leg", name, "--experiments", str(given.experiments)]
            missed += subprocess.call([*words, "--judgments", str(given.judgments)], env=environment, cwd=CHECKOUT)
    return 1 if missed else 0


def leg(given: argparse.Namespace) -> int:
    """Make, measure, copy, measure again; how many pages are over the goal."""
    prepare_django()
    copies = given.experiments // (len(KINDS) + 1)
    raters = max(1, round(given.judgments / copies / 2 / 100))
    print(f"== {given.leg}: {len(KINDS)} experiments, two of them with {raters} raters of 100 pairs", flush=True)
    pks = templates(raters)
    desk = a_desk()
    cycle(desk)
    before = cycle(desk)
    start = time.perf_counter()
    step = copy_everything(copies - 1)
    there, seconds = count_judgments(), time.perf_counter() - start
    print(f"{there:,} judgments in {copies * (len(KINDS) + 1)} experiments after {seconds:.0f} s")
    after = cycle(desk)
    print(f"rating cycle: {before:.1f} ms before, {after:.1f} ms after, {after / before:.2f} times", flush=True)
    over = 0
    for name, addresses in pages(pks, copies, step):
        over += not shown(name, *measured(addresses))
    return over


def prepare_django() -> None:
    """Settings, tables and static files."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # noqa: PLC0415 - only a leg has the environment for it

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 - likewise

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)


def templates(raters: int) -> list[int]:
    """One experiment of each kind, owned by a superuser."""
    from accounts.models import User  # noqa: PLC0415 - needs the apps, as all below

    User.objects.create_superuser("owner@example.org", "correct horse battery")
    folder = Path(os.environ["BLINDPAIR_DATA"])
    made = []
    for kind in KINDS:
        write(folder, kind)
        pk = command("add_experiment", str(folder / "bench.toml"), owner="owner@example.org")["id"]
        made.append(int(pk))
        if kind != "collecting":
            command("import_judgments", str(pk), write_judgments(folder, raters))
        if kind == "closed":
            command("close", str(pk))
    return made


def command(name: str, *words: str, **options: Any) -> Any:
    """What one of our commands says with --json."""
    from django.core.management import call_command  # noqa: PLC0415

    said = io.StringIO()
    call_command(name, *words, json=True, stdout=said, stderr=io.StringIO(), **options)
    return json.loads(said.getvalue() or "null")


def write(folder: Path, title: str, wanted: int = 3) -> None:
    """The sample's texts as an experiment of three systems."""
    (folder / "inputs.jsonl").write_bytes((SAMPLES / "inputs.jsonl").read_bytes())
    lines = [f'title = "{title}"\nquestion = "Which would you send?"\ninputs = "inputs.jsonl"\nbaseline = "api"']
    lines.append(f"ratings_per_pair = {wanted}\ncontrol_share = 0.1")
    for name, source in SYSTEMS.items():
        rows = [json.loads(line) for line in (SAMPLES / f"{source}.jsonl").open()]
        changed = [row | {"output": f"{row['output']}\n\n({name})"} for row in rows]
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, changed)))
        lines.append(f'[systems.{name}]\noutputs = "{name}.jsonl"')
    (folder / "bench.toml").write_text("\n".join(lines) + "\n")


def write_judgments(folder: Path, raters: int) -> str:
    """A hundred verdicts of each rater."""
    ids = [json.loads(line)["id"] for line in (SAMPLES / "inputs.jsonl").open()]
    verdicts = ("left", "right", "both_good", "both_bad", "right")
    with (folder / "judgments.csv").open("w") as file:
        table = csv.writer(file)
        table.writerow(["input", "rater", "left", "right", "verdict", "seconds"])
        for number, (rater, item, name) in enumerate(product(range(raters), ids, ("one", "other"))):
            pair = (name, "api") if number % 3 else ("api", name)
            table.writerow([item, f"Rater {rater + 1}", *pair, verdicts[number * 7 % 5], 20 + number % 30])
    return str(folder / "judgments.csv")


def a_desk() -> Callable[[], None]:
    """Somebody who rates in an experiment of their own; each call is a cycle."""
    from django.test import Client  # noqa: PLC0415

    write(Path(os.environ["BLINDPAIR_DATA"]), "desk", wanted=9)
    pk = str(command("add_experiment", str(Path(os.environ["BLINDPAIR_DATA"]) / "bench.toml"))["id"])
    command("open_rating", pk, flagged="release")
    links = iter(command("invite", pk, raters=9))
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


def pages(pks: list[int], copies: int, step: int) -> Iterator[tuple[str, list[str]]]:
    """Every page with the addresses that stand for it."""
    yield from ((address, [address]) for address in LISTS)
    for kind, pk in zip(KINDS, pks, strict=True):
        chosen = [pk + step * (copies * number // SPREAD) for number in range(SPREAD)]
        for page in (*EVERYWHERE, *OF_KIND[kind]):
            yield f"{kind}: {page}", [f"/experiments/{one}/{page}" for one in dict.fromkeys(chosen)]


def measured(addresses: list[str]) -> tuple[list[float], int]:
    """The times of all warm requests in ms, and the most queries that one made."""
    from django.db import connection  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    from accounts.models import User  # noqa: PLC0415

    client = Client(headers={"Accept-Encoding": "gzip", "Authorization": f"Bearer {TOKEN}"})
    client.force_login(User.objects.get())
    times, queries = [], 0
    for address in addresses:
        with CaptureQueriesContext(connection) as caught:
            answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        queries = max(queries, len(caught))
        client.get(address)
        for _ in range(REPEATS if len(addresses) > 1 else REPEATS * SPREAD):
            start = time.perf_counter()
            b"".join(client.get(address))
            times.append(1000 * (time.perf_counter() - start))
    return times, queries


def shown(name: str, times: list[float], queries: int) -> bool:
    """Print the line; whether the page is within the goal."""
    high = quantiles(times, n=20)[-1]
    good = high <= GOAL_MS
    print(
        f"{name:28} {median(times):7.1f} ms, p95 {high:7.1f} ms, {queries:3} queries{'' if good else '  MISSED'}",
        flush=True,
    )
    return good


if __name__ == "__main__":
    sys.exit(main())
