"""The data of a closed experiment as files, each written to a stream as it is read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from experiments.models import Experiment
from reports import unblinding
from reports.exports import arena, bundle, lines, tables, training

Writer = Callable[[Experiment, BinaryIO], None]


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: who writes it, its media type and ending, and a line on what is in it."""

    write: Writer
    media_type: str
    suffix: str
    words: str


FORMATS: dict[str, Format] = {
    "csv": Format(
        tables.to_csv,
        "text/csv; charset=utf-8",
        "csv",
        "One row a judgment, for spreadsheets; cells that would be formulas start with an apostrophe.",
    ),
    "xlsx": Format(
        tables.to_xlsx,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
        "The same as an Excel workbook.",
    ),
    "jsonl": Format(
        lines.to_jsonl,
        "application/x-ndjson",
        "jsonl",
        "Every judgment exactly, replaced ones too, one JSON object a line.",
    ),
    "parquet": Format(
        tables.to_parquet,
        "application/vnd.apache.parquet",
        "parquet",
        "The current judgments with typed columns, for pandas, DuckDB, R.",
    ),
    "battles": Format(
        arena.to_battles,
        "application/json",
        "battles.json",
        "The judgments that count as FastChat and arena-rank read them: model_a, model_b, winner (both bad is a tie).",
    ),
    "evalica": Format(
        arena.to_evalica,
        "text/csv; charset=utf-8",
        "evalica.csv",
        "The judgments that count as evalica reads them: left, right, winner.",
    ),
    "dpo": Format(
        training.to_dpo,
        "application/x-ndjson",
        "dpo.jsonl",
        "Preferred and rejected answers for TRL's DPO trainer.",
    ),
    "kto": Format(
        training.to_kto,
        "application/x-ndjson",
        "kto.jsonl",
        "Answers with a label, good or not, for TRL's KTO trainer.",
    ),
    "bundle": Format(
        bundle.to_bundle,
        "application/zip",
        "zip",
        "Everything in one file, with a manifest of checksums, to be read elsewhere.",
    ),
}


class UnknownFormat(ValueError):
    """A format that nothing is exported in."""


def write(experiment: Experiment, name: str, stream: BinaryIO) -> None:
    """Write an export to a stream of bytes.

    Raises StillBlind until the experiment is closed, before a byte is written; UnknownFormat; `tables.TooLong`;
    `tables.PyarrowMissing`.
    """
    if name not in FORMATS:
        raise UnknownFormat(f"{name!r} is no format of an export; choose from {', '.join(FORMATS)}.")
    unblinding.require_closed(experiment)
    FORMATS[name].write(experiment, stream)


def file_name(experiment: Experiment, name: str) -> str:
    """What a downloaded file is called."""
    return f"{experiment.slug}.{FORMATS[name].suffix}"
