"""Everything one report is computed from, read once: ballots, measurements, names, assumptions."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.models import Experiment
from reports import assumptions, measurements, unblinding, votes
from reports.measurements import Measured
from reports.statistics.interval import Bools, Ints
from reports.unblinding import Identity
from reports.votes import Ballots, Versus, Votes


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A closed experiment, ready for arithmetic. Arms are positions in `ballots.arms`.

    `order` lists the arms as the report shows them: the candidates by name, then the baseline. `pairs` holds
    (candidate, baseline) for every pair that was voted on.
    """

    experiment: Experiment
    ballots: Ballots
    measured: tuple[Measured, ...]
    identities: tuple[Identity, ...]
    baseline: int | None
    order: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...]
    assumed: dict[str, Any]

    def name(self, arm: int) -> str:
        """The name of the system that played an arm."""
        return self.identities[arm].name

    def versus(self, pair: tuple[int, int]) -> Versus:
        """The votes of a pair from its candidate's side."""
        return votes.versus(self.ballots.votes, candidate=pair[0], baseline=pair[1])

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
    return Study(
        experiment=experiment,
        ballots=ballots,
        measured=tuple(measured[code] for code in ballots.arms),
        identities=identities,
        baseline=baseline,
        order=tuple(by_name),
        pairs=_pairs(ballots.votes, tuple(by_name)),
        assumed=assumptions.current(experiment),
    )


def _pairs(cast: Votes, order: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    rank = {arm: place for place, arm in enumerate(order)}
    size = len(order) or 1
    met = np.unique(np.minimum(cast.left, cast.right) * size + np.maximum(cast.left, cast.right))
    pairs = [(int(code) // size, int(code) % size) for code in met]
    turned = [tuple(sorted(pair, key=rank.__getitem__)) for pair in pairs]
    # Against the baseline first: it comes last in the order, so it is the second of its pairs.
    last = len(order) - 1
    return tuple(
        sorted(((a, b) for a, b in turned), key=lambda pair: (rank[pair[1]] != last, rank[pair[0]], rank[pair[1]]))
    )


def arms_of(cast: Votes) -> Ints:
    """The arms that got votes."""
    return np.unique(np.concatenate([cast.left, cast.right]))


def within(cast: Versus, inputs: Bools) -> Versus:
    """The votes on inputs that a mask by input picks."""
    return cast.where(inputs[cast.input])
