"""What the project is made of: pinned by hash, named in a bill of materials, and told to be looked after."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

REGISTRY = "https://pypi.org/simple"
FILES = "https://files.pythonhosted.org/"


@pytest.fixture(scope="module")
def locked(checkout: Path) -> list[dict[str, Any]]:
    """Every package of the lock file but ourselves."""
    packages = tomllib.loads((checkout / "uv.lock").read_text())["package"]
    return [one for one in packages if one["name"] != "blindpair"]


def test_every_package_comes_from_the_registry_and_every_file_has_its_hash(locked: list[dict[str, Any]]) -> None:
    assert len(locked) > 100
    for package in locked:
        assert package["source"] == {"registry": REGISTRY}, package["name"]
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        assert files, package["name"]
        assert all(file["hash"].startswith("sha256:") and file["url"].startswith(FILES) for file in files)


def test_nobody_installs_past_the_lock_file(checkout: Path) -> None:
    for name in ("blindpair", "Dockerfile"):
        synced = [line for line in (checkout / name).read_text().replace("\\\n", "").splitlines() if "uv sync" in line]
        assert synced, name
        assert all("--frozen" in line for line in synced)


def test_the_bill_of_materials_names_everything_with_its_hashes(checkout: Path, locked: list[dict[str, Any]]) -> None:
    words = [
        "-m",
        "uv",
        "export",
        "--frozen",
        "--offline",
        "--quiet",
        "--all-groups",
        "--all-extras",
        "--format",
        "cyclonedx1.5",
    ]
    made = subprocess.run([sys.executable, *words], cwd=checkout, capture_output=True, text=True, check=True)
    parts = json.loads(made.stdout)["components"]
    assert {(one["name"], one["version"]) for one in parts} == {(one["name"], one["version"]) for one in locked}
    assert all(place["hashes"] for one in parts for place in one["externalReferences"])


def test_the_page_says_how_it_is_made_and_how_soon_holes_are_closed(checkout: Path) -> None:
    page = (checkout / "docs/security.md").read_text()
    assert "uv export --frozen --format cyclonedx1.5" in page
    assert "within seven days" in page
