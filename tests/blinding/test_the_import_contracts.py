"""Wall 2: the contracts hold, and each of them would notice a breach."""

import subprocess
import sys
from pathlib import Path

import pytest


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports_command as c; c(['--no-cache'])"
    return subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(checkout: Path, tmp_path: Path) -> Path:
    for room in ("config", "accounts", "experiments", "backends", "ratings", "reports", "console"):
        for source in (checkout / room).rglob("*.py"):
            target = tmp_path / source.relative_to(checkout)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(source.read_text())
    (tmp_path / "pyproject.toml").write_text((checkout / "pyproject.toml").read_text())
    return tmp_path


def test_the_contracts_hold_and_each_breach_is_named(copy: Path) -> None:
    clean = lint(copy)
    assert clean.returncode == 0, clean.stdout
    breaches = {
        "ratings/desk.py": ("import backends.queries", "Imports only go down"),
        "experiments/actions.py": ("import ratings.models", "Imports only go down"),
        "console/actions.py": ("import backends.models", "The envelope"),
        "ratings/views.py": ("import ratings.models", "A rater's views and forms never import a model"),
        "ratings/pairing.py": ("import django.db", "Pure modules know neither Django nor a database"),
    }
    for name, (line, _) in breaches.items():
        file = copy / name
        file.write_text(f"{file.read_text()}\n{line}\n")
    broken = lint(copy).stdout
    for _, contract in breaches.values():
        assert f"{contract}" in broken.split("Broken contracts", 1)[1]
