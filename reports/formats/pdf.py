"""The report as PDF: the HTML file laid out on paper by WeasyPrint, an optional extra, in a process of its own."""

import base64
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders

from reports.formats import paper
from reports.formats.html import to_html

LONGEST = 300
MISSING = {
    paper.NO_WEASYPRINT: "WeasyPrint is not installed (uv sync --extra pdf)",
    paper.NO_PANGO: "Pango is missing (Debian: apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)",
}
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
    try:
        made = subprocess.run(
            [sys.executable, "-P", str(Path(paper.__file__))],  # -P: beside it lies an html of our own
            input=_on_paper(to_html(report)).encode(),
            capture_output=True,
            timeout=LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise _unavailable(f"it took longer than {LONGEST} seconds") from late
    if made.returncode:
        said = made.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise _unavailable(MISSING.get(made.returncode) or f"WeasyPrint failed: {said[:200]}")
    return made.stdout


def _unavailable(why: str) -> PdfUnavailable:
    return PdfUnavailable(f"PDF cannot be made here: {why}. The html format prints to PDF from any browser.")


def _on_paper(page: str) -> str:
    """The page with the sheets for paper; inside a picture only its own sheet is read."""
    pictures = f"<style>{_sheet('css/paper-pictures.css')}</style>"
    page = _OUTER_PICTURE.sub(lambda opening: opening.group() + pictures, page)
    return page.replace("</head>", f"<style>{_fonts()}{_sheet('css/paper.css')}</style></head>", 1)


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
