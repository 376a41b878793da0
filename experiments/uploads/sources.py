"""An uploaded file as bytes: its name, its size, what kind of file it really is, its lines of text."""

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from experiments.uploads.limits import Limits
from experiments.uploads.problems import UploadError

Source = Path | BinaryIO | bytes
CHUNK = 65_536
HEAD = 4_096

_BINARY = (
    (b"\x1f\x8b", "a gzip archive", "Unpack it first."),
    (b"\x89PNG", "a PNG image", ""),
    (b"\xff\xd8\xff", "a JPEG image", ""),
    (b"GIF8", "a GIF image", ""),
    (b"%PDF", "a PDF document", ""),
    (b"PAR1", "a Parquet file", "Name it .parquet, or save it as CSV UTF-8."),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word document", "Save as CSV UTF-8 or as .xlsx."),
    (b"BZh", "a bzip2 archive", "Unpack it first."),
    (b"\xfd7zXZ", "an xz archive", "Unpack it first."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it first."),
    (b"Rar!", "a RAR archive", "Unpack it first."),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", "Unpack it first."),
    (b"SQLite format 3", "a SQLite database", "Export the table as CSV UTF-8."),
    (b"ARROW1", "an Arrow file", "Save it as CSV UTF-8."),
    (b"\x93NUMPY", "a NumPy file", "Save it as CSV UTF-8."),
    (b"\x7fELF", "a program", ""),
    (b"MZ\x90", "a program", ""),
)
_PICKLE = re.compile(rb"\x80[\x02-\x05](?:\x95|[\x00-\x1f}\](cq])", re.S)
_WEB_PAGE = re.compile(rb"\A\s*(?:<!--.*?-->\s*)*(?:<!doctype\s+html|<html\b|<head\b|<body\b)", re.I | re.S)
_XML = re.compile(rb"\A\s*<\?xml\b", re.I)
_KANA, _HANGUL, _HAN = re.compile("[\u3041-\u30fe]"), re.compile("[\uac00-\ud7a3]"), re.compile("[\u4e00-\u9fff]")
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@contextmanager
def opened(source: Source) -> Iterator[BinaryIO]:
    """The file open for reading from its start; what was handed in open stays open."""
    if isinstance(source, Path):
        try:
            with source.open("rb") as file:
                yield file
        except FileNotFoundError:
            raise UploadError("there is no such file.", file=str(source)) from None
        except (IsADirectoryError, PermissionError) as error:
            raise UploadError(f"it cannot be read ({error.strerror}).", file=str(source)) from error
    elif isinstance(source, bytes):
        yield io.BytesIO(source)
    else:
        source.seek(0)
        yield source


def name_of(source: Source, name: str = "") -> str:
    """What to call the file in messages."""
    if name:
        return name
    return source.name if isinstance(source, Path) else ""


def check_size(file: BinaryIO, limits: Limits, name: str) -> int:
    """The size in bytes; raises UploadError where it is nothing or too much."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size == 0:
        raise UploadError("The file is empty.", file=name)
    if size > limits.file:
        raise UploadError(
            f"The file has {megabytes(size)}; at most {megabytes(limits.file)} are taken. Split it or leave rows out.",
            file=name,
            too_large=True,
        )
    return size


def megabytes(size: int) -> str:
    """A size as people say it."""
    return f"{size / 1_000_000:,.1f} MB" if size >= 1_000_000 else f"{size / 1000:,.1f} kB"


def head_of(file: BinaryIO) -> bytes:
    """The first bytes; the file is at its start again."""
    head = file.read(HEAD)
    file.seek(0)
    return head


def kind_of(head: bytes) -> str:
    """`xlsx` (any zip), `parquet`, or `text`."""
    if head.startswith(b"PK\x03\x04"):
        return "xlsx"
    return "parquet" if head.startswith(b"PAR1") else "text"


def check_is_text(head: bytes, name: str) -> None:
    """Raises UploadError naming what the file is instead of text."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        what = "an Excel workbook" if b"xl/" in head or b"[Content_Types].xml" in head else "a ZIP archive"
        raise UploadError(f"This is {what}, not text. Save as CSV UTF-8{_or_rename(what)}.", file=name)
    for magic, what, remedy in _BINARY:
        if head.startswith(magic):
            raise UploadError(f"This is {what}, not text. {remedy or 'Save as CSV UTF-8.'}", file=name)
    if _PICKLE.match(head):
        raise UploadError("This is a Python pickle, not text. Save as CSV UTF-8.", file=name)
    if _WEB_PAGE.match(head.removeprefix(codecs.BOM_UTF8)):
        raise UploadError("This looks like a web page. Was the download protected by a log-in?", file=name)
    if _XML.match(head.removeprefix(codecs.BOM_UTF8)):
        raise UploadError("This is XML, which is not read. Save as CSV UTF-8 or JSONL.", file=name)


def _or_rename(what: str) -> str:
    return ", or name it .xlsx" if what == "an Excel workbook" else ""


def encoding_of(head: bytes, said: str | None, name: str) -> str:
    """The encoding to read with: what was said, what a byte order mark says, else UTF-8."""
    bom = next((encoding for mark, encoding in _BOMS if head.startswith(mark)), None)
    if said:
        try:
            "a".encode(said)  # refuses codecs that are not of text
            codec = codecs.lookup(said).name
        except (LookupError, ValueError):
            raise UploadError(
                f"{said!r} is no encoding. Known: utf-8, utf-16, cp1252, latin-1, shift_jis …", file=name
            ) from None
        return "utf-8-sig" if codec == "utf-8" else codec
    if bom == "utf-32":
        raise UploadError("Not UTF-8. Looks like UTF-32: save as CSV UTF-8, or say the encoding.", file=name)
    if not bom and head.count(b"\x00") > len(head) // 8:  # letters of one byte: as UTF-8 they would seem to be good
        guess = guess_of(head, 0).removesuffix(".") if head.strip(b"\x00") else "It begins with zeros only"
        raise UploadError(f"Not UTF-8. {guess}: save as CSV UTF-8, or say the encoding.", file=name)
    return bom or "utf-8"


def lines(file: BinaryIO, encoding: str, limits: Limits, name: str) -> Iterator[str]:
    """The lines with their ends, split at newline only (or at carriage return where there is no other end).

    Raises UploadError with the line of what cannot be decoded or is too long.
    """
    newline, number, pending = "", 0, ""
    for text in _decoded(file, encoding, name):
        pending += text
        newline = newline or _newline_of(pending)
        if not newline:
            _check_line(pending, number + 1, limits, name)
            continue
        parts = pending.split(newline)
        pending = parts.pop()
        for part in parts:
            number += 1
            _check_line(part, number, limits, name)
            yield part + newline
        _check_line(pending, number + 1, limits, name)
    if pending:
        yield pending


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file of text that may be read from its start again and again, by lines or by pieces of any size."""

    file: BinaryIO
    encoding: str
    limits: Limits
    name: str

    def lines(self) -> Iterator[str]:
        """See `lines`."""
        self.file.seek(0)
        return lines(self.file, self.encoding, self.limits, self.name)

    def pieces(self) -> Iterator[str]:
        """As they are decoded, none of them empty. Raises UploadError with the line of what cannot be."""
        self.file.seek(0)
        return (text for text in _decoded(self.file, self.encoding, self.name) if text)


def _newline_of(text: str) -> str:
    if "\n" in text:
        return "\n"
    # A carriage return at the very end may be half of a pair.
    return "\r" if "\r" in text[:-1] else ""


def _check_line(line: str, number: int, limits: Limits, name: str) -> None:
    if len(line) * 4 > limits.line and len(line.encode("utf-8", "replace")) > limits.line:
        raise UploadError(f"the line is longer than {megabytes(limits.line)}.", file=name, line=number)


def _decoded(file: BinaryIO, encoding: str, name: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    line, start = 1, ""  # of the line that is being read: its number, and what was read of it
    for chunk in _chunks(file):
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeError as error:
            sentence, more = _undecodable(error, start, encoding)
            raise UploadError(sentence, file=name, line=line + more) from None
        line += text.count("\n")
        start = (start + text).rsplit("\n", 1)[-1][-CHUNK:]
        yield text


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk
    yield b""


def _undecodable(error: UnicodeError, start: str, encoding: str) -> tuple[str, int]:
    """A sentence, and how many lines further than `start` the fault is."""
    shown = encoding.upper().replace("-SIG", "")
    remedy = "Save the file as UTF-8, or say its encoding."
    if not isinstance(error, UnicodeDecodeError):
        return f"not {shown} ({error}). {remedy}", 0
    good = error.object[: error.start].decode(encoding, "ignore")
    column = len((start + good).rsplit("\n", 1)[-1]) + 1
    byte = error.object[error.start] if error.start < len(error.object) else 0
    guess = guess_of(bytes(error.object), error.start)
    return f"not {shown} (byte 0x{byte:02X} at column {column}). {guess} {remedy}", good.count("\n")


def guess_of(data: bytes, at: int) -> str:
    """A sentence that guesses why `data` is not UTF-8 at a place; only ever a guess."""
    rest = data[at : at + 4]
    if data.count(b"\x00") > len(data) // 8:
        wide = data[:400].count(b"\x00\x00\x00") > len(data[:400]) // 8
        return f"Looks like {'UTF-32' if wide else 'UTF-16'}."
    if rest[:1] in {b"\xc0", b"\xc1"}:
        return "Looks like overlong UTF-8."
    if rest[:1] == b"\xed" and len(rest) > 1 and rest[1] >= 0xA0:
        return "Looks like CESU-8."
    if rest and rest[0] >= 0xC2 and at + len(rest) == len(data) and len(rest) < 4 and all(b >= 0x80 for b in rest):
        return "Looks cut off in the middle of a letter."
    asian = _asian(data) if _mostly_wide(data) else ""
    return f"Looks like {asian or 'Latin-1 or Windows-1252'}."


def _asian(data: bytes) -> str:
    """The East Asian encoding in which the bytes make letters of its language, or nothing."""
    for encoding, shown, letters in (
        ("shift_jis", "Shift JIS", _KANA),
        ("euc_kr", "EUC-KR", _HANGUL),
        ("gb18030", "GB18030", _HAN),
    ):
        text = data.decode(encoding, "replace")
        if len(letters.findall(text)) > text.count("\ufffd") * 10 + 2:
            return shown
    return ""


def _mostly_wide(data: bytes) -> bool:
    high = sum(byte >= 0x80 for byte in data[:HEAD])
    return high > len(data[:HEAD]) * 0.3
