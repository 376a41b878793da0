"""The embedded server with nothing to do: ready how soon, at what cost at rest, at work how soon (R11).

    .venv/bin/python bench/at_rest.py [--starts 5] [--seconds 30] [--rings 50]

Goals: ready within 5 s of the start, at most 2 % of one core at rest, at most 100 ms from the doorbell to the stored
answer of a server that answers at once.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))
from tests.fakes.model_server import ModelServer  # noqa: E402 - after the path is set
from tests.faults.asked import polite  # noqa: E402
from tests.faults.killable import Web, folders, started  # noqa: E402
from tests.faults.scene import set_up  # noqa: E402
from tests.journeys.drivers import Installation, wait_until_ready  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


def main() -> int:
    """A line a figure; the exit code is 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rings", type=int, default=50)
    parser.add_argument("--server", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.server:
        print(json.dumps(ring(given.server, given.rings)))
        return 0
    with folders("here") as (folder,):
        here = Installation(folder)
        set_up(here, inputs=3, raters=1)
        starts = [start(here) for _ in range(given.starts)]
        share = idle(here, given.seconds)
    waits = rings(given.rings)
    print(f"R11 start to ready: median {statistics.median(starts):.2f} s, longest {max(starts):.2f} s (at most 5 s)")
    print(f"R11 at rest: {share:.2%} of one core over {given.seconds:.0f} s (at most 2 %)")
    print(
        f"R11 doorbell to stored: median {statistics.median(waits):.0f} ms, longest {max(waits):.0f} ms (at most 100)"
    )
    return 0 if max(starts) <= 5 and share <= 0.02 and max(waits) <= 100 else 1


def start(here: Installation) -> float:
    """Seconds until the probe says that everything is in order."""
    web = Web(here)
    began = time.monotonic()
    with started(web):
        wait_until_ready(f"{web.address}/readyz")
        return time.monotonic() - began


def idle(here: Installation, seconds: float) -> float:
    """The share of one core that the server's processes take while nobody asks anything."""
    web = Web(here)
    with started(web):
        time.sleep(2)
        before = spent(web)
        time.sleep(seconds)
        return (spent(web) - before) / seconds


def spent(web: Web) -> float:
    """Processor seconds of the server's processes so far."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split() for pid in web.family()]
    return sum(int(one[11]) + int(one[12]) for one in fields) / TICKS


def rings(count: int) -> list[float]:
    """Milliseconds from each ring to the stored answer, in a process with an engine of its own."""
    with ModelServer(polite) as server, tempfile.TemporaryDirectory(prefix="blindpair-bench-") as folder:
        words = [sys.executable, __file__, "--server", server.base_url, "--rings", str(count)]
        environment = {**os.environ, "BLINDPAIR_DATA": folder, "LOG_LEVEL": "WARNING"}
        done = subprocess.run(words, env=environment, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=True)
    return list(json.loads(done.stdout.splitlines()[-1]))


def ring(server: str, count: int) -> list[float]:
    """Put a row in line, ring, and look until it is stored."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # noqa: PLC0415 - after the environment is set

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from backends.actions import add_endpoint, add_system, start_collecting  # noqa: PLC0415
    from backends.collecting import Engine  # noqa: PLC0415
    from backends.models import Completion, System  # noqa: PLC0415
    from experiments.actions import NewInput, add_experiment  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    endpoint = add_endpoint(name="local", dialect="openai", preset="vllm", base_url=server)
    engine = Engine()
    engine.start()
    waits = []
    for number in range(count + 1):
        item = NewInput(external_id="in1", messages=[{"role": "user", "content": "Question 1?"}])
        experiment = add_experiment(fields={"slug": f"e{number}", "title": "E", "question": "Which?"}, inputs=[item])
        arm = add_system(experiment=experiment, name="timed", endpoint=endpoint, model_id="fake")
        System.objects.update(preflight={"before": {"server": "fake"}, "after": {"server": "fake"}})
        began = time.monotonic()
        start_collecting(experiment=experiment)
        while not Completion.objects.filter(system__arm=arm, state="done").exists():
            time.sleep(0.001)
        waits.append((time.monotonic() - began) * 1000)
    engine.stop()
    return waits[1:]  # the first opens connections


if __name__ == "__main__":
    sys.exit(main())
