"""Rows in an order in which those that belong together follow one another: runs.

Sums and places of runs are differences of running sums, which cost far less than groups by hash.
"""

from collections.abc import Mapping

import polars as pl


class Runs:
    """The runs of some rows.

    ``row_at`` tells which row is at each place of the order, ``begins`` whether a run begins there;
    at the first place one does. What is handed to the methods are expressions of the rows' columns,
    all of which are worked on side by side; what they give has one row per run.
    """

    def __init__(self, row_at: pl.Series, begins: pl.Series) -> None:
        starts = begins.arg_true()
        self._row_at = row_at
        self._last = (starts.shift(-1, fill_value=begins.len()).cast(pl.Int64) - 1).cast(pl.UInt32)
        self.first_row = row_at.gather(starts)
        self.last_row = row_at.gather(self._last)
        self.lengths = (self._last.cast(pl.Int64) - starts + 1).cast(pl.Int64)

    def sums(self, rows: pl.DataFrame, **values: pl.Expr) -> pl.DataFrame:
        """Sums of integers without nulls, or how often something holds."""
        until = self._until(self._ordered(rows, values))
        return until.select(pl.all() - pl.all().shift(1, fill_value=0))

    def firsts(self, rows: pl.DataFrame, **conditions: pl.Expr) -> pl.DataFrame:
        """The first row of which each holds, null where there is none."""
        return self._rows_of_which(rows, conditions, is_last=False)

    def lasts(self, rows: pl.DataFrame, **conditions: pl.Expr) -> pl.DataFrame:
        """The last row of which each holds, null where there is none."""
        return self._rows_of_which(rows, conditions, is_last=True)

    def _rows_of_which(
        self, rows: pl.DataFrame, conditions: Mapping[str, pl.Expr], *, is_last: bool
    ) -> pl.DataFrame:
        ordered = self._ordered(rows, conditions)
        # Of each run, how many rows of which it holds come before it, and to its end.
        until = pl.all()
        before = until.shift(1, fill_value=0)
        place = pl.when(before < until).then(until - 1 if is_last else before)
        places = self._until(ordered).select(place)
        row_at = pl.lit(self._row_at)
        return ordered.select(
            row_at.filter(pl.col(name)).gather(places[name]).alias(name) for name in conditions
        )

    def _ordered(self, rows: pl.DataFrame, values: Mapping[str, pl.Expr]) -> pl.DataFrame:
        return rows.select(
            expression.gather(self._row_at).alias(name) for name, expression in values.items()
        )

    def _until(self, ordered: pl.DataFrame) -> pl.DataFrame:
        return ordered.select(pl.all().cum_sum().gather(self._last).cast(pl.Int64))
