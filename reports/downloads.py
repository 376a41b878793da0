"""What the exports page shows of each file, and the files themselves, spooled with their checksum."""

import hashlib
import tempfile
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, cast

from django.urls import reverse

from accounts.actions import history, log
from accounts.models import User
from experiments.models import Experiment
from reports import exports as files
from reports.exports.previews import previews
from reports.formats import WRITERS

# A spool keeps small files in memory and larger ones on disk.
SPOOL = 4_000_000
BLOCK = 1_000_000
EXPORTED = "exported"
LOOKED_BACK = 200  # events
REPORT_WORDS = {
    "json": "Exactly the data, for scripts and gates.",
    "md": "For a pull request.",
    "html": "One file with everything in it, for mail and archives.",
    "pdf": "On paper.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One file that can be taken away; `checksum` and `at` are those of its last download, empty before the first."""

    name: str
    words: str
    url: str
    preview: str = ""
    checksum: str = ""
    at: datetime | None = None


def reports(experiment: Experiment) -> list[Download]:
    """The report's formats."""
    return [
        Download(name=name, words=REPORT_WORDS[name], url=reverse("report-file", args=[experiment.pk, name]))
        for name in WRITERS
    ]


def exports(experiment: Experiment) -> list[Download]:
    """The data's formats, each with a line of it and what its last download was."""
    lines, last = previews(experiment), _last(experiment)
    return [
        Download(
            name=name,
            words=made.words,
            url=reverse("export-file", args=[experiment.pk, name]),
            preview=lines[name],
            **last.get(name, {}),
        )
        for name, made in files.FORMATS.items()
    ]


def taken(experiment: Experiment, name: str, digest: str, *, by: User) -> None:
    """Keep in the log that somebody took a file away, and its checksum."""
    log(by, EXPORTED, f"experiment {experiment.slug}", format=name, sha256=digest)


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


def _last(experiment: Experiment) -> dict[str, dict[str, Any]]:
    """By format: the checksum of the last download, and when that was."""
    since = experiment.closed_at or experiment.created_at
    events = history(f"experiment {experiment.slug}", since=since).filter(verb=EXPORTED)
    found: dict[str, dict[str, Any]] = {}
    for at, detail in events.order_by("-at", "-pk").values_list("at", "detail")[:LOOKED_BACK]:
        if "sha256" in detail:
            found.setdefault(str(detail["format"]), {"checksum": detail["sha256"], "at": at})
    return found
