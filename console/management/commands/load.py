"""`load EXPERIMENT SYSTEM --concurrency 1,2,4,8`: a bounded throughput run."""

from typing import Any

from django.core.management.base import CommandParser

from backends.load import CannotLoad, Level, run_load
from console.command import ExperimentCommand
from experiments.models import Experiment


class Command(ExperimentCommand):
    """Measures sustained answers a second and p95 at each concurrency, on the experiment's own inputs."""

    help = "Measure how many answers a second a system's server sustains."

    def add_options(self, parser: CommandParser) -> None:
        """SYSTEM and the bounds."""
        parser.add_argument("system", metavar="SYSTEM", help="its name in the experiment")
        parser.add_argument("--concurrency", default="1,2,4,8", help="calls under way, one level each: 1,2,4,8")
        parser.add_argument("--requests", type=int, help="at most so many a level (default: 10 for each under way)")
        parser.add_argument("--seconds", type=float, default=60.0, help="at most so long a level (default 60)")
        parser.add_argument("--api", action="store_true", help="also where the server is not on a private network")

    def run_on(self, experiment: Experiment, **options: Any) -> None:
        """Run the levels one after the other; each is printed as it ends."""
        runs = run_load(
            experiment=experiment,
            system_name=options["system"],
            concurrency=_levels(options["concurrency"]),
            requests=options["requests"],
            seconds=options["seconds"],
            even_an_api=options["api"],
            progress=self._print,
        )
        self.facts(
            [
                {
                    "concurrency": run.concurrency,
                    "requests": run.requests,
                    "failed": run.failed,
                    "seconds": run.seconds,
                    "throughput_rps": run.throughput,
                    **run.quantiles,
                }
                for run in runs
            ]
        )

    def _print(self, level: Level) -> None:
        self.say(
            f"concurrency {level.concurrency}: {level.throughput:.2f} answers/s, "
            f"p50 {level.quantiles['e2e_p50']:.0f} ms, p95 {level.quantiles['e2e_p95']:.0f} ms, "
            f"{level.requests} requests in {level.seconds:.1f} s, {level.failed} failed"
        )


def _levels(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise CannotLoad(f"--concurrency takes numbers such as 1,2,4,8, not {text!r}.") from None
