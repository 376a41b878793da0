"""Chance from the experiment's secret: the same question draws the same number, and no rater can tell which."""

import hmac
from dataclasses import dataclass

BITS = 64


@dataclass(frozen=True, slots=True)
class Draws:
    """All draws of one experiment, derived from its secret salt and its seed by HMAC-SHA-256."""

    salt: str
    seed: int

    def number(self, purpose: str, *of: int) -> int:
        """An integer below 2**64, for this purpose and these things (a rater, a comparison, a place in the queue)."""
        message = ":".join([str(self.seed), purpose, *map(str, of)])
        return int.from_bytes(hmac.digest(self.salt.encode(), message.encode(), "sha256")[: BITS // 8], "big")

    def share(self, purpose: str, *of: int) -> float:
        """A number from 0 to below 1."""
        return (self.number(purpose, *of) >> 11) / (1 << 53)
