"""Values put down in a file without a name instead of held in memory: written once, read again one by one."""

import pickle
import weakref
from array import array
from collections.abc import Iterable, Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import Any, Generic, TypeVar, overload

from experiments.uploads.limits import MB

Value = TypeVar("Value")


class Shelf(Sequence[Value], Generic[Value]):
    """A sequence that grows at its end. What comes out of it is a copy; nothing is left of the file afterwards."""

    def __init__(self, values: Iterable[Value] = ()) -> None:
        self._file: Any = SpooledTemporaryFile(max_size=MB)  # noqa: SIM115  # closed when the shelf is gone
        self._starts = array("Q", [0])
        weakref.finalize(self, self._file.close)
        for value in values:
            self.append(value)

    def append(self, value: Value) -> int:
        """Put a value down; its place."""
        self._file.seek(self._starts[-1])
        self._file.write(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
        self._starts.append(self._file.tell())
        return len(self) - 1

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, place: int) -> Value: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Value]: ...

    def __getitem__(self, place: int | slice) -> Value | Sequence[Value]:
        places = range(len(self))[place]
        return self._read(places) if isinstance(places, int) else [self._read(one) for one in places]

    def __iter__(self) -> Iterator[Value]:
        return (self._read(place) for place in range(len(self)))

    def _read(self, place: int) -> Value:
        start, end = self._starts[place : place + 2]
        self._file.seek(start)
        read: Value = pickle.loads(self._file.read(end - start))  # noqa: S301  # nobody else can write to the file
        return read
