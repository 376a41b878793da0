"""What is left of a score at equal length, or at equal style: secondary, as length may be quality."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from reports.statistics import regression
from reports.statistics.codes import different
from reports.statistics.distributions import t_quantile, t_two_sided
from reports.statistics.interval import LEVEL, Floats, Interval, Ints, without_limits


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthControl:
    """`coefficients` (logits, one a feature), their errors and p values, and the score where all features are 0.

    Where it cannot be computed the tuples are empty and `controlled_score` says why.
    """

    coefficients: tuple[float, ...]
    ses: tuple[float, ...]
    ps: tuple[float, ...]
    intercept: float | None
    intercept_se: float | None
    controlled_score: Interval


def relative_difference(candidate: Floats, baseline: Floats) -> Floats:
    """(c - b)/(c + b) of two lengths or counts, -1 to 1; 0 where both are 0."""
    total = candidate + baseline
    found: Floats = np.divide(candidate - baseline, total, out=np.zeros(total.shape), where=total > 0)
    return found


def control(y: Floats, features: Floats, item: Ints, *, level: float = LEVEL) -> LengthControl:
    """Fractional logit y ~ 1 + features, errors clustered by input (Dubois et al. 2024; LMArena's style control).

    Columns with one entry a vote; `features` has shape (votes,) or (votes, features), 0 meaning "both alike".
    """
    z = features.reshape(y.size, -1) if y.size else np.zeros((0, 1))
    inputs = different(item).size
    try:
        if inputs < 2 or np.any(np.ptp(z, axis=0) == 0):
            raise regression.NotEstimable("the texts do not differ in it, or there is one input only")
        fit = regression.fractional_logit(np.column_stack([np.ones(y.size), z]), y, cluster=item)
    except regression.NotEstimable as problem:
        score = without_limits(None, n=inputs, why=str(problem))
        return LengthControl(coefficients=(), ses=(), ps=(), intercept=None, intercept_se=None, controlled_score=score)
    ses = tuple(fit.se(place) for place in range(1, fit.coefficients.size))
    slopes = tuple(float(slope) for slope in fit.coefficients[1:])
    intercept, half = float(fit.coefficients[0]), t_quantile((1 + level) / 2, fit.df) * fit.se(0)
    return LengthControl(
        coefficients=slopes,
        ses=ses,
        ps=tuple(t_two_sided(slope / se, fit.df) if se > 0 else 1.0 for slope, se in zip(slopes, ses, strict=True)),
        intercept=intercept,
        intercept_se=fit.se(0),
        controlled_score=Interval(
            value=float(special.expit(intercept)),
            low=float(special.expit(intercept - half)),
            high=float(special.expit(intercept + half)),
            method="fractional logit at equal length, clusters by input, t",
            n=inputs,
        ),
    )
