"""The report as PDF: the HTML file laid out on paper by WeasyPrint, an optional extra."""

import base64
import logging
import re
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders

from reports.formats.html import to_html

try:
    import weasyprint
    from weasyprint.urls import URLFetcher
except (ImportError, OSError) as problem:  # OSError: the package is there, the Pango library is not
    weasyprint = None
    _why = (
        "Pango is missing (Debian: apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)"
        if isinstance(problem, OSError)
        else "WeasyPrint is not installed (uv sync --extra pdf)"
    )
else:
    _why = ""
    for _name in ("weasyprint", "weasyprint.progress"):  # it tells each step, and each rule that is for browsers
        logging.getLogger(_name).setLevel(logging.ERROR)

FACES = {
    "Inter": (("inter-latin", "normal"), ("inter-latin-ext", "normal")),
    "Blindpair Reading": (
        ("reading-latin", "normal"),
        ("reading-latin-ext", "normal"),
        ("reading-italic-latin", "italic"),
        ("reading-italic-latin-ext", "italic"),
    ),
}
_OUTER_PICTURE = re.compile(r'<svg class="[^>]*>')


class PdfUnavailable(Exception):
    """PDF cannot be made on this machine; the sentence says what is missing and what to do instead."""


def to_pdf(report: dict[str, Any]) -> bytes:
    """A4 pages. Raises PdfUnavailable."""
    if weasyprint is None:
        raise PdfUnavailable(f"PDF cannot be made here: {_why}. The html format prints to PDF from any browser.")
    pictures = f"<style>{_sheet('css/paper-pictures.css')}</style>"
    page = _OUTER_PICTURE.sub(lambda opening: opening.group() + pictures, to_html(report))
    page = page.replace("</head>", f"<style>{_fonts()}{_sheet('css/paper.css')}</style></head>", 1)
    # Nothing is fetched: a text of the report must not make this machine ask anybody for anything.
    written: bytes = weasyprint.HTML(string=page, url_fetcher=URLFetcher(allowed_protocols=("data",))).write_pdf()
    return written


@cache
def _fonts() -> str:
    """Our own faces, inside the sheet."""
    return "\n".join(
        f'@font-face {{ font-family: "{family}"; font-style: {style}; font-weight: 400 700; '
        f"src: url(data:font/woff2;base64,{base64.b64encode(_found(f'fonts/{name}.woff2').read_bytes()).decode()}) "
        'format("woff2"); }'
        for family, faces in FACES.items()
        for name, style in faces
    )


def _sheet(name: str) -> str:
    return _found(name).read_text()


def _found(name: str) -> Path:
    return Path(str(finders.find(name)))
