"""What each unit most likely is when raters err each in their own way: for 20 raters or more, as a check only."""

from dataclasses import dataclass

import numpy as np

from reports.statistics.interval import Floats, Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentClasses:
    """`priors` (classes,), `confusion` (raters, true class, said), `posterior` (units, classes); `rounds` of EM."""

    priors: Floats
    confusion: Floats
    posterior: Floats
    rounds: int

    @property
    def likeliest(self) -> Ints:
        """The class of each unit; shape (units,)."""
        return np.asarray(self.posterior.argmax(axis=1), dtype=np.int64)


def fit(unit: Ints, rater: Ints, said: Ints, *, classes: int, rounds: int = 1000) -> LatentClasses:
    """Expectation-maximisation (Dawid and Skene 1979) from the shares of votes; columns with one entry a vote.

    A rater may judge a unit more than once. Raises ValueError without votes.
    """
    if not unit.size:
        raise ValueError("There are no votes to learn from.")
    units, raters = int(unit.max()) + 1, int(rater.max()) + 1
    cells = (unit * raters + rater) * classes + said
    counts = np.bincount(cells, minlength=units * raters * classes).astype(float).reshape(units, raters, classes)
    posterior = _normalised(counts.sum(axis=1))
    taken = 0
    while taken < rounds:
        taken += 1
        priors, confusion = posterior.mean(axis=0), _normalised(np.einsum("uk,urs->rks", posterior, counts))
        before, posterior = posterior, _posterior(priors, confusion, counts)
        if np.abs(posterior - before).max() < 1e-10:
            break
    return LatentClasses(priors=posterior.mean(axis=0), confusion=confusion, posterior=posterior, rounds=taken)


def _posterior(priors: Floats, confusion: Floats, counts: Floats) -> Floats:
    # The smallest number stands for 0, so that its logarithm is finite.
    tiny = np.finfo(float).tiny
    logs = np.log(np.maximum(priors, tiny)) + np.einsum("urs,rks->uk", counts, np.log(np.maximum(confusion, tiny)))
    return _normalised(np.exp(logs - logs.max(axis=1, keepdims=True)))


def _normalised(parts: Floats) -> Floats:
    total = parts.sum(axis=-1, keepdims=True)
    found: Floats = np.divide(parts, total, out=np.full(parts.shape, 1 / parts.shape[-1]), where=total > 0)
    return found
