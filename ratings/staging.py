"""Judgments made elsewhere, checked against an experiment and held as compact columns until they are written."""

import tempfile
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from math import nan
from operator import itemgetter
from typing import IO, Protocol

import numpy as np
from numpy.typing import NDArray

from experiments.uploads import UploadError
from ratings.models import Verdict

SHOWN = 100
VERDICTS = tuple(Verdict.values)
TIE = "tie"
MIRRORED = (1, 0, 2, 3)  # the verdict as seen from the other side
NONE = -1
LONGEST_LABEL = 120
Numbers = NDArray[np.int64]


class Row(Protocol):
    """A judgment as the file has it: names as text, times in seconds."""

    @property
    def line(self) -> int: ...
    @property
    def input(self) -> str: ...
    @property
    def rater(self) -> str: ...
    @property
    def left(self) -> str: ...
    @property
    def right(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def criterion(self) -> str: ...
    @property
    def left_acceptable(self) -> bool | None: ...
    @property
    def right_acceptable(self) -> bool | None: ...
    @property
    def seconds(self) -> float | None: ...
    @property
    def comment(self) -> str: ...
    @property
    def judged_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What rows may name: by input id, the output of each system; the criteria by name, in their order."""

    outputs: Mapping[str, Mapping[str, int]]
    systems: frozenset[str]
    criteria: tuple[str, ...] = ()


class Comments:
    """Texts of any number, kept in a nameless temporary file beyond the first megabytes."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=8_000_000)  # noqa: SIM115  # lives as long as its rows
        self._end = 0

    def keep(self, text: str) -> int:
        """Where the text was put; NONE for no text."""
        if not text:
            return NONE
        data = text.encode()
        start = self._end
        self._file.seek(start)
        self._file.write(len(data).to_bytes(4, "big") + data)
        self._end += 4 + len(data)
        return start

    def at(self, start: int) -> str:
        """The text that was put there."""
        if start == NONE:
            return ""
        self._file.seek(start)
        return self._file.read(int.from_bytes(self._file.read(4), "big")).decode()

    def close(self) -> None:
        """Forget the texts."""
        self._file.close()


@dataclass
class Staged:
    """Rows that were checked, a column each. A row's `swapped` says that its left is the pair's second output."""

    known: Known
    raters: dict[str, int] = field(default_factory=dict)
    pairs: dict[tuple[int, int], int] = field(default_factory=dict)
    rater: "array[int]" = field(default_factory=lambda: array("l"))
    pair: "array[int]" = field(default_factory=lambda: array("l"))
    swapped: "array[int]" = field(default_factory=lambda: array("b"))
    verdict: "array[int]" = field(default_factory=lambda: array("b"))
    acceptable: "array[int]" = field(default_factory=lambda: array("b"))  # left, right, left, right …
    seconds: "array[float]" = field(default_factory=lambda: array("d"))
    judged_at: "array[float]" = field(default_factory=lambda: array("d"))
    comment: "array[int]" = field(default_factory=lambda: array("q"))
    comments: Comments = field(default_factory=Comments)
    criterion_cells: "array[int]" = field(default_factory=lambda: array("q"))  # six a row, as criterion_rows names them
    ties: int = 0
    problems: list[str] = field(default_factory=list)
    bad_rows: int = 0

    def __len__(self) -> int:
        return len(self.rater)

    def close(self) -> None:
        """Forget the texts; the other columns go with the object."""
        self.comments.close()

    def keys(self) -> Numbers:
        """One number for each row's rater and pair."""
        return np.asarray(self.rater, np.int64) * max(len(self.pairs), 1) + np.asarray(self.pair, np.int64)

    def criterion_rows(self) -> Numbers:
        """The criterion verdicts: line, rater, pair, swapped, criterion, verdict."""
        return np.asarray(self.criterion_cells, np.int64).reshape(-1, 6)

    def complain(self, line: int, reason: str) -> None:
        """Note a bad row; the first hundred are kept in words."""
        self.bad_rows += 1
        if len(self.problems) < SHOWN:
            self.problems.append(f"line {line}: {reason}")

    def take_over(self, error: UploadError) -> None:
        """Note the rows that the reader found bad, which it tells at its end, each at its place among ours."""
        if not error.bad_rows:
            raise error
        self.bad_rows += error.count
        told = [(_line_of(problem), problem) for problem in self.problems] + [
            (one.line, str(one)) for one in error.bad_rows
        ]
        self.problems = [problem for _, problem in sorted(told, key=itemgetter(0))][:SHOWN]

    def add(self, row: Row) -> None:
        """Check a row and keep it, or note what is wrong with it."""
        left = self._output(row, row.left)
        right = self._output(row, row.right)
        verdict = self._verdict(row)
        if left is None or right is None or verdict is None or not self._is_sound(row):
            return
        rater = self.raters.setdefault(row.rater, len(self.raters))
        ends = (left, right) if left < right else (right, left)
        pair = self.pairs.setdefault(ends, len(self.pairs))
        if row.criterion:
            criterion = self.known.criteria.index(row.criterion)
            self.criterion_cells.extend((row.line, rater, pair, int(left > right), criterion, verdict))
            return
        self.rater.append(rater)
        self.pair.append(pair)
        self.swapped.append(left > right)
        self.verdict.append(verdict)
        self.acceptable.append(_flag(row.left_acceptable))
        self.acceptable.append(_flag(row.right_acceptable))
        self.seconds.append(nan if row.seconds is None else row.seconds)
        self.judged_at.append(nan if row.judged_at is None else row.judged_at.timestamp())
        self.comment.append(self.comments.keep(row.comment))

    def finish(self) -> None:
        """Note the criterion verdicts that have no overall verdict to stand beside."""
        rows = self.criterion_rows()
        if not len(rows):
            return
        alone = ~np.isin(rows[:, 1] * max(len(self.pairs), 1) + rows[:, 2], np.unique(self.keys()))
        for line in rows[alone, 0].tolist():
            self.complain(line, "a criterion verdict needs a row without criterion of the same rater on the same pair.")

    def _output(self, row: Row, system: str) -> int | None:
        answers = self.known.outputs.get(row.input)
        if answers is not None and system in answers:
            return answers[system]
        if answers is None:
            if system == row.left:
                self.complain(row.line, f"input {row.input!r} is not in this experiment.{self._near_input(row.input)}")
        elif system not in self.known.systems:
            self.complain(row.line, f"no system is called {system!r}.{_near(system, self.known.systems)}")
        else:
            self.complain(row.line, f"system {system!r} has no answer to input {row.input!r}.")
        return None

    def _verdict(self, row: Row) -> int | None:
        if row.verdict == TIE:
            self.ties += 1
            return VERDICTS.index(Verdict.BOTH_GOOD)
        if row.verdict in VERDICTS:
            return VERDICTS.index(row.verdict)
        self.complain(row.line, f"verdict {row.verdict!r} is none of {', '.join(VERDICTS)}, {TIE}.")
        return None

    def _is_sound(self, row: Row) -> bool:
        if row.left == row.right:
            self.complain(row.line, f"left and right are both {row.left!r}.")
        elif not row.rater or len(row.rater) > LONGEST_LABEL:
            self.complain(row.line, f"'rater' must have 1 to {LONGEST_LABEL} characters.")
        elif row.criterion and row.criterion not in self.known.criteria:
            self.complain(
                row.line, f"no criterion is called {row.criterion!r}.{_near(row.criterion, self.known.criteria)}"
            )
        elif row.seconds is not None and not 0 <= row.seconds < float("inf"):
            self.complain(row.line, f"'seconds' must be a number of at least 0, not {row.seconds!r}.")
        else:
            return True
        return False

    def _near_input(self, name: str) -> str:
        # Comparing with ten thousand ids takes a while: only for those that are shown.
        return _near(name, self.known.outputs) if self.bad_rows < SHOWN else ""


def stage(rows: Iterable[Row], known: Known) -> Staged:
    """Every row checked; touches no database. About 60 bytes a row are held, and comments in a temporary file.

    Rows that could not be read count as bad with the others; raises UploadError where the file as a whole is unusable.
    """
    staged = Staged(known)
    try:
        for row in rows:
            staged.add(row)
    except UploadError as error:
        staged.take_over(error)
    staged.finish()
    return staged


def _line_of(problem: str) -> int:
    return int(problem.removeprefix("line ").partition(":")[0])


def _flag(value: bool | None) -> int:
    return NONE if value is None else int(value)


def _near(name: str, names: Iterable[str]) -> str:
    near = get_close_matches(name, list(names), n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""
