"""Eyes that find a canary in any disguise: squeezed, reversed, rotated, encoded, escaped or hashed."""

import base64
import codecs
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from html import unescape
from urllib.parse import unquote_to_bytes

SHORT = 7  # shorter canaries would be found by chance in hexadecimal handles
DIGESTS = ("md5", "sha1", "sha256")
_ESCAPED = re.compile(rb"\\u([0-9a-f]{4})|\\x([0-9a-f]{2})")
_NOT_A_LETTER = re.compile(rb"[^0-9a-z\x80-\xff]+")


def squeezed(data: bytes) -> bytes:
    """Letters and digits only, in small letters."""
    return _NOT_A_LETTER.sub(b"", data.lower())


def disguises(text: str) -> Iterator[tuple[str, bytes]]:
    """How the text might slip out, by the name of the disguise; escapes are undone by the looking itself."""
    data = text.encode()
    yield "plain", data
    yield "reversed", text[::-1].encode()
    yield "rotated", codecs.encode(text, "rot13").encode()
    yield "hexadecimal", data.hex().encode()
    if text.isdecimal():
        yield "a hexadecimal number", f"{int(text):x}".encode()
    for shift in range(3):
        # The middle of the encoding, which does not depend on what stands before and after.
        coded = base64.b64encode(b"\0" * shift + data)
        middle = coded[-(-8 * shift // 6) : 8 * (shift + len(data)) // 6]
        yield f"base64 at {shift}", middle
        yield f"base64 for addresses at {shift}", middle.translate(bytes.maketrans(b"+/", b"-_"))
    for kind in DIGESTS:
        digest = hashlib.new(kind, data).digest()
        yield kind, digest.hex().encode()
        yield f"{kind} in base64", base64.b64encode(digest).rstrip(b"=")


def views(data: bytes) -> Iterator[bytes]:
    """The bytes as they are and with every escape undone, in small letters."""
    low = data.lower()
    yield low
    open_ = data
    for _ in range(3):  # escapes within escapes: JSON in an attribute, an address in JSON
        text = unescape(open_.decode("utf-8", "replace"))
        undone = _unescaped(unquote_to_bytes(text.encode()).lower())
        if undone == open_:
            break
        open_ = undone
        yield open_


def _unescaped(data: bytes) -> bytes:
    return _ESCAPED.sub(lambda found: chr(int(found[1] or found[2], 16)).encode("utf-8", "replace"), data)


class Eyes:
    """Looks at bytes for any canary in any disguise, in capitals or not."""

    def __init__(self, canaries: Iterable[str]) -> None:
        self.canaries = {text for text in canaries if len(text) >= SHORT}
        self.seen: dict[bytes, set[str]] = {}
        self._shapes: dict[bytes, list[tuple[bytes, str]]] = defaultdict(list)
        self._squeezed: dict[bytes, list[tuple[bytes, str]]] = defaultdict(list)
        for text in self.canaries:
            for _, shape in disguises(text):
                _keep(self._shapes, shape.lower(), text)
                if shape.isalnum():  # a number may be cut into the pieces of a handle
                    _keep(self._squeezed, shape.lower(), text)
            for shape in (squeezed(text.encode()), squeezed(text[::-1].encode())):
                _keep(self._squeezed, shape, text)

    def see(self, data: bytes) -> set[str]:
        """The canaries found; what was looked at before is not looked at again."""
        key = hashlib.sha256(data).digest()
        if key not in self.seen:
            self.seen[key] = {
                text
                for view in views(data)
                for shapes, looked_at in ((self._shapes, view), (self._squeezed, squeezed(view)))
                for text in _found(looked_at, shapes)
            }
        return self.seen[key]


def _keep(shapes: dict[bytes, list[tuple[bytes, str]]], shape: bytes, text: str) -> None:
    if len(shape) >= SHORT:
        shapes[shape[:SHORT]].append((shape, text))


def _found(data: bytes, shapes: dict[bytes, list[tuple[bytes, str]]]) -> Iterator[str]:
    """By the first letters of all shapes at once: thousands of shapes cost as much as one."""
    starts = {data[at : at + SHORT] for at in range(len(data) - SHORT + 1)}
    for start in starts & shapes.keys():
        yield from (text for shape, text in shapes[start] if shape in data)


def leaves(value: object) -> Iterator[str]:
    """Every text and number inside a JSON value."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
