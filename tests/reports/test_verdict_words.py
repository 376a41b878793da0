"""How the verdict sets one price beside another: a share below double, a multiple from there on."""

import pytest

from reports.sections.verdict import against

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("own", "other", "said"),
    [
        (0.75, 1.0, "25 % less"),
        (0.0, 1.0, "100 % less"),
        (0.004, 1.0, "less than 1 % of that"),
        (0.999, 1.0, "about the same"),
        (1.001, 1.0, "about the same"),
        (1.81, 1.0, "81 % more"),
        (1.99, 1.0, "99 % more"),
        (2.0, 1.0, "2.0 times as much"),
        (17.81, 1.0, "17.8 times as much"),
        (1681.0, 1.0, "1,681 times as much"),
        (3.0, 0.0, ""),
        (0.0, 0.0, ""),
    ],
)
def test_a_price_is_told_as_a_share_or_as_a_multiple_of_the_other(own: float, other: float, said: str) -> None:
    assert against(own, other).replace("\u00a0", " ") == said
