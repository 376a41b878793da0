"""What the exports page shows of each file, and the files themselves, spooled with their checksum."""

import hashlib
import io
import tempfile
import zipfile
from dataclasses import dataclass
from typing import BinaryIO, cast

from django.urls import reverse

from experiments.models import Experiment
from reports import exports as files
from reports.exports.tables import PyarrowMissing, columns
from reports.fingerprint import votes_in
from reports.formats import WRITERS

# A spool keeps small files in memory and larger ones on disk.
SPOOL = 4_000_000
BLOCK = 1_000_000
# Up to here every file is made to show its first line; above, that would keep the page waiting.
MOST_FOR_PREVIEWS = 5_000
PREVIEW = 140
AS_A_TABLE = ("xlsx", "parquet")
DATED = ("xlsx",)  # a workbook holds the time it was written, so that its checksum is another each time
REPORT_WORDS = {
    "json": "Exactly the data, for scripts and gates.",
    "md": "For a pull request.",
    "html": "One file with everything in it, for mail and archives.",
    "pdf": "On paper.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One file that can be taken away; `preview` and `checksum` are empty where they are not shown."""

    name: str
    words: str
    url: str
    preview: str = ""
    checksum: str = ""


def reports(experiment: Experiment) -> list[Download]:
    """The report's formats."""
    return [
        Download(name=name, words=REPORT_WORDS[name], url=reverse("report-file", args=[experiment.pk, name]))
        for name in WRITERS
    ]


def exports(experiment: Experiment) -> list[Download]:
    """The data's formats, with previews where there are few enough judgments."""
    small = votes_in(experiment) <= MOST_FOR_PREVIEWS
    return [_export(experiment, name, shown=small) for name in files.FORMATS]


def written(experiment: Experiment, name: str) -> tuple[BinaryIO, str]:
    """An export in a spool, at its start, and its SHA-256 in hexadecimal digits."""
    spool = cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=SPOOL))  # noqa: SIM115  # the response closes it
    files.write(experiment, name, spool)
    spool.seek(0)
    digest = hashlib.sha256()
    while block := spool.read(BLOCK):
        digest.update(block)
    spool.seek(0)
    return spool, digest.hexdigest()


def _export(experiment: Experiment, name: str, *, shown: bool) -> Download:
    made = files.FORMATS[name]
    url = reverse("export-file", args=[experiment.pk, name])
    if not shown:
        return Download(name=name, words=made.words, url=url)
    content = io.BytesIO()
    try:
        files.write(experiment, name, content)
    except PyarrowMissing as problem:
        return Download(name=name, words=str(problem), url=url)
    return Download(
        name=name,
        words=made.words,
        url=url,
        preview=_preview(experiment, name, content),
        checksum="" if name in DATED else hashlib.sha256(content.getvalue()).hexdigest(),
    )


def _preview(experiment: Experiment, name: str, content: io.BytesIO) -> str:
    """The first line that says something; of a table its columns, of a bundle its files."""
    if name in AS_A_TABLE:
        first = ", ".join(columns(experiment))
    elif name == "bundle":
        first = ", ".join(zipfile.ZipFile(content).namelist())
    else:
        lines = content.getvalue()[:4_000].decode("utf-8-sig", errors="ignore").splitlines()
        first = next((line for line in lines if len(line) > 1), "")
    return first if len(first) <= PREVIEW else first[: PREVIEW - 1] + "…"
