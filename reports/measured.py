"""What was measured of one arm, as columns: times, tokens, how requests ended; it knows no names."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """One entry a complete answer that was timed; ms, NaN where not measured. `input` is a position.

    `output` and `reasoning` are the tokens of the same answer, NaN where nobody counted them.
    """

    input: Ints
    sample: Ints
    e2e: Floats
    ttft: Floats
    first_visible: Floats
    user: Floats
    output: Floats
    reasoning: Floats

    def __len__(self) -> int:
        return int(self.e2e.size)

    @property
    def first_pass(self) -> Floats:
        """The times of the first answer to each input: later passes may meet a warm cache."""
        return np.asarray(self.e2e[self.sample == 0], dtype=float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one answered request each; `input` is a position, `prompt` includes `cached`, `output` reasoning.

    What was written to a cache is in `cache_write` alone. `estimated` marks counts made from characters.
    """

    input: Ints
    sample: Ints
    prompt: Floats
    cached: Floats
    cache_write: Floats
    output: Floats
    estimated: NDArray[np.bool_]

    def __len__(self) -> int:
        return int(self.prompt.size)

    def where(self, mask: NDArray[np.bool_]) -> "Usage":
        """Only these."""
        return Usage(**{field.name: getattr(self, field.name)[mask] for field in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How the requests ended. `missing` counts inputs that were never asked for, as no answer was recorded;
    `retries` calls beyond the first of a request; `begun` failed calls that may have been billed, as they were not
    seen to end before their first token; `first_at` and `last_at` when the first was sent and the last ended."""

    requests: int = 0
    complete: int = 0
    failed: int = 0
    truncated: int = 0
    refused: int = 0
    empty: int = 0
    pending: int = 0
    missing: int = 0
    retries: int = 0
    begun: int = 0
    cold_starts: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None

    @property
    def unusable(self) -> int:
        """Answers that came and could not be used."""
        return self.truncated + self.refused + self.empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All that was measured of one arm. `usage` is of complete answers, `unusable` of those cut off, refused or empty;
    `server` names what was asked (the same for systems that share it), None where answers were recorded;
    `lowered_to` is the concurrency that a rate limit left."""

    timings: Timings
    usage: Usage
    unusable: Usage
    tally: Tally
    concurrency: int
    lowered_to: int | None
    samples: int
    server: str | None
    cost: Mapping[str, Any]
    load_runs: tuple[Mapping[str, Any], ...] = ()
