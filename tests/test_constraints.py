"""Every constraint of every table has a test that violates it."""

import re
from pathlib import Path

from tests.constraints import declared


def test_every_constraint_is_violated_by_a_test(checkout: Path) -> None:
    sources = "\n".join(path.read_text() for path in (checkout / "tests").rglob("test_models.py"))
    violated = set(re.findall(r'refused_by\("(\w+)"\)', sources))
    assert violated == set(declared())
