"""How long the report takes: the usual study, a million judgments, and our fit beside evalica's on the same votes.

    .venv/bin/python bench/report.py [--judgments 1000000] [--keep FOLDER]

Needs the dev group (evalica). Works in a data folder of its own; the large report is a process of its own, so that its
memory can be told.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

CHECKOUT = Path(__file__).resolve().parent.parent
INPUTS, ARMS, RATERS = 10_000, 8, 500
SLUG = "a-million"
SMALL_RUNS = 20
# The kernel counts the peak of whoever started a process as its own, except in what the process says of itself.
AND_TELL_THE_PEAK = """
import sys
from pathlib import Path
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
status = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in status if line.startswith("VmHWM")), file=sys.stderr)
"""


def main() -> None:
    """Print one line a figure."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="blindpair-bench-") as folder:
        data = Path(options.keep or folder)
        _set_up(data)
        print(f"50 x 5, uncached: {_small_study():.0f} ms in the median of {SMALL_RUNS}")
        if not _there_already():
            started = time.perf_counter()
            _make(options.judgments)
            print(f"made and imported {options.judgments:,} judgments in {time.perf_counter() - started:.0f} s")
        seconds, busy, megabytes, report = _timed_report(data)
        print(
            f"report --format json, {report['counts']['judgments']:,} judgments over {INPUTS:,} inputs and {ARMS} arms:"
        )
        print(f"  {seconds:.1f} s ({busy:.1f} s of one processor), {megabytes:,.0f} MB at most")
        _beside_evalica()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judgments", type=int, default=1_000_000)
    parser.add_argument("--keep", help="a folder to keep the data in, for a second run")
    return parser.parse_args()


def _set_up(data: Path) -> None:
    os.environ["BLINDPAIR_DATA"] = str(data)
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    sys.path.insert(0, str(CHECKOUT))
    import django  # noqa: PLC0415  # only after the data folder is chosen

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    call_command("migrate", verbosity=0)


def _there_already() -> bool:
    from experiments.models import Experiment  # noqa: PLC0415

    return Experiment.objects.filter(slug=SLUG, status="closed").exists()


def _small_study() -> float:
    """Milliseconds for reading, computing and naming everything of 50 inputs and 5 raters, nothing stored."""
    from experiments.models import Experiment  # noqa: PLC0415
    from reports.report import compute  # noqa: PLC0415
    from reports.sections import study  # noqa: PLC0415
    from tests.factories import a_rated_experiment  # noqa: PLC0415

    experiment = Experiment.objects.filter(slug="usual").first()
    experiment = experiment or a_rated_experiment(arms=2, inputs=50, raters=5, slug="usual")
    runs = []
    for _ in range(SMALL_RUNS):
        started = time.perf_counter()
        compute(study.read(experiment))
        runs.append((time.perf_counter() - started) * 1000)
    return sorted(runs)[SMALL_RUNS // 2]


def _make(judgments: int) -> None:
    from console.actions import close, import_judgments  # noqa: PLC0415

    experiment = _experiment()
    import_judgments(experiment=experiment, rows=_judgments(judgments), file="judgments", by=None)
    close(experiment=experiment, by=None)


def _experiment() -> Any:
    from backends.models import System  # noqa: PLC0415
    from experiments.models import Arm, Experiment, Input  # noqa: PLC0415

    experiment = Experiment.objects.create(
        slug=SLUG, title="A million judgments", question="Which is better?", status="collecting", pairs="all"
    )
    Input.objects.bulk_create(
        (
            Input(
                experiment=experiment,
                position=number,
                external_id=f"i{number}",
                messages=[{"role": "user", "content": f"Question {number}?"}],
                tags=[f"topic {number % 5}"],
            )
            for number in range(INPUTS)
        ),
        batch_size=1000,
    )
    items = list(Input.objects.filter(experiment=experiment))
    for number in range(ARMS):
        arm = Arm.objects.create(experiment=experiment)
        _answers(arm, System.objects.create(arm=arm, name=f"system-{number}"), items)
        if number == 0:
            experiment.baseline = arm
    experiment.save()
    return experiment


def _answers(arm: Any, system: Any, items: list[Any]) -> None:
    """One of the system to each input."""
    from backends.models import Completion  # noqa: PLC0415
    from experiments.models import Output  # noqa: PLC0415

    Output.objects.bulk_create(
        (
            Output(input=item, arm=arm, text="An answer. " * (5 + item.pk % 40), html="<p>An answer.</p>")
            for item in items
        ),
        batch_size=1000,
    )
    Completion.objects.bulk_create(
        (
            Completion(
                system=system,
                input_id=output.input_id,
                output=output,
                state="done",
                outcome="complete",
                latency_ms=500.0 + output.pk % 997,
                usage={"input": 100, "output": 50 + output.pk % 100},
                attempts=1,
            )
            for output in Output.objects.filter(arm=arm).iterator()
        ),
        batch_size=1000,
    )


class Row(NamedTuple):
    """A judgment as the import takes it."""

    line: int
    input: str
    rater: str
    left: str
    right: str
    verdict: str
    criterion: str = ""
    left_acceptable: bool | None = None
    right_acceptable: bool | None = None
    seconds: float | None = None
    comment: str = ""
    judged_at: datetime | None = None


def _judgments(wanted: int) -> Iterator[Row]:
    import numpy as np  # noqa: PLC0415

    chance = np.random.default_rng(1)
    pairs = [(a, b) for a in range(ARMS) for b in range(a + 1, ARMS)]
    # Every rater judges a pair at most once: rater, input and pair are drawn as one number without repetition.
    places = chance.choice(RATERS * INPUTS * len(pairs), size=wanted, replace=False)
    strength = np.linspace(0.5, -0.5, ARMS)
    for line, (place, luck, side) in enumerate(zip(places, chance.random(wanted), chance.random(wanted), strict=True)):
        a, b = pairs[place % len(pairs)]
        rest = place // len(pairs)
        left, right = (a, b) if side < 0.5 else (b, a)
        won = 0.7 / (1 + np.exp(strength[right] - strength[left]))
        verdict = "left" if luck < won else "right" if luck < 0.7 else "both_good" if luck < 0.9 else "both_bad"
        yield Row(line, f"i{rest % INPUTS}", f"r{rest // INPUTS}", f"system-{left}", f"system-{right}", verdict)


def _timed_report(data: Path) -> tuple[float, float, float, dict[str, Any]]:
    """Seconds, of them of work, and megabytes of the command in a process of its own, with no stored result."""
    from reports.models import Result  # noqa: PLC0415

    Result.objects.all().delete()
    command = [sys.executable, "-c", AND_TELL_THE_PEAK, "report", SLUG, "--format", "json"]
    environment = {**os.environ, "BLINDPAIR_DATA": str(data)}
    started = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, env=environment, cwd=CHECKOUT)
    seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, used.ru_utime + used.ru_stime, int(done.stderr.split()[-1]) / 1024, json.loads(done.stdout)


def _beside_evalica() -> None:
    """Bradley-Terry of the same votes, from columns in memory: evalica's and ours, with the largest difference."""
    import evalica  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    from experiments.models import Experiment  # noqa: PLC0415
    from reports import votes  # noqa: PLC0415
    from reports.statistics import bradley_terry  # noqa: PLC0415
    from reports.statistics.verdicts import left_score  # noqa: PLC0415

    cast = votes.read(Experiment.objects.get(slug=SLUG)).votes
    winners = [evalica.Winner.X, evalica.Winner.Y, evalica.Winner.Draw, evalica.Winner.Draw]
    left, right, won = cast.left.tolist(), cast.right.tolist(), [winners[code] for code in cast.verdict]
    started = time.perf_counter()
    theirs = evalica.bradley_terry(left, right, won, tie_weight=0.5)
    their_time = time.perf_counter() - started
    started = time.perf_counter()
    wins = bradley_terry.win_matrices(
        np.zeros(len(cast), dtype=np.int64), cast.left, cast.right, left_score(cast.verdict), arms=ARMS
    )
    ours = bradley_terry.fit(wins)[0]
    our_time = time.perf_counter() - started
    logs = np.log(theirs.scores.sort_index().to_numpy())
    apart = float(np.abs((logs - logs.mean()) - ours).max())
    print(f"Bradley-Terry on {len(cast):,} votes: evalica {their_time:.2f} s, ours {our_time:.2f} s, apart {apart:.1e}")


if __name__ == "__main__":
    main()
