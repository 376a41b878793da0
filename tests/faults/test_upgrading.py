"""The database of the first release, with pairs on desks and calls under way, comes up to date without losing a row."""

import subprocess
import sys
from typing import Any

import pytest

from tests.faults.assault import rows
from tests.faults.first_release import OURS
from tests.faults.test_starting_again import here  # noqa: F401 - the fixture: an empty installation of each footing
from tests.journeys.drivers import Installation
from tests.needs import CHECKOUT

pytestmark = pytest.mark.processes
COLUMNS = {
    "sqlite": "SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'",
    "postgres": "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'",
}


def columns_of(here: Installation) -> dict[str, list[str]]:  # noqa: F811
    found: dict[str, list[str]] = {}
    for table, column in rows(here, COLUMNS["postgres" if "DATABASE_URL" in here.environment else "sqlite"]):
        if table.split("_", maxsplit=1)[0] in OURS:
            found.setdefault(table, []).append(column)
    return {table: sorted(columns) for table, columns in found.items()}


def contents(here: Installation, columns: dict[str, list[str]]) -> dict[str, list[tuple[Any, ...]]]:  # noqa: F811
    """Every row of every table, in the columns given."""
    quoted = {table: ", ".join(f'"{name}"' for name in names) for table, names in columns.items()}
    return {table: rows(here, f"SELECT {names} FROM {table} ORDER BY id") for table, names in quoted.items()}


def test_no_row_of_the_first_release_is_lost_or_changed(here: Installation) -> None:  # noqa: F811
    subprocess.run([sys.executable, "-m", "tests.faults.first_release"], cwd=CHECKOUT, env=here.environment, check=True)
    then = columns_of(here)
    before = contents(here, then)
    assert {table for table, found in before.items() if found} >= {"ratings_judgment", "backends_completion"}
    here.run("migrate")
    now = columns_of(here)
    kept = {table: [name for name in names if name in now.get(table, [])] for table, names in then.items()}
    assert contents(here, kept) == {
        table: [tuple(row[then[table].index(name)] for name in kept[table]) for row in found]
        for table, found in before.items()
    }
    assert rows(here, "SELECT count(*) FROM ratings_assignment WHERE counts") == [(1,)]
    assert rows(here, "SELECT count(*) FROM ratings_assignment WHERE counts IS NULL") != [(0,)]
    noted = "SELECT verdict, seconds, judged_at, commented FROM ratings_assignment WHERE counts"
    said = "SELECT verdict, seconds, judged_at, comment <> '' FROM ratings_judgment ORDER BY id DESC LIMIT 1"
    assert rows(here, noted) == rows(here, said)
    rated = here.facts("status", "rated")
    assert rated["judgments"]["done"] == 1
    collected = here.facts("status", "collected")["completions"]
    assert (collected["done"], collected["pending"], collected["failed"]) == (2, 4, 1)
    here.run("collectstatic", "--no-input")
    assert here.facts("doctor")


def test_what_is_noted_of_judgments_goes_back_and_forth_with_rows_there(here: Installation) -> None:  # noqa: F811
    subprocess.run([sys.executable, "-m", "tests.faults.first_release"], cwd=CHECKOUT, env=here.environment, check=True)
    here.run("migrate")
    columns, counting = columns_of(here), "SELECT counts FROM ratings_assignment WHERE counts IS NOT NULL"
    before = contents(here, columns)
    rows(here, "UPDATE ratings_rater SET revoked_at = created_at, left_out_at = created_at")
    assert rows(here, counting) == [(False,)]
    here.run("migrate", "ratings", "0003")
    assert rows(here, counting) == [(True,)], "who cannot be left out counts"
    for goal in ("0001", "0003"):
        here.run("migrate", "ratings", goal)
        assert rows(here, "SELECT count(*) FROM ratings_judgment") == [(2,)]
    here.run("migrate")
    rows(here, "UPDATE ratings_rater SET revoked_at = NULL")
    assert contents(here, columns) == before
    rows(here, "UPDATE ratings_judgment SET verdict = 'both_bad'")
    assert rows(here, "SELECT counts, verdict FROM ratings_assignment WHERE counts") == [(True, "both_bad")]
    rows(here, "UPDATE ratings_rater SET revoked_at = created_at, left_out_at = created_at")
    assert rows(here, counting) == [(False,)]
