"""One JSON object of a file from elsewhere: its values are taken by type, and a wrong one is named by file and line."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NoReturn

from experiments.refusals import Refused

LARGEST = 2**63 - 1
LONGEST = 5_000_000


class BadRecord(Refused):
    """A record that cannot be read as what it should be."""


@dataclass(frozen=True, slots=True)
class Record:
    """The values of one object and where it stands, such as `outputs.jsonl, line 3`."""

    values: Mapping[str, Any]
    where: str

    @classmethod
    def read(cls, line: bytes, where: str) -> "Record":
        """Strict JSON of an object whose texts can be stored. Raises BadRecord."""
        try:
            values = json.loads(line, parse_constant=_no_constant)
            if b"\\u" in line:
                _check_texts(values)
        except (ValueError, RecursionError) as error:
            raise BadRecord(f"{where}: no JSON that can be read ({error}).") from error
        if not isinstance(values, dict):
            raise BadRecord(f"{where}: an object is expected.")
        return cls(values, where)

    def wrong(self, sentence: str) -> NoReturn:
        """Refuse the record."""
        raise BadRecord(f"{self.where}: {sentence}")

    def text(self, name: str, *, longest: int = LONGEST, default: str | None = None) -> str:
        """Text of at most so many characters."""
        value = self.values.get(name, default)
        if not isinstance(value, str) or len(value) > longest:
            self.wrong(f"{name!r} must be text of at most {longest:,} characters.")
        return value

    def one_of(self, name: str, known: Iterable[str]) -> str:
        """One of a few words."""
        value = self.text(name, longest=100)
        if value not in known:
            self.wrong(f"{name!r} is {value!r}, which is unknown.")
        return value

    def whole(self, name: str, *, least: int = 0) -> int:
        """A whole number that a database can hold."""
        value = self.values.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= LARGEST:
            self.wrong(f"{name!r} must be a whole number of at least {least}.")
        return value

    def whole_or_none(self, name: str) -> int | None:
        """The same, or nothing."""
        return None if self.values.get(name) is None else self.whole(name)

    def number(self, name: str) -> float:
        """A finite number."""
        value = self.values.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            self.wrong(f"{name!r} must be a number.")
        return float(value)

    def number_or_none(self, name: str) -> float | None:
        """The same, or nothing."""
        return None if self.values.get(name) is None else self.number(name)

    def truth(self, name: str) -> bool:
        """True or false."""
        value = self.values.get(name)
        if not isinstance(value, bool):
            self.wrong(f"{name!r} must be true or false.")
        return value

    def truth_or_none(self, name: str) -> bool | None:
        """The same, or nothing."""
        return None if self.values.get(name) is None else self.truth(name)

    def moment(self, name: str) -> datetime:
        """A time with its zone, in ISO 8601."""
        found = self.moment_or_none(name)
        if found is None:
            self.wrong(f"{name!r} must be a time.")
        return found

    def moment_or_none(self, name: str) -> datetime | None:
        """The same; an empty text is nothing."""
        value = self.text(name, longest=40, default="")
        try:
            found = datetime.fromisoformat(value) if value else None
        except ValueError:
            self.wrong(f"{name!r} must be a time in ISO 8601.")
        if found is not None and found.tzinfo is None:
            self.wrong(f"{name!r} must be a time with its zone.")
        return found

    def day(self, name: str) -> date:
        """A day in ISO 8601."""
        try:
            return date.fromisoformat(self.text(name, longest=10))
        except ValueError:
            self.wrong(f"{name!r} must be a day in ISO 8601.")

    def mapping(self, name: str) -> dict[str, Any]:
        """An object."""
        value = self.values.get(name)
        if not isinstance(value, dict):
            self.wrong(f"{name!r} must be an object.")
        return value

    def rows(self, name: str) -> list[dict[str, Any]]:
        """A list of objects."""
        value = self.values.get(name)
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.wrong(f"{name!r} must be a list of objects.")
        return value

    def records(self, name: str) -> "list[Record]":
        """The same, each to be taken apart in turn."""
        return [Record(one, f"{self.where}, {name}") for one in self.rows(name)]

    def part(self, name: str) -> "Record":
        """An object, to be taken apart in turn."""
        return Record(self.mapping(name), f"{self.where}, {name}")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _check_texts(value: Any) -> None:
    """Raises ValueError where a text holds what no database stores: NUL, or half of a character."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("the character U+0000 cannot be stored")
        value.encode()  # UnicodeEncodeError, a ValueError, on half a character
    elif isinstance(value, dict):
        for key, one in value.items():
            _check_texts(key)
            _check_texts(one)
    elif isinstance(value, list):
        for one in value:
            _check_texts(one)
