"""What a test may need beyond Python: found, or skipped loudly, or (REQUIRE_ALL=1) failed."""

import ctypes.util
import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
SHARED = CHECKOUT.parent / "shared"


def missing(what: str) -> NoReturn:
    """Skip this test for want of `what`; fail it where everything is required."""
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(f"REQUIRE_ALL=1, but {what}", pytrace=False)
    pytest.skip(what)


def shared(*parts: str) -> Path:
    """A file of the reference data beside the checkout; it is no part of the project, so its absence only skips."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"reference data is absent: shared/{'/'.join(parts)}")
    return path


def chromium() -> str | None:
    """The path of Chromium; None means Playwright's own build."""
    if found := shutil.which("chromium") or shutil.which("chromium-browser"):
        return found
    if any((Path.home() / ".cache" / "ms-playwright").glob("chromium*")):
        return None
    missing("Chromium is not installed (Debian: apt install chromium)")


def program(name: str, package: str) -> str:
    """The path of a program."""
    if found := shutil.which(name):
        return found
    missing(f"{name} is not installed (Debian: apt install {package})")


def pango() -> None:
    """The libraries that WeasyPrint draws with."""
    if not (ctypes.util.find_library("pango-1.0") and ctypes.util.find_library("pangoft2-1.0")):
        missing("Pango is not installed (Debian: apt install libpango-1.0-0 libpangoft2-1.0-0)")


def redis_server() -> str:
    """The path of redis-server."""
    if found := shutil.which("redis-server"):
        return found
    missing("redis-server is not installed (Debian: apt install redis-server)")


def libfaketime() -> str:
    """The path of the library that tells a process another time."""
    for folder in ("/usr/lib", "/usr/local/lib"):
        if found := next(Path(folder).glob("**/faketime/libfaketime.so.1"), None):
            return str(found)
    missing("libfaketime is not installed (Debian: apt install libfaketime)")
