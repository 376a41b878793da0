"""How much of a file is taken; beyond that it is refused with the limit, the value and the line."""

from dataclasses import dataclass

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, and counts."""

    file: int = 20 * MB
    rows: int = 10_000
    line: int = 1 * MB
    field: int = 200_000
    columns: int = 200
    depth: int = 64


INPUTS = Limits()
OUTPUTS = Limits(file=100 * MB, rows=100_000)
JUDGMENTS = Limits(file=100 * MB, rows=1_000_000)
