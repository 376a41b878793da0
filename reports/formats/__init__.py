"""The report as a file: JSON, Markdown for a pull request, one self-contained HTML page, PDF."""

from collections.abc import Callable
from typing import Any

from reports.formats import html, markdown, pdf, plain

Report = dict[str, Any]
Writer = Callable[[Report], str | bytes]

WRITERS: dict[str, Writer] = {
    "json": plain.to_json,
    "md": markdown.to_markdown,
    "html": html.to_html,
    "pdf": pdf.to_pdf,
}
MEDIA_TYPES = {
    "json": "application/json",
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
}


class UnknownFormat(ValueError):
    """A format that no report is written in."""


def write(report: Report, name: str) -> str | bytes:
    """The report (as `reports.report.build` gives it) in a format: text for json, md and html, bytes for pdf.

    Raises UnknownFormat, and pdf.PdfUnavailable where WeasyPrint or Pango is missing.
    """
    if name not in WRITERS:
        raise UnknownFormat(f"{name!r} is no format of a report; choose from {', '.join(WRITERS)}.")
    return WRITERS[name](report)
