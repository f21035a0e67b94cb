"""What becomes of a landed row once all rows of its source are seen together.

Every accepted row stands in its fact table with a ``fate``, so that the ledger can account for it;
only rows that count reach a metric.
"""

from collections.abc import Sequence

import polars as pl

COUNTS, DUPLICATE, AWAITING_RATE = "counts", "duplicate", "awaiting_rate"
EXCLUDED = "excluded"
ARRIVAL = ("landing_date", "file", "line", "item")


def counted(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The rows that count."""
    return rows.filter(pl.col("fate") == COUNTS)


def excluding_staff(rows: pl.LazyFrame, staff: pl.LazyFrame, ids: Sequence[str]) -> pl.LazyFrame:
    """The rows with the fate ``excluded`` where one of the ``ids`` is of staff; in no order.

    A duplicate stays one: another row stands for it.
    """
    marks = [f"{name}_is_of_staff" for name in ids]
    for name, mark in zip(ids, marks, strict=True):
        own = staff.select(pl.col("staff_id").alias(name), pl.lit(True).alias(mark))
        rows = rows.join(own, on=name, how="left")
    is_of_staff = pl.any_horizontal(marks).fill_null(False) & (pl.col("fate") != DUPLICATE)
    fate = pl.when(is_of_staff).then(pl.lit(EXCLUDED)).otherwise("fate")
    return rows.with_columns(fate=fate).drop(marks)


def latest(rows: pl.LazyFrame, identity: Sequence[str], updated: str | None) -> pl.LazyFrame:
    """Add ``fate``: of the rows of one identity the latest counts, by ``updated``, then arrival.

    ``updated`` names a timestamp; a row without it is older than every row with one. Nulls in the
    identity are a value like any other. Groups all rows that are handed in.
    """
    order = [updated, *ARRIVAL] if updated else list(ARRIVAL)
    place_from_the_end = pl.int_range(pl.len(), 0, -1).over(list(identity), order_by=order)
    fate = pl.when(place_from_the_end == 1).then(pl.lit(COUNTS)).otherwise(pl.lit(DUPLICATE))
    return rows.with_columns(fate=fate)
