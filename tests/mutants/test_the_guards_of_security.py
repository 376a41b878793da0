"""Each control of security is taken out of a copy of the project in turn; a test must fail for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mutants.running import FAILED, PASSED, Copy, Mutant
from tests.mutants.security import MUTANTS


@pytest.fixture(scope="module")
def copy(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    made = Copy(checkout, tmp_path_factory.mktemp("copy"))
    yield made
    made.close()


def test_the_guards_pass_where_nothing_is_missing(copy: Copy) -> None:
    code, said = copy.run(sorted({guard for mutant in MUTANTS for guard in mutant.guards}))
    assert code == PASSED, said[-3000:]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_missing_control_is_noticed(copy: Copy, mutant: Mutant) -> None:
    code, said = copy.without(mutant)
    assert code == FAILED, f"nobody notices: {mutant.name}\n{said[-1500:]}"
    assert " failed" in said, said[-1500:]
