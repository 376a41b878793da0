"""Everything about a closed experiment in one zip, with a manifest of checksums, so that it can be read elsewhere."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from experiments.models import Experiment
from reports import formats, report, unblinding
from reports.exports import arena, lines, records, tables

SCHEMA = "blindpair.bundle/1"
# Zip files carry times; one that is always the same gives the same bytes for the same content.
EPOCH = (1980, 1, 1, 0, 0, 0)
REPORTS = ("json", "md", "html")
Writer = Callable[[Experiment, BinaryIO], None]


class _Hashing(io.RawIOBase):
    """Passes bytes on and keeps their checksum and number."""

    def __init__(self, target: Any) -> None:
        super().__init__()
        self.target, self.digest, self.size = target, hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.digest.update(data)
        self.size += len(data)
        self.target.write(data)
        return len(data)


def to_bundle(experiment: Experiment, stream: BinaryIO) -> None:
    """A zip of experiment.json, inputs, systems, outputs, completions, raters, comparisons, assignments, judgments,
    guesses and what goes with them as JSON lines, the report in three formats, judgments.csv and battles.json;
    manifest.json lists SHA-256 and size.

    Secrets and links are in none of them.
    """
    unblinding.require_closed(experiment)
    manifest: dict[str, Any] = {"schema": SCHEMA, "experiment": experiment.slug, "seal": experiment.seal, "files": {}}
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, write in _files(experiment):
            with archive.open(_entry(name), "w", force_zip64=True) as member:
                hashing = _Hashing(member)
                write(experiment, hashing)  # type: ignore[arg-type]  # a RawIOBase that is only written to
            manifest["files"][name] = {"sha256": hashing.digest.hexdigest(), "bytes": hashing.size}
        archive.writestr(_entry("manifest.json"), json.dumps(manifest, indent=1))


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _files(experiment: Experiment) -> Iterator[tuple[str, Writer]]:
    yield "experiment.json", _text(json.dumps(records.experiment(experiment), indent=1, ensure_ascii=False))
    yield from MEMBERS.items()
    made = report.current(experiment)
    for name in REPORTS:
        yield f"report.{name}", _text(formats.write(made, name))


def _lines(read: Callable[[Experiment], Iterator[dict[str, Any]]]) -> Writer:
    return lambda experiment, stream: lines.write_lines(read(experiment), stream)


def _text(text: str | bytes) -> Writer:
    written = text.encode() if isinstance(text, str) else text

    def write(_: Experiment, stream: BinaryIO) -> None:
        stream.write(written)

    return write


MEMBERS: dict[str, Writer] = {
    "inputs.jsonl": lines.inputs_to_jsonl,
    "systems.jsonl": _lines(records.systems),
    "outputs.jsonl": lines.outputs_to_jsonl,
    "completions.jsonl": _lines(records.completions),
    "load_runs.jsonl": _lines(records.load_runs),
    "raters.jsonl": _lines(records.raters),
    "comparisons.jsonl": _lines(records.comparisons),
    "assignments.jsonl": _lines(records.assignments),
    "judgments.jsonl": lines.to_jsonl,
    "guesses.jsonl": _lines(records.guesses),
    "assumptions.jsonl": _lines(records.assumed),
    "benchmarks.jsonl": _lines(records.benchmarks),
    "judgments.csv": tables.to_csv,
    "battles.json": arena.to_battles,
}
NAMES = ("experiment.json", *MEMBERS, *(f"report.{name}" for name in REPORTS), "manifest.json")
