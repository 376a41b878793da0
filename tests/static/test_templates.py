"""Every template compiles, and none holds what the content policy or the blinding forbids."""

import re
from pathlib import Path

import pytest
from django.template.loader import get_template

ROOT = Path(__file__).resolve().parents[2] / "templates"
NAMES = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*.html"))
SAVED = {"reports/file.html"}  # a report kept as one file carries its own style; it is never served as a page
ERRORS = ["400.html", "403.html", "404.html", "409.html", "500.html", "503.html", "507.html"]


@pytest.mark.parametrize("name", NAMES)
def test_it_compiles(name: str) -> None:
    get_template(name)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SAVED])
def test_it_holds_no_inline_script_style_or_handler(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", text)


@pytest.mark.parametrize("name", NAMES)
def test_it_never_switches_escaping_off(name: str) -> None:
    assert not re.search(r"\|\s*safe|autoescape\s+off", (ROOT / name).read_text())


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("ratings/")])
def test_a_raters_template_never_asks_who_is_signed_in_or_what_the_experiment_is_called(name: str) -> None:
    assert not re.search(
        r"\buser\b|\bperms\b|experiment\.\w|\.title\b|\.slug\b|\.pk\b|\.id\b", (ROOT / name).read_text()
    )


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_page_needs_no_context_and_offers_a_way_out(name: str) -> None:
    page = get_template(name).render()
    assert 'href="/rate/"' in page
    assert "<h1></h1>" not in page


def test_the_hx_configuration_shuts_what_could_be_misused() -> None:
    page = get_template("404.html").render()
    assert 'hx-history="false"' in page
    for setting in ('"historyCacheSize":0', '"allowEval":false', '"includeIndicatorStyles":false'):
        assert setting in page
    assert '"selfRequestsOnly":true' in page
    assert '"allowScriptTags":false' in page
