"""Backups while sixteen raters vote: each comes back whole, with every vote acknowledged before it began (R12).

    .venv/bin/python bench/backups.py [--backups 20] [--voters 16]

Embedded. Each backup is checked, then restored into an installation of its own and compared vote by vote.
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))
from tests.faults.assault import stored  # noqa: E402 - after the path is set
from tests.faults.killable import Web, folders, started  # noqa: E402
from tests.faults.scene import set_up  # noqa: E402
from tests.faults.voters import Tally, vote_together  # noqa: E402
from tests.journeys.drivers import Installation  # noqa: E402

PAIRS, EXPERIMENTS = 50, 40


def main() -> int:
    """One line; the exit code is 1 where a backup misses a vote."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backups", type=int, default=20)
    parser.add_argument("--voters", type=int, default=16)
    given = parser.parse_args()
    with folders("here") as (folder,):
        here = Installation(folder)
        made = set_up(here, experiments=EXPERIMENTS, inputs=PAIRS, raters=given.voters)
        seats = [list(links) for links in zip(*made, strict=True)]
        web = Web(here)
        with started(web):
            taken, tally = asyncio.run(back_up_while_voting(here, web, seats, given.backups))
        whole = [restored(folder, path, keys) for path, keys in taken]
    print(
        f"R12 {sum(whole)} of {len(whole)} backups came back whole ({len(tally.acknowledged)} votes meanwhile, "
        f"longest {max(tally.seconds):.2f} s, {len(tally.refusals)} refused)"
    )
    return 0 if all(whole) else 1


async def back_up_while_voting(
    here: Installation, web: Web, seats: list[list[str]], count: int
) -> tuple[list[tuple[Path, set[str]]], Tally]:
    """Each backup's file with the keys that were acknowledged before it began."""
    tally, over, taken = Tally(), [], []

    def back_up() -> None:
        for number in range(count):
            keys = {vote.key for vote in tally.acknowledged}
            path = here.folder / f"{number}.backup"
            here.run("backup", str(path))
            taken.append((path, keys))
            time.sleep(0.2)
        over.append(True)

    votes = asyncio.ensure_future(vote_together(web.port, seats, go_on=lambda: not over, tally=tally))
    await asyncio.to_thread(back_up)
    return taken, await votes


def restored(folder: Path, backup: Path, keys: set[str]) -> bool:
    """Whether it is sound, comes back, and holds these keys."""
    place = folder / f"{backup.stem}-restored"
    place.mkdir()
    there = Installation(place)
    there.run("restore", str(backup), "--check")
    there.run("restore", str(backup))
    return keys <= stored(there).keys()


if __name__ == "__main__":
    sys.exit(main())
