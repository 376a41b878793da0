"""Strengths with ties as an outcome of their own, to predict how many there will be and to check the simpler model."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from reports.statistics import bradley_terry
from reports.statistics.interval import Floats

_ROUNDS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TieModel:
    """Strengths with mean 0, the parameter of ties (Davidson's nu, Rao and Kupper's kappa), and the log-likelihood."""

    theta: Floats
    tie: float
    log_likelihood: float


def davidson(wins: Floats, ties: Floats) -> TieModel:
    """p_ij = a_i/D, p_tie = nu √(a_i a_j)/D, D = a_i + a_j + nu √(a_i a_j) (Davidson 1970).

    `wins` counts row over column, `ties` is symmetrical; both (arms, arms), strongly connected with ties as half wins.
    Raises ValueError without ties.
    """
    arms = wins.shape[0]
    _require_ties(ties)
    first, second = np.triu_indices(arms, 1)
    rows = np.arange(first.size)
    features = np.zeros((first.size, 3, arms + 1))
    features[rows, 0, first] = 1
    features[rows, 1, second] = 1
    features[rows, 2, first] = features[rows, 2, second] = 0.5
    features[:, 2, arms] = 1
    outcomes = np.stack([wins[first, second], wins[second, first], ties[first, second]], axis=1)
    found = np.append(bradley_terry.fit(wins + ties / 2), 0.0)
    for _ in range(_ROUNDS):
        chances = special.softmax(features @ found, axis=1)
        expected = np.einsum("pk,pkf->pf", chances, features)
        votes = outcomes.sum(axis=1)
        slope = np.einsum("pk,pkf->f", outcomes, features) - votes @ expected
        spread = np.einsum("p,pk,pkf,pkg->fg", votes, chances, features, features, optimize=True)
        found, rested = _stepped(found, slope, spread - (expected * votes[:, None]).T @ expected)
        if rested:
            break
    likelihood = float((outcomes * np.log(special.softmax(features @ found, axis=1))).sum())
    theta = found[:arms]
    return TieModel(theta=theta - theta.mean(), tie=math.exp(found[arms]), log_likelihood=likelihood)


def rao_kupper(wins: Floats, ties: Floats) -> TieModel:
    """p_ij = a_i/(a_i + kappa a_j), a tie else (Rao and Kupper 1967); arguments as for `davidson`."""
    arms = wins.shape[0]
    _require_ties(ties)
    # A tie is a failure of each to beat the other by log kappa: both "not worse" counts enter a logit.
    held, tied = wins + ties, float(np.triu(ties, 1).sum())
    found = np.append(bradley_terry.fit(wins + ties / 2), 0.5)
    for _ in range(_ROUNDS):
        theta, delta = found[:arms], found[arms]
        chances = special.expit(theta[:, None] - theta - delta)
        missed, weight = held * (1 - chances), held * chances * (1 - chances)
        growth = math.exp(2 * delta)
        slope = np.append(missed.sum(axis=1) - missed.sum(axis=0), 2 * tied * growth / (growth - 1) - missed.sum())
        information = np.zeros((arms + 1, arms + 1))
        information[:arms, :arms] = np.diag(weight.sum(axis=1) + weight.sum(axis=0)) - weight - weight.T
        information[arms, :arms] = information[:arms, arms] = weight.sum(axis=0) - weight.sum(axis=1)
        information[arms, arms] = weight.sum() + 4 * tied * growth / (growth - 1) ** 2
        before = delta
        found, rested = _stepped(found, slope, information)
        # kappa stays above 1: a step beyond it is cut to half the way there.
        found[arms] = max(found[arms], before / 2)
        if rested:
            break
    likelihood = float((held * special.log_expit(found[:arms, None] - found[:arms] - found[arms])).sum())
    likelihood += tied * math.log(math.expm1(2 * found[arms]))
    return TieModel(theta=found[:arms] - found[:arms].mean(), tie=math.exp(found[arms]), log_likelihood=likelihood)


def _require_ties(ties: Floats) -> None:
    if not ties.any():
        raise ValueError("There are no ties: the Bradley-Terry model is enough.")


def _stepped(found: Floats, slope: Floats, information: Floats) -> tuple[Floats, bool]:
    filled = information.copy()
    filled[:-1, :-1] += 1 / (found.size - 1)  # the strengths are known up to a constant
    step = np.linalg.solve(filled, slope)
    size = float(np.abs(step).max())
    return found + step / max(1.0, size / 2), size < 1e-10
