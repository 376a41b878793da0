"""Chance from the experiment's secret: the same question draws the same number, and no rater can tell which."""

import hmac
from dataclasses import dataclass
from functools import lru_cache

BITS = 64


@dataclass(frozen=True, slots=True)
class Draws:
    """All draws of one experiment, derived from its secret salt and its seed by HMAC-SHA-256."""

    salt: str
    seed: int

    def number(self, purpose: str, *of: int) -> int:
        """An integer below 2**64, for this purpose and these things (a rater, a comparison, a place in the queue)."""
        drawn = _keyed(self.salt).copy()
        drawn.update(":".join([str(self.seed), purpose, *map(str, of)]).encode())
        return int.from_bytes(drawn.digest()[: BITS // 8], "big")

    def share(self, purpose: str, *of: int) -> float:
        """A number from 0 to below 1."""
        return (self.number(purpose, *of) >> 11) / (1 << 53)


@lru_cache(maxsize=32)
def _keyed(salt: str) -> hmac.HMAC:
    """What all draws begin with: setting up the key takes longer than a draw."""
    return hmac.new(salt.encode(), digestmod="sha256")
