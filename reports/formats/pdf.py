"""The report as PDF: the HTML file laid out on paper by WeasyPrint, an optional extra."""

from typing import Any

from reports.formats.html import to_html

try:
    import weasyprint
except (ImportError, OSError) as problem:  # OSError: the package is there, the Pango library is not
    weasyprint = None
    _why = (
        "Pango is missing (Debian: apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)"
        if isinstance(problem, OSError)
        else "WeasyPrint is not installed (uv sync --extra pdf)"
    )
else:
    _why = ""


class PdfUnavailable(Exception):
    """PDF cannot be made on this machine; the sentence says what is missing and what to do instead."""


def to_pdf(report: dict[str, Any]) -> bytes:
    """A4 pages. Raises PdfUnavailable."""
    if weasyprint is None:
        raise PdfUnavailable(f"PDF cannot be made here: {_why}. The html format prints to PDF from any browser.")
    document: bytes = weasyprint.HTML(string=to_html(report)).write_pdf()
    return document
