"""The strengths of several arms from who beat whom, a tie counting half a win for each; many win matrices at once."""

import numpy as np
from scipy import special

from reports.statistics.codes import renumbered
from reports.statistics.interval import Bools, Floats, Ints

ELO = 400 / np.log(10)  # Elo points a unit of theta
PSEUDO_VOTE = 0.5  # for each pair of arms, as a tie, where strengths would be infinite
_ROUNDS = 200
_BATCH_CELLS = 8_000_000  # of one block of win matrices: 64 MB


class NotConverged(RuntimeError):
    """Newton's steps did not come to rest; with strongly connected wins they always do."""


def win_matrices(item: Ints, left: Ints, right: Ints, left_score: Floats, *, arms: int) -> Floats:
    """One matrix an input that has votes, shape (inputs, arms, arms): what row got against column, ties by half.

    Columns with one entry a vote; inputs in rising order.
    """
    inputs = renumbered(item)
    size = inputs.count * arms * arms
    of_left = np.bincount((inputs.code * arms + left) * arms + right, weights=left_score, minlength=size)
    of_right = np.bincount((inputs.code * arms + right) * arms + left, weights=1 - left_score, minlength=size)
    return np.asarray((of_left + of_right).reshape(inputs.count, arms, arms), dtype=float)


def strongly_connected(wins: Floats) -> Bools:
    """Whether every arm can be reached from every other along wins, else some strength is infinite; shape (…,)."""
    arms = wins.shape[-1]
    reached = ((wins > 0) | np.eye(arms, dtype=bool)).astype(np.float32)
    steps = 1
    while steps < arms - 1:
        reached = np.minimum(reached @ reached, 1)
        steps *= 2
    return np.asarray((reached > 0).all(axis=(-2, -1)), dtype=bool)


def regularised(wins: Floats) -> Floats:
    """Wins with half a vote more for each pair of arms, as a tie: a quarter of a win each."""
    arms = wins.shape[-1]
    return wins + PSEUDO_VOTE / 2 * (1 - np.eye(arms))


def fit(wins: Floats) -> Floats:
    """Maximum-likelihood strengths theta with mean 0 (Bradley and Terry 1952); wins (…, arms, arms), result (…, arms).

    P(i beats j) = 1/(1 + exp(theta_j - theta_i)). Wins must be strongly connected: see `regularised`.
    """
    arms = wins.shape[-1]
    flat = wins.reshape(-1, arms, arms)
    block = max(1, _BATCH_CELLS // (arms * arms))
    parts = [_newton(flat[start : start + block]) for start in range(0, flat.shape[0], block)]
    return np.concatenate(parts).reshape(wins.shape[:-1]) if parts else np.zeros(wins.shape[:-1])


def covariance(wins: Floats, theta: Floats) -> Floats:
    """Of the strengths as independent votes would have it; shape (arms, arms). Clustered votes need the bootstrap."""
    information = _information(wins + wins.T, special.expit(theta[:, None] - theta))
    return np.asarray(np.linalg.pinv(information), dtype=float)


def standard_errors_against(reference: int, spread: Floats) -> Floats:
    """Of theta - theta[reference], from a covariance; shape (arms,)."""
    variance = np.diag(spread) + spread[reference, reference] - 2 * spread[reference]
    return np.asarray(np.sqrt(np.maximum(variance, 0)), dtype=float)


def win_chances(theta: Floats) -> Floats:
    """P(row beats column), ½ on the diagonal; shape (arms, arms)."""
    return np.asarray(special.expit(theta[:, None] - theta), dtype=float)


def _newton(wins: Floats) -> Floats:
    """Newton's method on every matrix of the block until all rest; steps are cut to 2 logits, lest one overshoots."""
    games = wins + wins.swapaxes(-1, -2)
    won = wins.sum(axis=-1)
    theta = np.zeros(won.shape)
    moving = np.arange(theta.shape[0])
    for _ in range(_ROUNDS):
        chances = special.expit(theta[moving, :, None] - theta[moving, None, :])
        slope = won[moving] - (games[moving] * chances).sum(axis=-1)
        # Adding a constant to all strengths changes nothing: the ones fill that gap in the information.
        filled = _information(games[moving], chances) + 1 / wins.shape[-1]
        step = np.linalg.solve(filled, slope[..., None])[..., 0]
        size = np.abs(step).max(axis=-1)
        theta[moving] += step / np.maximum(1, size / 2)[:, None]
        moving = moving[size > 1e-9]
        if not moving.size:
            return np.asarray(theta - theta.mean(axis=-1, keepdims=True), dtype=float)
    raise NotConverged(f"{moving.size} of {theta.shape[0]} Bradley-Terry fits did not come to rest.")


def _information(games: Floats, chances: Floats) -> Floats:
    weight = games * chances * (1 - chances)
    return np.asarray(np.eye(games.shape[-1]) * weight.sum(axis=-1)[..., None] - weight, dtype=float)
