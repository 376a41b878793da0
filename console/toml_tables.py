"""Reading TOML strictly: every key taken by name and type, every unknown key named with its nearest neighbour."""

import re
import tomllib
from collections.abc import Callable, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from experiments.refusals import Refused

KINDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false", list: "a list", dict: "a table"}
SHOWN = 100


class BadFile(Refused):
    """A file that cannot become an experiment; `problems` has one sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        more = len(self.problems) - SHOWN
        lines = self.problems[:SHOWN] + ([f"… and {more} more."] if more > 0 else [])
        super().__init__("\n".join(lines))


class Source:
    """A TOML file with the problems found in it so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []
        self.text = _text_of(path)
        try:
            self.values: dict[str, Any] = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise BadFile([f"{path.name}: not valid TOML: {error}."]) from error

    def complain(self, sentence: str, *, key: str = "") -> None:
        """Note a problem, with the line where the key first stands."""
        line = self._line_of(key) if key else None
        self.problems.append(f"{self.path.name}{f', line {line}' if line else ''}: {sentence}")

    def stop_on_problems(self) -> None:
        """Raise BadFile where anything was wrong."""
        if self.problems:
            raise BadFile(self.problems)

    def _line_of(self, key: str) -> int | None:
        pattern = re.compile(rf"^\s*(\[+[^\]]*\b)?[\"']?{re.escape(key)}[\"']?\s*[=\]]")
        for number, line in enumerate(self.text.split("\n"), start=1):
            if pattern.match(line):
                return number
        return None


class Table:
    """One table of the file; `take` its keys, then `finish`, which names those that nobody took."""

    def __init__(self, source: Source, values: Any, name: str = "") -> None:
        self.source, self.name = source, name
        if not isinstance(values, dict):
            source.complain(f"[{name}] must be a table, not {_kind(values)}.", key=name)
            values = {}
        self.values: dict[str, Any] = values
        self.taken: set[str] = set()

    def take(
        self,
        key: str,
        kind: type,
        default: Any = None,
        *,
        required: bool = False,
        rule: Callable[[Any], bool] | None = None,
        must: str = "",
    ) -> Any:
        """A value of the right type that fulfils `rule` (told as `must`), else the default and a problem."""
        self.taken.add(key)
        if key not in self.values:
            if required:
                self._complain(f"{self._place(key)} is missing.", self.name)
            return default
        value = self.values[key]
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
            self._complain(f"{self._place(key)} must be {KINDS[kind]}, not {_kind(self.values[key])}.", key)
            return default
        if rule is not None and not rule(value):
            self._complain(f"{self._place(key)} must be {must}, not {value!r}.", key)
            return default
        return value

    def text(self, key: str, default: str = "", *, required: bool = False, longest: int = 100_000) -> str:
        """Text without NUL; required text may not be blank."""
        value = self.take(
            key,
            str,
            default,
            required=required,
            rule=lambda text: len(text) <= longest,
            must=f"at most {longest} characters",
        )
        if "\x00" in value:
            self._complain(f"{self._place(key)} holds the character U+0000, which cannot be stored.", key)
            return default
        if required and key in self.values and isinstance(self.values[key], str) and not self.values[key].strip():
            self._complain(f"{self._place(key)} is empty.", key)
        return str(value)

    def choice(self, key: str, choices: Sequence[str], default: str = "", *, required: bool = False) -> str:
        """One of some words."""
        return str(
            self.take(
                key,
                str,
                default,
                required=required,
                rule=lambda value: value in choices,
                must=f"one of {', '.join(choices)}",
            )
        )

    def whole(self, key: str, default: int | None = None, *, least: int = 0, most: int = 2**31 - 1) -> Any:
        """A whole number between two bounds, both allowed."""
        return self.take(
            key, int, default, rule=lambda value: least <= value <= most, must=f"a whole number from {least} to {most}"
        )

    def share(self, key: str, default: float = 0.0) -> float:
        """A share: from 0 to less than 1."""
        return float(self.take(key, float, default, rule=lambda value: 0 <= value < 1, must="at least 0 and below 1"))

    def amount(self, key: str, default: float | None = None) -> Any:
        """A number that is not negative and not endless."""
        return self.take(
            key, float, default, rule=lambda value: 0 <= value < float("inf"), must="a number of at least 0"
        )

    def day(self, key: str, *, required: bool = False) -> str:
        """A date, as ISO text; dates written as text are accepted."""
        self.taken.add(key)
        value = self.values.get(key, "")
        if required and not value:
            self._complain(f"{self._place(key)} is missing.", self.name)
        if isinstance(value, date):
            return value.isoformat()[:10]
        try:
            return date.fromisoformat(value).isoformat() if value else ""
        except (TypeError, ValueError):
            self._complain(f"{self._place(key)} must be a date such as 2026-11-01, not {value!r}.", key)
            return ""

    def tables(self, key: str) -> dict[str, "Table"]:
        """The named tables under a key, in their order."""
        values = self.take(key, dict, {})
        return {name: Table(self.source, value, f"{key}.{name}") for name, value in values.items()}

    def rows(self, key: str) -> list["Table"]:
        """The tables of an array of tables."""
        values = self.take(key, list, [])
        place = f"{self.name}.{key}" if self.name else key
        return [Table(self.source, value, f"{place} {number}") for number, value in enumerate(values, start=1)]

    def finish(self, hints: dict[str, str] | None = None) -> None:
        """Name every key that nobody asked for, with the nearest that exists (or a hint)."""
        for key in self.values:
            if key in self.taken:
                continue
            near = get_close_matches(key, sorted(self.taken), n=1, cutoff=0.6)
            hint = (hints or {}).get(key) or (f"Did you mean {near[0]!r}?" if near else f"Known are: {self._known()}.")
            self._complain(f"{self._place(key)} is not a known key. {hint}", key)

    def _known(self) -> str:
        return ", ".join(sorted(self.taken))

    def _place(self, key: str) -> str:
        return f"{key!r} of [{self.name}]" if self.name else f"{key!r}"

    def _complain(self, sentence: str, key: str) -> None:
        self.source.complain(sentence, key=key.rpartition(".")[2])


def plain(value: Any) -> Any:
    """TOML values as JSON holds them: dates become ISO text."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _kind(value: Any) -> str:
    for kind in (bool, int, float, str, list, dict):
        if isinstance(value, kind):
            return KINDS[kind]
    return "a date or time"


def _text_of(path: Path) -> str:
    if not path.is_file():
        raise BadFile([f"{path} does not exist." if not path.exists() else f"{path} is no file."])
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise BadFile([f"{path.name}, line {line}: not UTF-8. Save the file as UTF-8."]) from error
