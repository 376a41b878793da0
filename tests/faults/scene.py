"""Makes experiments open for rating in an installation, in one process; prints what a rater's browser needs.

python -m tests.faults.scene --experiments 1 --inputs 40 --raters 6
"""

import argparse
import json
import os
import subprocess
import sys

import django

from tests.journeys.drivers import Installation
from tests.needs import CHECKOUT


def set_up(installation: Installation, *, experiments: int = 1, inputs: int = 40, raters: int = 4) -> list[list[str]]:
    """By experiment: the paths of its raters' personal links."""
    installation.make_ready()
    words = [sys.executable, "-m", "tests.faults.scene", "--experiments", str(experiments)]
    words += ["--inputs", str(inputs), "--raters", str(raters)]
    made = subprocess.run(
        words, cwd=CHECKOUT, env=installation.environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return list(json.loads(made.stdout.splitlines()[-1]))


def main() -> None:
    """Every experiment with pairs that all its raters judge."""
    parser = argparse.ArgumentParser()
    for name in ("--experiments", "--inputs", "--raters"):
        parser.add_argument(name, type=int, required=True)
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.conf import settings  # noqa: PLC0415 - the apps are loaded only now

    from experiments.models import Output  # noqa: PLC0415
    from experiments.rendering import render  # noqa: PLC0415
    from ratings import links  # noqa: PLC0415
    from tests.ratings.driving import an_open_experiment  # noqa: PLC0415

    made = []
    for _ in range(given.experiments):
        experiment = an_open_experiment(inputs=given.inputs, ratings_per_pair=given.raters, control_share=0)
        text = "A paragraph of **some** words, as answers have them.\n\n- first\n- second\n\n" * 4
        Output.objects.filter(input__experiment=experiment).update(text=text, html=render(text))
        invited = links.invite(experiment=experiment, count=given.raters)
        made.append([one.url.removeprefix(settings.PUBLIC_URL) for one in invited])
    print(json.dumps(made))  # noqa: T201 - for the caller


if __name__ == "__main__":
    main()
