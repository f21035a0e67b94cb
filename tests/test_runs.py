"""Sums and places of rows that follow one another."""

import polars as pl

from transforms.runs import Runs

# In the order of rows 3, 1 | 0 | 4, 2.
RUNS = Runs(
    pl.Series([3, 1, 0, 4, 2], dtype=pl.UInt32), pl.Series([True, False, True, True, False])
)


def test_a_run_has_its_first_and_last_row_and_a_length() -> None:
    assert RUNS.first_row.to_list() == [3, 0, 4]
    assert RUNS.last_row.to_list() == [1, 0, 2]
    assert RUNS.lengths.to_list() == [2, 1, 2]


def test_a_sum_is_that_of_the_rows_of_the_run() -> None:
    # Rows 3 and 1: 40 + 20; row 0: 10; rows 4 and 2: 50 - 30.
    rows = pl.DataFrame({"x": [10, 20, -30, 40, 50], "is": [True, True, False, True, False]})
    sums = RUNS.sums(rows, total=pl.col("x"), times=pl.col("is"))
    assert sums.to_dict(as_series=False) == {"total": [60, 10, 20], "times": [2, 1, 0]}


def test_the_first_and_last_row_of_which_something_holds_follow_the_order_of_the_run() -> None:
    rows = pl.DataFrame({"x": [0, 7, 7, 7, 0]})
    seven, nine = pl.col("x") == 7, pl.col("x") == 9
    firsts = RUNS.firsts(rows, seven=seven, nine=nine).to_dict(as_series=False)
    assert firsts == {"seven": [3, None, 2], "nine": [None, None, None]}
    lasts = RUNS.lasts(rows, seven=seven, nine=nine).to_dict(as_series=False)
    assert lasts == {"seven": [1, None, 2], "nine": [None, None, None]}


def test_no_rows_have_no_runs() -> None:
    runs = Runs(pl.Series([], dtype=pl.UInt32), pl.Series([], dtype=pl.Boolean))
    rows = pl.DataFrame(schema={"x": pl.Int64})
    assert runs.lengths.to_list() == []
    assert runs.sums(rows, total=pl.col("x")).height == 0
    assert runs.firsts(rows, seven=pl.col("x") == 7).height == 0
