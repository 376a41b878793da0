"""How well collecting keeps up with a server of known timing, beside a raw client in the same run.

    .venv/bin/python bench/collecting.py [--completions 2000] [--concurrency 32] [--only sqlite|postgres]

The server (first token after 100 ms, the 64th after 570 ms) runs in a process of its own. Goals: at least 0.9 of what
its timing allows, first tokens measured at most 10 ms late at the median and 25 ms at p95, memory flat. On a machine
that others use too, the CPU time of a completion beside that of the raw client is what can be compared.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))
TTFT, TOTAL, TOKENS = 0.1, 0.57, 64


def main() -> int:
    """Run every leg in a process of its own, since settings are read once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--completions", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--only", choices=["sqlite", "postgres", "raw"])
    parser.add_argument("--leg", choices=["sqlite", "postgres", "raw"], help=argparse.SUPPRESS)
    parser.add_argument("--server", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.leg:
        leg = raw if given.leg == "raw" else collected
        print(json.dumps(leg(given.server, given.completions, given.concurrency)))
        return 0
    legs = [given.only] if given.only else ["raw", "sqlite", "postgres"]
    for name in legs:
        show(name, run_leg(name, given), given)
    return 0


def run_leg(name: str, given: argparse.Namespace) -> dict[str, float]:
    """One leg against a fresh server."""
    words = [sys.executable, "-m", "tests.fakes.model_server", "--ttft", str(TTFT), "--total", str(TOTAL)]
    with (
        tempfile.TemporaryDirectory(prefix="blindpair-bench-") as folder,
        subprocess.Popen([*words, "--tokens", str(TOKENS)], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as server,
    ):
        try:
            assert server.stdout
            address = server.stdout.readline().strip()
            environment = {**os.environ, "BLINDPAIR_DATA": folder, "LOG_LEVEL": "WARNING"}
            if name != "postgres":
                return ask(name, address, given, environment)
            from tests.faults.killable import SECRETS  # noqa: PLC0415 - only this leg needs it
            from tests.servers import postgres  # noqa: PLC0415 - likewise

            with postgres() as url:
                more = {"DATABASE_URL": url, "BLINDPAIR_ENDPOINT_HOSTS": "127.0.0.1", **SECRETS}
                return ask(name, address, given, {**environment, **more})
        finally:
            server.terminate()


def ask(name: str, address: str, given: argparse.Namespace, environment: dict[str, str]) -> dict[str, float]:
    """Start the leg's process and read its figures."""
    words = [sys.executable, __file__, "--leg", name, "--server", address]
    words += ["--completions", str(given.completions), "--concurrency", str(given.concurrency)]
    done = subprocess.run(words, env=environment, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def show(name: str, found: dict[str, float], given: argparse.Namespace) -> None:
    """A line of figures."""
    allowed = given.concurrency / TOTAL
    print(
        f"{name:9} {given.completions} completions at concurrency {given.concurrency}: "
        f"{found['rate']:.1f}/s = {found['rate'] / allowed:.3f} of {allowed:.1f}/s; "
        f"first token late by {found['late_p50']:.1f} ms (p50), {found['late_p95']:.1f} ms (p95); "
        f"whole answer by {found['whole_p50']:.1f} and {found['whole_p95']:.1f} ms; "
        f"CPU {found['cpu']:.1f} s in {found['seconds']:.1f} s, "
        f"{1000 * found['cpu'] / given.completions:.1f} ms a completion; memory {found['megabytes']:.0f} MB "
        f"(+{found['grown']:.0f})",
        flush=True,
    )


def raw(server: str, completions: int, concurrency: int) -> dict[str, float]:
    """Our client and adapter, without a database."""
    from backends.adapters.contract import ChatRequest, Target  # noqa: PLC0415 - after the environment is set
    from backends.client import WireClient  # noqa: PLC0415
    from backends.fetching import fetch  # noqa: PLC0415
    from backends.hosts import AddressPolicy  # noqa: PLC0415

    target = Target.of(dialect="openai", preset="vllm", base_url=server)
    times: list[tuple[float, float]] = []
    left = iter(range(completions))
    with WireClient(policy=AddressPolicy.embedded(), concurrency=concurrency) as client:

        def work() -> None:
            while (number := next(left, None)) is not None:
                chat = ChatRequest(model="fake", messages=[{"role": "user", "content": f"Question {number}?"}])
                fetched = fetch(client, target, chat)[1]
                times.append((fetched.ttft_ms, fetched.latency_ms))

        fetch(client, target, ChatRequest(model="fake", messages=[{"role": "user", "content": "Hello."}]))
        return measured(lambda: together(work, concurrency), times)


def collected(server: str, completions: int, concurrency: int) -> dict[str, float]:
    """The product's own way, into the database of the environment."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # noqa: PLC0415

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from backends.actions import add_endpoint, add_system, start_collecting  # noqa: PLC0415
    from backends.collecting import drain_until_idle  # noqa: PLC0415
    from backends.models import Completion, System  # noqa: PLC0415
    from experiments.actions import NewInput, add_experiment  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    inputs = [
        NewInput(external_id=f"in{number}", messages=[{"role": "user", "content": f"Question {number}?"}])
        for number in range(completions)
    ]
    fields = {"slug": "bench", "title": "Bench", "question": "Which?"}
    experiment = add_experiment(fields=fields, inputs=inputs)
    endpoint = add_endpoint(name="local", dialect="openai", preset="vllm", base_url=server, max_concurrency=concurrency)
    add_system(experiment=experiment, name="timed", endpoint=endpoint, model_id="fake", concurrency=concurrency)
    System.objects.update(preflight={"before": {"server": "fake"}, "after": {"server": "fake"}})
    start_collecting(experiment=experiment)
    System.objects.update(preflight={"before": {"server": "fake"}, "after": {"server": "fake"}})
    times: list[tuple[float, float]] = []
    found = measured(lambda: drain_until_idle(experiment.pk), times, lambda: times.extend(stored()))

    assert Completion.objects.filter(state="done").count() == completions
    return found


def stored() -> list[tuple[float, float]]:
    """First token and whole answer of every stored completion, in ms."""
    from backends.models import Completion  # noqa: PLC0415

    return list(Completion.objects.values_list("ttft_ms", "latency_ms"))


def measured(work, times, after=lambda: None) -> dict[str, float]:  # type: ignore[no-untyped-def]
    """Time, CPU and memory of the work, and how late the tokens were told."""
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, busy = time.monotonic(), time.process_time()
    work()
    seconds, cpu = time.monotonic() - began, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    after()
    late = np.array([first for first, _ in times]) - TTFT * 1000
    whole = np.array([end for _, end in times]) - TOTAL * 1000
    return {
        "rate": len(times) / seconds,
        "seconds": seconds,
        "cpu": cpu,
        "late_p50": float(np.quantile(late, 0.5)),
        "late_p95": float(np.quantile(late, 0.95)),
        "whole_p50": float(np.quantile(whole, 0.5)),
        "whole_p95": float(np.quantile(whole, 0.95)),
        "megabytes": peak / 1024,
        "grown": (peak - grown) / 1024,
    }


def together(work, count: int) -> None:  # type: ignore[no-untyped-def]
    """The same work in so many threads."""
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    sys.exit(main())
