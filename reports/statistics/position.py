"""Whether standing on the left helps: for a candidate, among several arms, and in the habit of one rater."""

from dataclasses import dataclass

import numpy as np

from reports.statistics import multiplicity, regression
from reports.statistics.distributions import binomial_two_sided, normal_two_sided, t_two_sided
from reports.statistics.interval import Bools, Codes, Floats, Ints
from reports.statistics.verdicts import LEFT, RIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class SideEffect:
    """How much more a candidate scores on the left than on the right (0: no difference), and its score between the two.

    All are None, with the reason, where the sides did not vary enough.
    """

    effect: float | None
    se: float | None
    df: int
    p: float | None
    adjusted_score: float | None
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SideInRanking:
    """The left side's advantage as a logit beside the arms' strengths, which are relative to arm 0."""

    logit: float | None
    se: float | None
    p: float | None
    theta: Floats
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftShare:
    """How often the left side was chosen among votes that preferred one; p exact and two-sided against one half."""

    left: int
    decisive: int
    p: float
    p_holm: float

    @property
    def share(self) -> float | None:
        """None where nothing was decided."""
        return self.left / self.decisive if self.decisive else None


def side_effect(y: Floats, on_left: Bools, item: Ints) -> SideEffect:
    """y = b0 + b1 (left - ½), errors clustered by input, t with inputs - 1; columns with one entry a vote."""
    x = np.column_stack([np.ones(y.size), on_left.astype(float) - 0.5])
    try:
        if on_left.all() or not on_left.any():
            raise regression.NotEstimable("the candidate always stood on the same side")
        fit = regression.least_squares(x, y, item)
    except regression.NotEstimable as problem:
        return SideEffect(effect=None, se=None, df=0, p=None, adjusted_score=None, why=str(problem))
    effect, se = float(fit.coefficients[1]), fit.se(1)
    # Without any residual there is nothing to compare an effect with.
    p = t_two_sided(effect / se, fit.df) if se > 1e-12 else None
    return SideEffect(effect=effect, se=se, df=fit.df, p=p, adjusted_score=float(fit.coefficients[0]))


def side_in_ranking(left: Ints, right: Ints, left_score: Floats, arms: int) -> SideInRanking:
    """Bradley-Terry with an intercept for the left side (Agresti 2002, section 10.6.3); columns with one entry a vote.

    Errors are those of the likelihood, with ties as half a win each.
    """
    cells = left * arms + right
    votes = np.bincount(cells, minlength=arms * arms)
    won = np.bincount(cells, weights=left_score, minlength=arms * arms)
    seen = np.flatnonzero(votes)
    x = np.zeros((seen.size, arms + 1))
    rows = np.arange(seen.size)
    x[:, 0] = 1
    x[rows, 1 + seen // arms] += 1
    x[rows, 1 + seen % arms] -= 1
    try:
        # Arm 0 is the zero of the scale.
        fit = regression.fractional_logit(
            np.delete(x, 1, axis=1), won[seen] / votes[seen], weights=votes[seen].astype(float)
        )
    except regression.NotEstimable as problem:
        return SideInRanking(logit=None, se=None, p=None, theta=np.full(arms, np.nan), why=str(problem))
    logit, se = float(fit.coefficients[0]), fit.se(0)
    theta = np.concatenate([[0.0], fit.coefficients[1:]])
    return SideInRanking(logit=logit, se=se, p=normal_two_sided(logit / se), theta=theta)


def left_share(verdict: Codes) -> LeftShare:
    """Over all votes, by verdict codes."""
    return left_shares(verdict, np.zeros(verdict.size, dtype=np.int64), 1)[0]


def left_shares(verdict: Codes, rater: Ints, raters: int) -> tuple[LeftShare, ...]:
    """For each of `raters` raters, with Holm over those who decided anything; columns with one entry a vote."""
    left = np.bincount(rater[verdict == LEFT], minlength=raters)
    decisive = left + np.bincount(rater[verdict == RIGHT], minlength=raters)
    p = [binomial_two_sided(int(k), int(n)) for k, n in zip(left, decisive, strict=True)]
    raised = multiplicity.holm([value if n else None for value, n in zip(p, decisive, strict=True)])
    return tuple(
        LeftShare(left=int(k), decisive=int(n), p=value, p_holm=1.0 if high is None else high)
        for k, n, value, high in zip(left, decisive, p, raised, strict=True)
    )
