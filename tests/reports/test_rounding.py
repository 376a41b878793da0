"""How numbers and times are written, the same on the page, in Markdown and on paper."""

import pytest

from reports.rounding import NBSP, moment, money

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0413, "0.0413"),
        (6.885, "6.88"),
        (999.99, "999.99"),
        (6000.0, "6,000"),
        (15985.4, "15,985"),
        (-1234.5, "-1,234"),
    ],
)
def test_money_has_cents_only_where_they_say_something(value: float, written: str) -> None:
    assert money(value) == f"{written}{NBSP}USD"


def test_a_moment_is_told_as_a_person_would_and_in_utc() -> None:
    assert moment("2026-11-26T18:59:15.833813+01:00") == "26 November 2026, 17:59 (UTC)"
    assert moment(None) == "–"
