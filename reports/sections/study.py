"""Everything one report is computed from, read once: ballots, measurements, names, assumptions."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.models import Experiment
from reports import assumptions, measurements, unblinding, votes
from reports.measured import Measured
from reports.unblinding import Identity
from reports.votes import Ballots, Versus, Votes


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A closed experiment, ready for arithmetic. Arms are positions in `ballots.arms`.

    `order` lists the arms as the report shows them: the candidates by name, then the baseline. `cast` holds the votes
    on every pair that has some, by (candidate, baseline), the pairs against the baseline first.
    """

    experiment: Experiment
    ballots: Ballots
    measured: tuple[Measured, ...]
    identities: tuple[Identity, ...]
    baseline: int | None
    order: tuple[int, ...]
    cast: dict[tuple[int, int], Versus]
    assumed: dict[str, Any]

    def name(self, arm: int) -> str:
        """The name of the system that played an arm."""
        return self.identities[arm].name

    def versus(self, pair: tuple[int, int]) -> Versus:
        """The votes of a pair from its candidate's side."""
        return self.cast[pair]

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """(candidate, baseline) of every pair that was voted on."""
        return tuple(self.cast)

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
        cast=votes.by_pair(ballots.votes, tuple(by_name)),
        assumed=assumptions.current(experiment),
    )
