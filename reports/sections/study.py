"""Everything one report is computed from, read once: ballots, measurements, names, assumptions."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.models import Experiment
from reports import assumptions, measurements, unblinding, votes
from reports.measured import Measured
from reports.statistics.interval import Ints
from reports.unblinding import Identity
from reports.votes import Ballots, Versus, Votes


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A closed experiment, ready for arithmetic. Arms are positions in `ballots.arms`.

    `order` lists the arms as the report shows them: the candidates by name, then the baseline. `pairs` holds
    (candidate, baseline) for every pair that was voted on, `places` where its votes are.
    """

    experiment: Experiment
    ballots: Ballots
    measured: tuple[Measured, ...]
    identities: tuple[Identity, ...]
    baseline: int | None
    order: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...]
    places: dict[tuple[int, int], Ints]
    assumed: dict[str, Any]

    def name(self, arm: int) -> str:
        """The name of the system that played an arm."""
        return self.identities[arm].name

    def versus(self, pair: tuple[int, int]) -> Versus:
        """The votes of a pair from its candidate's side."""
        return votes.versus(self.ballots.votes.where(self.places[pair]), candidate=pair[0], baseline=pair[1])

    @property
    def votes(self) -> Votes:
        """Those that enter the score."""
        return self.ballots.votes

    def chance(self, purpose: str) -> np.random.Generator:
        """Chance for resampling: the same for the same experiment and purpose, whoever asks and when."""
        return np.random.default_rng([self.experiment.seed, *purpose.encode()])


def read(experiment: Experiment) -> Study:
    """Read all of a closed experiment. Raises StillBlind."""
    named = unblinding.identities(experiment)
    ballots, measured = votes.read(experiment), measurements.read(experiment)
    identities = tuple(named[code] for code in ballots.arms)
    code = experiment.baseline.code if experiment.baseline else None
    baseline = ballots.arms.index(code) if code in ballots.arms else None
    by_name = sorted(range(len(identities)), key=lambda arm: (arm == baseline, identities[arm].name))
    places = _places(ballots.votes, tuple(by_name))
    return Study(
        experiment=experiment,
        ballots=ballots,
        measured=tuple(measured[code] for code in ballots.arms),
        identities=identities,
        baseline=baseline,
        order=tuple(by_name),
        pairs=tuple(places),
        places=places,
        assumed=assumptions.current(experiment),
    )


def _places(cast: Votes, order: tuple[int, ...]) -> dict[tuple[int, int], Ints]:
    """Where each pair's votes are, in their order; the pairs against the baseline first.

    The baseline comes last in the order of arms, so it is the second of its pairs.
    """
    rank = np.empty(len(order), dtype=np.int64)
    rank[list(order)] = np.arange(len(order))
    size = len(order) or 1
    first, second = np.minimum(rank[cast.left], rank[cast.right]), np.maximum(rank[cast.left], rank[cast.right])
    codes = first * size + second
    ordered = np.argsort(codes, kind="stable")
    met, starts = np.unique(codes[ordered], return_index=True)
    found = (
        {
            (int(code) // size, int(code) % size): places
            for code, places in zip(met, np.split(ordered, starts[1:]), strict=True)
        }
        if met.size
        else {}
    )
    turn = sorted(found, key=lambda pair: (pair[1] != size - 1, pair))
    return {(order[a], order[b]): found[a, b] for a, b in turn}
