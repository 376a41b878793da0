"""The report as one HTML file that refers to nothing outside itself."""

import re
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from reports.page import page

SHEETS = ("css/tokens.css", "css/base.css", "css/layout.css", "css/components.css", "css/report.css")
_FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}")


def to_html(report: dict[str, Any]) -> str:
    """A whole document with its style sheets inside; system fonts, no scripts, no links out."""
    return render_to_string("reports/file.html", {**page(report), "styles": _styles()})


def _styles() -> SafeString:
    """Our own style sheets; fonts stay behind, as they would have to be fetched."""
    sheets = (Path(str(finders.find(name))).read_text() for name in SHEETS)
    return mark_safe(_FONT_FACE.sub("", "\n".join(sheets)))  # noqa: S308  # files of this project, nobody's input
