"""Rows in an order in which those that belong together follow one another: runs.

Sums and places of runs are differences of running sums, which cost far less than groups by hash.
"""

import polars as pl


class Runs:
    """The runs of some rows.

    ``row_at`` tells which row is at each place of the order, ``begins`` whether a run begins there;
    at the first place one does. What is handed to the methods is a column of the rows; what they
    give has one value per run.
    """

    def __init__(self, row_at: pl.Series, begins: pl.Series) -> None:
        starts = begins.arg_true()
        self._row_at = row_at
        self._last = (starts.shift(-1, fill_value=begins.len()).cast(pl.Int64) - 1).cast(pl.UInt32)
        self.first_row = row_at.gather(starts)
        self.last_row = row_at.gather(self._last)
        self.lengths = (self._last.cast(pl.Int64) - starts + 1).cast(pl.Int64)

    def sum(self, values: pl.Series) -> pl.Series:
        """Sum of integers without nulls, or how often something holds."""
        until = self._until(values.gather(self._row_at))
        return until - until.shift(1, fill_value=0)

    def first(self, holds: pl.Series) -> pl.Series:
        """The first row of which it holds, null where there is none."""
        rows, before, until = self._holding(holds)
        return rows.gather(before.set(before == until, None))

    def last(self, holds: pl.Series) -> pl.Series:
        """The last row of which it holds, null where there is none."""
        rows, before, until = self._holding(holds)
        return rows.gather((until - 1).set(before == until, None))

    def _holding(self, holds: pl.Series) -> tuple[pl.Series, pl.Series, pl.Series]:
        """The rows of which it holds, and of each run how many come before it, and to its end."""
        ordered = holds.gather(self._row_at)
        until = self._until(ordered)
        return self._row_at.filter(ordered), until.shift(1, fill_value=0), until

    def _until(self, ordered: pl.Series) -> pl.Series:
        return ordered.cum_sum().gather(self._last).cast(pl.Int64)
