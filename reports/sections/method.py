"""How the figures came about: versions, seed, and each method in plain words with the source of its formula."""

import platform
import tomllib
from functools import cache
from typing import Any

import django
import numpy as np
import scipy
from django.conf import settings

from reports.sections.study import Study

Section = dict[str, Any]
METHODS = (
    (
        "Score",
        "The share of judgments a system wins, ties counting half, averaged within each input and then over inputs, so "
        "that every input counts the same. “Both bad” is counted apart and scored one half.",
        "Miller 2024, arXiv 2411.00640",
    ),
    (
        "Interval for new inputs and other raters",
        "Errors clustered by input and by rater, with a floor and Satterthwaite's degrees of freedom that make it hold "
        "with few raters; used for the verdict from 4 raters on.",
        "Cameron, Gelbach and Miller 2011, JBES 29:238",
    ),
    (
        "Interval for new inputs and these raters",
        "The standard deviation of the inputs' scores over the root of their number, Student's t.",
        "Miller 2024, appendix A",
    ),
    (
        "Verdict on the margin",
        "Non-inferior where the lower limit lies above one half less the margin, which was fixed before rating.",
        "Piaggio et al. 2012, JAMA 308:2594",
    ),
    (
        "Sign and permutation tests",
        "Exact: inputs above and below one half; and all ways to flip the signs of the inputs' differences.",
        "Fisher 1935",
    ),
    (
        "Latency quantiles",
        "Type 7; limits by order statistics where each input was timed once, else by resampling inputs.",
        "Hyndman and Fan 1996; Wilks 1941",
    ),
    (
        "Cost",
        "Tokens times prices, averaged over inputs; or GPU hours over throughput, with idle time by the stated volume "
        "or utilisation.",
        "stated assumptions",
    ),
    (
        "Break-even",
        "Fixed cost a day less the value of avoided risk, over the difference of the prices of a token.",
        "stated assumptions",
    ),
    (
        "Ranking",
        "Bradley–Terry by maximum likelihood, a tie as half a win for each; intervals by resampling inputs.",
        "Bradley and Terry 1952; Chiang et al. 2024",
    ),
    (
        "Agreement",
        "Krippendorff's alpha and Gwet's AC1; expert panels usually reach 0.2 to 0.4, and low values are priced into "
        "the intervals.",
        "Krippendorff 2011; Gwet 2008",
    ),
    ("Several questions at once", "p values are raised by Holm's rule.", "Holm 1979"),
    (
        "Watching while rating",
        "Where chosen beforehand: a betting confidence sequence over complete inputs, valid however often one looks.",
        "Waudby-Smith and Ramdas 2024, JRSS-B 86:1",
    ),
    (
        "Length",
        "A fractional logit of the score on the relative difference in length; secondary, as length may be quality.",
        "Dubois et al. 2024, arXiv 2404.04475",
    ),
)


def method(study: Study) -> Section:
    """Versions of everything that computes, the seed of all resampling, and the methods."""
    return {
        "versions": {
            "blindpair": version(),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "django": django.get_version(),
        },
        "seed": study.experiment.seed,
        "methods": [{"name": name, "words": words, "source": source} for name, words, source in METHODS],
    }


@cache
def version() -> str:
    """Blindpair's own, as pyproject.toml says."""
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
    return str(project["version"])
