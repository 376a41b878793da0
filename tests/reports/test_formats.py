"""The report as a file: all formats say the same, refer to nothing outside, and say so where they cannot be made."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from PIL import Image

from ratings.models import Judgment
from reports import formats
from reports.formats import pdf
from reports.report import build, current
from reports.rounding import NBSP, percent
from tests import needs
from tests.reports import studies

pytestmark = pytest.mark.django_db
TEXTS = ("json", "md", "html")


def test_every_format_says_the_verdict() -> None:
    report = build(studies.a_study(votes="WWT", inputs=10, raters=4))
    for name in TEXTS:
        assert report["verdict"]["sentence"] in str(formats.write(report, name)), name


def test_every_format_follows_one_changed_vote() -> None:
    experiment = studies.a_study(votes="WTL", inputs=10, raters=4)
    before = {name: formats.write(current(experiment), name) for name in TEXTS}
    first = Judgment.objects.filter(assignment__rater__experiment=experiment).earliest("pk")
    studies.changed(first, "both_bad")
    after = {name: formats.write(current(experiment), name) for name in TEXTS}
    assert [name for name in TEXTS if before[name] == after[name]] == []


def test_page_and_markdown_round_a_score_alike() -> None:
    report = build(studies.a_study(votes="WWTBL", inputs=7, raters=4))
    score = percent(report["pairs"][0]["score"]["population"]["value"])
    assert score in str(formats.write(report, "md"))
    assert score in str(formats.write(report, "html"))


def test_json_is_the_report_itself() -> None:
    report = build(studies.a_study(inputs=3))
    assert json.loads(formats.write(report, "json")) == json.loads(json.dumps(report))


def test_the_html_file_refers_to_nothing_outside_itself() -> None:
    page = str(formats.write(build(studies.a_study(inputs=3)), "html"))
    assert re.findall(r"(?:src|href)=\"(?!#)[^\"]*\"", page) == []
    assert "url(" not in page
    assert "@import" not in page
    assert "<script" not in page


def test_a_title_cannot_bring_markup_into_any_format() -> None:
    report = build(studies.a_study(inputs=2, title="<script>alert(1)</script> | **x**"))
    assert "<script>" not in str(formats.write(report, "html"))
    assert "<script>" not in str(formats.write(report, "md"))


def test_a_title_is_words_in_markdown_and_no_link() -> None:
    title = r"[click](https://evil.example) ![x](https://evil.example/x) `a` *b* _c_ ~~d~~ \\[e](https://evil.example)"
    heading = str(formats.write(build(studies.a_study(inputs=2, title=title)), "md")).splitlines()[0]
    shown = MarkdownIt("commonmark").enable("strikethrough").render(heading)
    assert shown == f"<h1>{title}</h1>\n"


@pytest.mark.parametrize("name", ["a|b\nc", "a\\|b"])
def test_markdown_tables_keep_their_columns_whatever_a_system_is_called(name: str) -> None:
    experiment = studies.a_study(inputs=2)
    studies.systems(experiment)[1].__class__.objects.filter(name="candidate").update(name=name)
    lines = str(formats.write(build(experiment), "md")).splitlines()
    header = next(number for number, line in enumerate(lines) if line.startswith("| system | score"))
    columns = {re.sub(r"\\.", "", line).count("|") for line in lines[header : header + 4]}
    assert columns == {5}


def test_an_unknown_format_is_named_with_the_known_ones() -> None:
    with pytest.raises(formats.UnknownFormat, match="choose from json, md, html, pdf"):
        formats.write({}, "docx")


@pytest.mark.parametrize(
    ("fault", "missing"), [("OSError('libpango')", "Pango is missing"), ("ImportError", "WeasyPrint is not installed")]
)
def test_where_pdf_cannot_be_made_one_sentence_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: str, missing: str
) -> None:
    (tmp_path / "weasyprint.py").write_text(f"raise {fault}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    report = build(studies.a_study(inputs=2, raters=1))
    with pytest.raises(pdf.PdfUnavailable, match=f"{missing}.*The html format prints to PDF") as problem:
        pdf.to_pdf(report)
    assert "\n" not in str(problem.value)


@pytest.mark.once
def test_the_pdf_holds_the_whole_report_in_our_own_faces_and_colours(tmp_path: Path) -> None:
    needs.pango()
    report = build(studies.a_study(votes="WWTL", inputs=12, raters=4))
    file = tmp_path / "report.pdf"
    file.write_bytes(pdf.to_pdf(report))
    text = " ".join(poppler("pdftotext", file, "-").split())
    assert percent(report["pairs"][0]["score"]["population"]["value"]).replace(NBSP, " ") in text.replace(NBSP, " ")
    for heading in ("Quality", "Latency", "Cost", "Break-even", "Raters", "Blinding", "Method", "Seal"):
        assert heading in text
    assert report["experiment"]["seal"] in text.replace(" ", "")
    faces = poppler("pdffonts", file)
    assert "Inter" in faces
    assert "Blindpair-Reading" in faces
    poppler("pdftoppm", "-r", "40", file, str(tmp_path / "page"))
    pages = [Image.open(page).convert("RGB") for page in sorted(tmp_path.glob("page*.ppm"))]
    assert len(pages) >= 3
    accent = [sum(n for n, colour in page.getcolors(1 << 20) or () if colour == (0, 100, 107)) for page in pages]
    assert max(accent) > 100  # the winners' bar: a picture without its own sheet would be black
    assert all(len(page.getcolors(1 << 20) or ()) > 1 for page in pages)  # no empty page


def poppler(program: str, *arguments: object) -> str:
    return subprocess.run(
        [needs.program(program, "poppler-utils"), *map(str, arguments)], capture_output=True, text=True, check=True
    ).stdout
