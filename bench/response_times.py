"""Whether the time a page takes tells which side, which kind of pair or which system it shows.

    .venv/bin/python bench/response_times.py [--pairs 2000]

One rater after the other judges pairs through the whole stack in this process, on a database of its own; the times are
compared, each beside the median of its place in the sitting, by a rank test (Mann and Whitney) for card A, for controls
and for repeats. Goal: every p above 0.001.
To be run on a quiet machine.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))
ALPHA = 0.001
RATERS, INPUTS = 10, 40


def main() -> int:
    """Measure, compare, print one line each; 1 where a time tells something."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--pairs", type=int, default=2000)
    wanted = options.parse_args().pairs
    folder = tempfile.mkdtemp(prefix="blindpair-bench-")
    os.environ |= {"BLINDPAIR_DATA": folder, "DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "WARNING"}
    try:
        return _compared(wanted)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _compared(wanted: int) -> int:
    import django  # noqa: PLC0415 - the settings read the environment

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 - likewise
    from django.test.utils import override_settings  # noqa: PLC0415 - likewise

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        measured = _measured(wanted)
    return _told(*measured)


def _measured(wanted: int) -> tuple[list[float], list[int], dict[str, list[bool]]]:
    """Milliseconds a page, how manieth of its rater it is, and for each question the answer a page."""
    from ratings.models import Assignment  # noqa: PLC0415 - the apps are loaded only now
    from tests.blinding.world import a_seated_rater, a_world  # noqa: PLC0415 - likewise
    from tests.journeys.drivers import Form  # noqa: PLC0415 - likewise

    taken: dict[str, float] = {}
    places: list[int] = []
    number = 0
    while len(taken) < wanted:
        experiment = a_world(
            inputs=INPUTS, ratings_per_pair=RATERS, control_share=0.15, repeat_share=0.1, number=number
        )
        number += 1
        for rater in random.Random(number).sample(range(RATERS), RATERS):
            client = a_seated_rater(experiment, f"Rater {rater}")
            form, place = Form(client.get("/rate/").content.decode(), "pair"), 0
            while form.found and len(taken) < wanted:
                started = time.perf_counter()
                page = client.post("/rate/", form.fields | {"verdict": "both_good"}, headers={"HX-Request": "true"})
                milliseconds = 1000 * (time.perf_counter() - started)
                form = Form(page.content.decode(), "pair")
                if form.found:
                    taken[form.fields["assignment"]] = milliseconds
                    places.append(place := place + 1)
    rows = {str(row.token): row for row in Assignment.objects.select_related("left", "rater__experiment")}
    given = [rows[token] for token in taken]
    return (
        list(taken.values()),
        places,
        {
            "the baseline is card A": [row.left.arm_id == row.rater.experiment.baseline_id for row in given],
            "a control": [row.kind == "control" for row in given],
            "a repeat": [row.kind == "repeat" for row in given],
        },
    )


def _told(times: list[float], places: list[int], kinds: dict[str, list[bool]]) -> int:
    import numpy as np  # noqa: PLC0415 - heavy, and needed only now

    from tests.blinding.distinguishing import single_p_values  # noqa: PLC0415 - likewise

    column, at = np.array(times), np.array(places)
    print(f"{len(times)} pairs, median {np.median(column):.1f} ms, p95 {np.quantile(column, 0.95):.1f} ms")
    # A rater's later pages are slower by a hair, and repeats come late: pages are compared with those of their place.
    column = column - np.array([np.median(column[at == place]) for place in at])
    telling = 0
    for name, answers in kinds.items():
        labels = np.array(answers)
        [p] = single_p_values(column[:, None], labels)
        telling += p < ALPHA
        yes, no = np.median(column[labels]), np.median(column[~labels])
        print(f"{name}: {yes:+.3f} ms against {no:+.3f} ms beside the median of their place, p = {p:.4f}")
    return 1 if telling else 0


if __name__ == "__main__":
    sys.exit(main())
