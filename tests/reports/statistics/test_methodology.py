"""The page for statisticians: every worked case is named on it, and every function it names exists."""

import importlib
import json
import re
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
PAGE = (CHECKOUT / "docs" / "methodology.md").read_text(encoding="utf-8")


def test_every_worked_case_is_named() -> None:
    cases = json.loads((CHECKOUT / "tests" / "golden" / "golden.json").read_text())["cases"]
    named = set(re.findall(r"(?<![\w.])[A-N]\d+(?:\.\d+)?(?![\w])", PAGE))
    assert {case["id"] for case in cases} - named == set()


def test_every_function_it_names_exists() -> None:
    named = set(re.findall(r"`([a-z_]+)\.(\w+)`", PAGE))
    assert len(named) > 50
    for module, name in named:
        assert hasattr(importlib.import_module(f"reports.statistics.{module}"), name), f"{module}.{name}"
