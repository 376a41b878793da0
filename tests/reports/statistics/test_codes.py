"""Whole numbers with gaps: whatever is found or sorted without comparing is what comparing finds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.statistics import codes

# Close together and far apart, so that tables and searching both have their turn; sorting changes its way at 65,536.
NUMBERS = st.integers(0, 30) | st.integers(0, 10**12) | st.integers(65_500, 65_600)
COLUMNS = st.lists(NUMBERS, max_size=40).map(lambda numbers: np.array(numbers, dtype=np.int64))


@given(COLUMNS)
def test_each_number_is_found_once_and_numbered_in_its_order(column: np.ndarray) -> None:
    rising = sorted(set(column.tolist()))
    found = codes.renumbered(column)
    assert codes.different(column).tolist() == found.original.tolist() == rising
    assert [rising[code] for code in found.code] == column.tolist()


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), max_size=20))
def test_values_are_told_by_their_place_among_the_different_ones(values: list[float]) -> None:
    rising, which = codes.levels(np.array(values))
    assert rising.tolist() == sorted(set(values))
    assert rising[which].tolist() == values


@given(COLUMNS, COLUMNS)
def test_keys_that_are_there_are_found_and_others_are_not_taken_for_them(keys: np.ndarray, others: np.ndarray) -> None:
    rising, wanted = np.unique(keys), np.concatenate([keys, others])
    at = codes.places(rising, wanted)
    assert at.shape == wanted.shape
    if keys.size:
        assert (rising[at] == wanted).tolist() == [one in set(keys.tolist()) for one in wanted.tolist()]


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), max_size=40))
def test_rows_are_sorted_by_their_first_column_then_the_second_and_stay_in_order(
    rows: list[tuple[int, int, int]],
) -> None:
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    assert codes.sorted_by(*columns).tolist() == sorted(range(len(rows)), key=lambda place: rows[place])


@pytest.mark.parametrize("largest", [255, 65_535, 65_536, 2**32])
def test_no_width_of_numbers_turns_the_order_round(largest: int) -> None:
    column = np.array([largest, 0, 1, largest - 1, largest])
    assert codes.sorted_by(column).tolist() == [1, 2, 3, 0, 4]
