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
    assert RUNS.sum(pl.Series([10, 20, -30, 40, 50])).to_list() == [60, 10, 20]
    assert RUNS.sum(pl.Series([True, True, False, True, False])).to_list() == [2, 1, 0]


def test_the_first_and_last_row_of_which_something_holds_follow_the_order_of_the_run() -> None:
    holds = pl.Series([False, True, True, True, False])
    assert RUNS.first(holds).to_list() == [3, None, 2]
    assert RUNS.last(holds).to_list() == [1, None, 2]
    nowhere = pl.Series([False] * 5)
    assert RUNS.first(nowhere).to_list() == [None, None, None]
    assert RUNS.last(nowhere).to_list() == [None, None, None]


def test_no_rows_have_no_runs() -> None:
    runs = Runs(pl.Series([], dtype=pl.UInt32), pl.Series([], dtype=pl.Boolean))
    assert runs.lengths.to_list() == []
    assert runs.sum(pl.Series([], dtype=pl.Int64)).to_list() == []
    assert runs.first(pl.Series([], dtype=pl.Boolean)).to_list() == []
