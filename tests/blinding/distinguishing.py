"""A distinguisher: can anything about served pages, but the texts, tell two kinds of them apart?"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def accuracy_p_value(features: Matrix, labels: NDArray[np.bool_], *, folds: int = 5, seed: int = 1) -> float:
    """One-sided p of a cross-validated linear classifier doing better than always naming the commoner label.

    features: pages x observables; labels: one a page. Least squares with a small ridge, on standardised columns; the
    number of right guesses is compared with the binomial of the commoner label's share (normal approximation).
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    x, y = _standardised(features)[order], labels[order]
    right = 0
    for fold in range(folds):
        held_out = np.arange(len(y)) % folds == fold
        # Both labels weigh the same, so that a rare kind cannot hide behind the common one.
        weights = _fit(x[~held_out], y[~held_out])
        guess = np.c_[x[held_out], np.ones(held_out.sum())] @ weights > 0
        right += _balanced(guess, y[held_out])
    total = folds
    spread = math.sqrt(_variance(y, folds) / total)
    return 0.5 * math.erfc((right / total - 0.5) / spread / math.sqrt(2))


def single_p_values(features: Matrix, labels: NDArray[np.bool_]) -> list[float]:
    """Two-sided p of a rank test (Mann and Whitney, with ties) for each observable alone."""
    return [_rank_test(column, labels) for column in features.T]


def columns(rows: Sequence[dict[str, float]]) -> Matrix:
    """Observables as a matrix, in the order of their names."""
    names = sorted(rows[0])
    return np.array([[row[name] for name in names] for row in rows], dtype=float)


def _standardised(features: Matrix) -> Matrix:
    spread = features.std(axis=0)
    return (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)


def _fit(x: Matrix, y: NDArray[np.bool_]) -> Matrix:
    design = np.c_[x, np.ones(len(x))]
    weight = np.where(y, 0.5 / max(y.sum(), 1), 0.5 / max((~y).sum(), 1))[:, None]
    target = np.where(y, 1.0, -1.0)
    gram = design.T @ (design * weight) + 1e-3 * np.eye(design.shape[1])
    solved: Matrix = np.linalg.solve(gram, design.T @ (target * weight[:, 0]))
    return solved


def _balanced(guess: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return float((guess[truth].mean() + (~guess[~truth]).mean()) / 2)


def _variance(y: NDArray[np.bool_], folds: int) -> float:
    """Variance of one fold's balanced accuracy under pure guessing."""
    return 0.25 * (1 / (y.sum() / folds) + 1 / ((~y).sum() / folds)) / 4


def _rank_test(column: NDArray[np.float64], labels: NDArray[np.bool_]) -> float:
    values, inverse, counts = np.unique(column, return_inverse=True, return_counts=True)
    if len(values) == 1:
        return 1.0
    middle = np.cumsum(counts) - (counts - 1) / 2
    ranks = middle[inverse]
    n1, n = int(labels.sum()), len(labels)
    n0 = n - n1
    ties = float((counts**3 - counts).sum()) / (n * (n - 1))
    spread = math.sqrt(n1 * n0 / 12 * ((n + 1) - ties))
    distance = abs(float(ranks[labels].sum()) - n1 * (n + 1) / 2)
    return math.erfc(distance / spread / math.sqrt(2))
