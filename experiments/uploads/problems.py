"""What is wrong with an uploaded file or one of its rows, in sentences for the person who made it."""

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.refusals import Refused

SHOWN = 100


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used: where it begins (lines count from 1), which field, and why."""

    line: int
    field: str
    sentence: str

    def __str__(self) -> str:
        is_named = not self.field or f"'{self.field}'" in self.sentence
        where = f"line {self.line}" if is_named else f"line {self.line}, field {self.field}"
        return f"{where}: {self.sentence}"


class UploadError(Refused):
    """A file that cannot be used at all, or rows of it; `bad_rows` are the first hundred, `count` is how many.

    With `rows_of` the sentence names the file itself, row by row.

    `too_large` says that the file was over the limit of its size (an answer of 413 rather than 400).
    """

    def __init__(
        self,
        sentence: str,
        *,
        file: str = "",
        line: int | None = None,
        bad_rows: Sequence[BadRow] = (),
        count: int = 0,
        rows_of: str = "",
        too_large: bool = False,
    ) -> None:
        self.sentence, self.file, self.line, self.too_large = sentence, file or rows_of, line, too_large
        self.bad_rows, self.count = tuple(bad_rows[:SHOWN]), count or len(bad_rows)
        where = ", ".join(part for part in (file, f"line {line}" if line else "") if part)
        message = f"{where}: {sentence}" if where else sentence
        super().__init__(message if self.file else message[:1].upper() + message[1:])


def error_of_rows(bad_rows: Sequence[BadRow], count: int, file: str) -> UploadError:
    """One error that names every bad row, the first hundred in words."""
    shown = [f"{file}, {row}" if file else str(row).capitalize() for row in bad_rows[:SHOWN]]
    more = [f"… and {count - len(shown)} more."] if count > len(shown) else []
    return UploadError("\n".join([*shown, *more]), rows_of=file, bad_rows=bad_rows, count=count)
