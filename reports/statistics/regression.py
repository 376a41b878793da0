"""Least squares and fractional logit with errors that allow for votes on the same input being alike."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.linalg import LinAlgError
from scipy import special

from reports.statistics.codes import renumbered
from reports.statistics.interval import Floats, Ints

_ROUNDS = 60
_FURTHEST = 25.0  # a logit beyond it means that the answer is separated, and grows without end


class NotEstimable(ValueError):
    """The columns do not determine the coefficients, or they have no finite estimate; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Coefficients in the order of the columns, their covariance, and clusters - 1 as degrees of freedom."""

    coefficients: Floats
    covariance: Floats
    df: int

    def se(self, place: int) -> float:
        """The standard error of one coefficient."""
        return math.sqrt(max(0.0, float(self.covariance[place, place])))


def least_squares(x: Floats, y: Floats, cluster: Ints) -> Fit:
    """Ordinary least squares with CR1 errors; x has shape (votes, columns). Raises NotEstimable."""
    bread = _inverse(x.T @ x)
    coefficients = bread @ (x.T @ y)
    return _clustered(x, y - x @ coefficients, bread, coefficients, cluster)


def fractional_logit(x: Floats, y: Floats, cluster: Ints | None = None, weights: Floats | None = None) -> Fit:
    """E y = 1/(1 + exp(-x b)) for y from 0 to 1 (Papke and Wooldridge 1996); x has shape (rows, columns).

    With `cluster` the errors are CR1-corrected sandwiches; without, those of the likelihood (and `df` is 0).
    `weights` says how many votes a row stands for. Raises NotEstimable.
    """
    often = np.ones(y.size) if weights is None else weights
    coefficients = np.zeros(x.shape[1])
    for _ in range(_ROUNDS):
        expected = special.expit(x @ coefficients)
        bread = _inverse((x * (often * expected * (1 - expected))[:, None]).T @ x)
        step = bread @ (x.T @ (often * (y - expected)))
        coefficients = coefficients + step / max(1.0, float(np.abs(step).max()) / 2)
        if np.abs(coefficients).max() > _FURTHEST:
            break
        if np.abs(step).max() < 1e-10:
            if cluster is None:
                return Fit(coefficients=coefficients, covariance=bread, df=0)
            return _clustered(x, often * (y - expected), bread, coefficients, cluster)
    raise NotEstimable("the coefficients have no finite estimate: one side wins wherever a column says so")


def _inverse(matrix: Floats) -> Floats:
    try:
        condition = float(np.linalg.cond(matrix))
    except LinAlgError:
        condition = math.inf
    if not condition < 1e14:
        raise NotEstimable("the columns do not vary apart from each other")
    return np.asarray(np.linalg.inv(matrix), dtype=float)


def _clustered(x: Floats, residual: Floats, bread: Floats, coefficients: Floats, cluster: Ints) -> Fit:
    clusters = renumbered(cluster)
    groups, (rows, columns) = clusters.count, x.shape
    if groups < 2 or rows <= columns:
        raise NotEstimable("one input does not show how inputs differ")
    pulls = np.stack([np.bincount(clusters.code, weights=x[:, column] * residual) for column in range(columns)], axis=1)
    correction = groups / (groups - 1) * (rows - 1) / (rows - columns)
    return Fit(coefficients=coefficients, covariance=correction * bread @ (pulls.T @ pulls) @ bread, df=groups - 1)
