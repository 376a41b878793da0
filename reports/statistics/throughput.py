"""What a server sustains: which of the loads that it was put under counts, and whether it could have done more."""

from collections.abc import Sequence
from dataclasses import dataclass

STILL_RISING = 1.1  # a level that gives so many times the one below it has not found the server's limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One number of requests in flight: answers a second, failed requests, and the p95 of the times in ms."""

    concurrency: int
    throughput: float
    failed: int = 0
    p95: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sustained:
    """The level that counts, None where there is none, with the reason.

    `loaded` says that it comes from a load run; `lower_bound` that the server was never seen at its limit.
    """

    level: Level | None
    loaded: bool = False
    lower_bound: bool = True
    why: str = ""

    @property
    def throughput(self) -> float | None:
        """Requests a second."""
        return self.level.throughput if self.level else None


def sustained(levels: Sequence[Level], *, own: Level | None, p95_target: float | None = None) -> Sustained:
    """The best level of a load run without failures whose p95 meets the target; without any, the study's `own` load.

    Of several runs at one concurrency the last counts. Without a target every level without failures fits.
    """
    last = {level.concurrency: level for level in levels}
    clean = [level for level in last.values() if not level.failed and level.throughput > 0]
    pool = clean or ([own] if own else [])
    if not pool:
        return Sustained(level=None, why="no throughput was measured: nothing was timed")
    fitting = [level for level in pool if _meets(level, p95_target)]
    if not fitting:
        return Sustained(level=None, loaded=bool(clean), why="no measured load keeps p95 within the wanted one")
    best = max(fitting, key=lambda level: (level.throughput, -level.concurrency))
    return Sustained(level=best, loaded=bool(clean), lower_bound=not clean or _rises(best, list(last.values())))


def _meets(level: Level, target: float | None) -> bool:
    return target is None or (level.p95 is not None and level.p95 <= target)


def _rises(best: Level, levels: Sequence[Level]) -> bool:
    """Whether the best is the highest level that was tried, and clearly above the one below it."""
    if any(level.concurrency > best.concurrency for level in levels):
        return False
    below = [level for level in levels if level.concurrency < best.concurrency]
    if not below:
        return True
    return best.throughput > STILL_RISING * max(below, key=lambda level: level.concurrency).throughput
