"""docs/security.md names what there is."""

import re
from pathlib import Path

from accounts import throttling
from config import checks


def test_every_test_that_is_named_exists_and_every_surface_has_one(checkout: Path) -> None:
    text = (checkout / "docs/security.md").read_text()
    named = set(re.findall(r"`((?:tests|static|ratings)/[\w/.]+\.\w+)`", text))
    assert len(named) > 30
    assert not [name for name in named if not (checkout / name).is_file()]
    rows = re.findall(r"^\| (\d+) \|.*\|.*\| (.*) \|$", text, re.M)
    assert [int(number) for number, _ in rows] == list(range(1, 26))


def test_the_checks_and_the_limits_are_those_of_the_code(checkout: Path) -> None:
    text = (checkout / "docs/security.md").read_text()
    numbers = set(re.findall(r'"([EW]\d{3})"', Path(checks.__file__).read_text()))
    assert numbers <= set(re.findall(r"\b([EW]\d{3})\b", text))
    for limit in (throttling.SIGN_IN, throttling.LINKS, throttling.UPLOADS, throttling.EXPORTS, throttling.TRIALS):
        minutes = round(limit.within.total_seconds() / 60)
        assert f"| {limit.most} in {minutes} minutes" in text, limit.name
