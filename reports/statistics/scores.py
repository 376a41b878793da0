"""Counts and the headline score: wins, ties, losses, and the mean over inputs of what the candidate got there."""

from dataclasses import dataclass

import numpy as np

from reports.statistics.interval import Bools, Floats, Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How the votes on a candidate against a baseline fell out."""

    wins: int
    losses: int
    both_good: int
    both_bad: int

    @property
    def votes(self) -> int:
        """All of them."""
        return self.wins + self.losses + self.both_good + self.both_bad

    @property
    def decisive(self) -> int:
        """Votes that preferred one of the two."""
        return self.wins + self.losses

    def share(self, part: int) -> float | None:
        """A count as a share of all votes; None without votes."""
        return part / self.votes if self.votes else None

    @property
    def vote_score(self) -> float | None:
        """(wins + half the ties) / votes: every vote the same, unlike the headline; None without votes."""
        return self.share(self.wins) if not self.votes else (self.wins + (self.votes - self.decisive) / 2) / self.votes

    @property
    def net(self) -> float | None:
        """(wins - losses) / votes, -1 to 1; None without votes."""
        return (self.wins - self.losses) / self.votes if self.votes else None

    @property
    def decisive_win_rate(self) -> float | None:
        """wins / (wins + losses); it hides ties, and is None where every vote is one."""
        return self.wins / self.decisive if self.decisive else None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputScores:
    """One entry an input that has votes: its number, the mean of y over its votes, and how many those are."""

    input: Ints
    mean: Floats
    votes: Ints

    def __len__(self) -> int:
        return int(self.input.size)

    @property
    def score(self) -> float | None:
        """The headline: the mean over inputs; None without votes."""
        return float(self.mean.mean()) if self.mean.size else None


def tally(y: Floats, both_bad: Bools) -> Tally:
    """Counts from scores (1 candidate better, 0 baseline better, ½ neither) and from which of them were both bad.

    Both columns have one entry a vote. Raises ValueError for a score that is none of the three.
    """
    wins, losses, ties = y == 1, y == 0, y == 0.5
    if not np.all(wins | losses | ties):
        raise ValueError("A vote is worth 0, ½ or 1.")
    if np.any(both_bad & ~ties):
        raise ValueError("A vote for both bad is worth ½.")
    bad = int(np.count_nonzero(both_bad))
    return Tally(
        wins=int(np.count_nonzero(wins)),
        losses=int(np.count_nonzero(losses)),
        both_good=int(np.count_nonzero(ties)) - bad,
        both_bad=bad,
    )


def by_input(y: Floats, item: Ints) -> InputScores:
    """The mean of y on each input; columns with one entry a vote. Inputs without votes are left out."""
    votes = np.bincount(item) if item.size else np.zeros(0, dtype=np.int64)
    seen = np.flatnonzero(votes)
    sums = np.bincount(item, weights=y)[seen] if item.size else np.zeros(0)
    return InputScores(input=seen, mean=sums / votes[seen], votes=votes[seen])


def score_without_both_bad(y: Floats, item: Ints, both_bad: Bools) -> float | None:
    """The headline from the other votes alone; None where all are both bad."""
    return by_input(y[~both_bad], item[~both_bad]).score


def share_of_inputs_both_bad(item: Ints, both_bad: Bools) -> float | None:
    """The share of inputs on which more than half of the votes say both bad; None without votes."""
    shares = by_input(both_bad.astype(float), item)
    return float(np.mean(shares.mean > 0.5)) if len(shares) else None
