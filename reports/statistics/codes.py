"""Renumbering: whole numbers with gaps become 0, 1, 2 … in the same order, without sorting a million votes."""

from dataclasses import dataclass

import numpy as np

from reports.statistics.interval import Ints


@dataclass(frozen=True, slots=True)
class Renumbered:
    """`code` has one entry for each entry given, `original` one for each different one, rising."""

    code: Ints
    original: Ints

    @property
    def count(self) -> int:
        """How many different ones there are."""
        return int(self.original.size)


def renumbered(codes: Ints) -> Renumbered:
    """Whole numbers from 0 on, without gaps."""
    if codes.size and int(codes.max()) > 8 * codes.size + 1000:
        # A table of what occurs would take more room than the votes themselves.
        original, code = np.unique(codes, return_inverse=True)
        return Renumbered(code.reshape(-1), original)
    occurs = np.bincount(codes.astype(np.int64)) > 0
    return Renumbered((np.cumsum(occurs) - 1)[codes], np.flatnonzero(occurs))
