"""Judgments made elsewhere come row by row, in bounded memory; bad rows end the reading, each named by its line."""

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from experiments.uploads import UploadError, read_judgments
from tests.needs import shared

HEADER = "input,rater,left,right,verdict"


def test_a_row_with_everything() -> None:
    content = (
        f"{HEADER},criterion,left_acceptable,right_acceptable,seconds,comment,judged_at\n"
        'i1,ann,own,api,LEFT,accuracy,yes,No,12.5,"good, mostly",2026-11-02T09:30:00Z\n'
    )
    row = next(iter(read_judgments(content.encode())))
    assert (row.line, row.input, row.rater, row.left, row.right) == (2, "i1", "ann", "own", "api")
    assert (row.verdict, row.criterion, row.comment) == ("left", "accuracy", "good, mostly")
    assert (row.left_acceptable, row.right_acceptable, row.seconds) == (True, False, 12.5)
    assert row.judged_at == datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def test_optional_columns_may_be_missing_or_empty() -> None:
    row = next(read_judgments(f"{HEADER},seconds,judged_at\ni1,ann,own,api,tie,,\n".encode()))
    assert (row.seconds, row.judged_at, row.left_acceptable, row.criterion) == (None, None, None, "")


def test_a_time_without_a_zone_is_utc() -> None:
    row = next(read_judgments(f"{HEADER},judged_at\ni1,ann,own,api,tie,2026-11-02 09:30\n".encode()))
    assert row.judged_at == datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("i1,,own,api,left,,,", "line 2: 'rater' is empty"),
        ("i1,ann,own,api,,,,", "line 2: 'verdict' is empty"),
        ("i1,ann,own,api,left,soon,,", "line 2: 'seconds' must be a number, found 'soon'"),
        ("i1,ann,own,api,left,-3,,", "'seconds' must be a number of at least 0"),
        ("i1,ann,own,api,left,nan,,", "'seconds' must be a number of at least 0"),
        ("i1,ann,own,api,left,,maybe,", "'left_acceptable' must be yes or no, found 'maybe'"),
        ("i1,ann,own,api,left,,,yesterday", "'judged_at' must be a time like"),
        ("i1,ann,own,api,left,,,0001-01-01", "'judged_at' must be a time like"),
        ("i1,a\x00nn,own,api,left,,,", "field rater: character U+0000 cannot be stored"),
        ("i1,ann,own,api", "line 2: the row has 4 cells, header has 8"),
    ],
)
def test_a_bad_row_has_its_sentence(row: str, sentence: str) -> None:
    content = f"{HEADER},seconds,left_acceptable,judged_at\n{row}\n"
    with pytest.raises(UploadError) as caught:
        list(read_judgments(content.encode(), name="votes.csv"))
    assert sentence in str(caught.value)


def test_nobody_takes_the_good_rows_for_all_rows() -> None:
    rows = read_judgments(f"{HEADER}\ni1,,own,api,left\ni1,ann,own,api,left\n".encode(), name="votes.csv")
    assert next(rows).line == 3
    with pytest.raises(UploadError, match=r"votes\.csv, line 2: 'rater' is empty"):
        next(rows)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(UploadError, match=r"Column 'right' not found\. Found: input, rater, left, verdict"):
        next(read_judgments(b"input,rater,left,verdict\ni,r,a,left\n"))


def test_a_table_without_rows_is_refused() -> None:
    with pytest.raises(UploadError, match="has a header but no rows"):
        list(read_judgments(HEADER.encode()))


def test_the_reference_votes_are_read_by_their_own_headers() -> None:
    rows = list(read_judgments(shared("data", "llmfao_votes", "votes.csv")))
    assert (len(rows), len({row.rater for row in rows})) == (8931, 124)


def many(path: Path, count: int) -> Iterator[int]:
    with path.open("w") as file:
        file.write(HEADER + "\n")
        file.writelines(f"in{number % 50},r{number % 99},own,api,left\n" for number in range(count))
    yield from (row.line for row in read_judgments(path))


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    tracemalloc.start()
    last = 0
    for last in many(tmp_path / "votes.csv", 25_000):  # noqa: B007  # only the last is looked at
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert last == 25_001
    assert peak < 1_500_000
