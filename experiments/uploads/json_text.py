"""The text of a JSON file read piece by piece: values, the elements of arrays and the members of objects in turn."""

from collections.abc import Iterator, Sequence
from typing import Any

from experiments.uploads.json_values import CutOff, NotJson, Unreadable, decode
from experiments.uploads.limits import Limits
from experiments.uploads.problems import UploadError
from experiments.uploads.sources import megabytes

_SPACE = " \t\r\n"


class JsonText:
    """A place in the text; what lies before it is forgotten. `longest` is how large a value may be, in bytes.

    What is no acceptable JSON raises UploadError with the line and the column in the file.
    """

    def __init__(self, pieces: Iterator[str], limits: Limits, name: str, *, longest: int) -> None:
        self._pieces, self._limits, self._name, self._longest = pieces, limits, name, longest
        self._held, self._at = "", 0
        self._lines, self._columns = 0, 0  # before what is held: lines, and signs of the last of them
        if self.sign() == "\ufeff":
            self.skip(1)

    def sign(self) -> str:
        """The next sign that is no space, where the place is then; empty at the end."""
        while True:
            while self._at < len(self._held):
                if self._held[self._at] not in _SPACE:
                    return self._held[self._at]
                self._at += 1
            if not self._more():
                return ""

    def skip(self, signs: int) -> None:
        """Go on by so many signs of what was seen."""
        self._at += signs

    def first_line(self) -> str:
        """What is left of the line; of one that is too long, its beginning. The place stays."""
        while True:
            ends = [at for mark in "\r\n" if (at := self._held.find(mark, self._at)) >= 0]
            if ends or len(self._held) - self._at > self._longest or not self._more():
                return self._held[self._at : min(ends, default=len(self._held))]

    def end(self, what: str) -> None:
        """Raises UploadError where something follows."""
        if self.sign():
            raise self._broken(f"something follows {what}", self._at)

    def value(self, depth: int = 0) -> Any:
        """The value here, which lies so deep in others; the place is behind it then."""
        while True:
            try:
                value, end = decode(self._held, self._at, self._limits, depth)
            except CutOff as error:
                if self._double():
                    continue
                if self._is_too_long(len(self._held)) and (
                    error.at - self._at >= self._longest or "untermin" in str(error)
                ):
                    raise self._too_long() from None
                raise self._refused(error) from None
            except Unreadable as error:
                raise self._refused(error) from None
            # A number where the held text ends may go on.
            if end == len(self._held) and isinstance(value, int | float) and self._more():
                continue
            if self._is_too_long(end):
                raise self._too_long()
            self._at = end
            return value

    def elements(self, depth: int = 0) -> Iterator[tuple[int, Any]]:
        """The array here, element by element, each with its line."""
        self.skip(1)
        if self.sign() == "]":
            self.skip(1)
            return
        while True:
            self.sign()
            line = self._place(self._at)[0]
            yield line, self.value(depth + 1)
            if self._follows("]"):
                return

    def members(self) -> Iterator[str]:
        """The keys of the object here; whoever takes one reads its value before the next."""
        self.skip(1)
        keys: set[str] = set()
        if self.sign() == "}":
            self.skip(1)
            return
        while True:
            if self.sign() != '"':
                raise self._broken("expecting property name enclosed in double quotes", self._at)
            key = self.value()
            if key in keys:
                raise self._refused(Unreadable(f"key {key!r} stands there twice: keep one", self._at))
            keys.add(key)
            if self.sign() != ":":
                raise self._broken("expecting ':' delimiter", self._at)
            self.skip(1)
            self.sign()
            yield key
            if self._follows("}"):
                return

    def enter(self, keys: Sequence[str]) -> None:
        """Go to the value that these keys of nested objects lead to; all that comes before it is read over."""
        for key in keys:
            self.sign()
            for found in self.members():
                if found == key:
                    break
                self._pass_over()

    def _pass_over(self) -> None:
        if self.sign() == "[":
            for _ in self.elements():
                continue
        else:
            self.value()

    def _follows(self, end: str) -> bool:
        """Whether the array or object ends here; else the place is behind the comma."""
        sign = self.sign()
        if sign not in {",", end} or not sign:
            raise self._broken(f"a comma or {end} is missing", self._at)
        self.skip(1)
        return sign == end

    def _more(self) -> bool:
        """Hold the next piece, and forget what lies before the place; whether there was one."""
        piece = next(self._pieces, "")
        if piece:
            line, column = self._place(self._at)
            self._lines, self._columns = line - 1, column - 1
            self._held, self._at = self._held[self._at :] + piece, 0
        return bool(piece)

    def _double(self) -> bool:
        """Hold about twice as much; whether there was more, and it may be as much."""
        held = len(self._held) - self._at
        if held > self._longest or not self._more():
            return False
        pieces, came = [], 0
        while came < held and (piece := next(self._pieces, "")):
            pieces.append(piece)
            came += len(piece)
        self._held += "".join(pieces)
        return True

    def _is_too_long(self, end: int) -> bool:
        signs = end - self._at
        return signs > self._longest or (
            signs * 4 > self._longest and len(self._held[self._at : end].encode("utf-8", "replace")) > self._longest
        )

    def _too_long(self) -> UploadError:
        line = self._place(self._at)[0]
        return UploadError(f"an element is longer than {megabytes(self._longest)}.", file=self._name, line=line)

    def _broken(self, sentence: str, at: int) -> UploadError:
        return self._refused(NotJson(sentence, at))

    def _refused(self, error: Unreadable) -> UploadError:
        line, column = self._place(error.at)
        return UploadError(error.told(column), file=self._name, line=line)

    def _place(self, at: int) -> tuple[int, int]:
        """Line and column in the file."""
        before = self._held.rfind("\n", 0, at)
        column = at - before if before >= 0 else self._columns + at + 1
        return self._lines + self._held.count("\n", 0, at) + 1, column
