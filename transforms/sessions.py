"""Sessions."""

from datetime import date

import polars as pl

from schemas.base import ALL, dtypes
from schemas.sessions import Sessions


def sessions(
    session_days: pl.LazyFrame, visitors: pl.LazyFrame, *, data_through: date
) -> pl.LazyFrame:
    """The sessions that start up to ``data_through``, with who came for the first time.

    ``visitors`` are those whose first session starts in the months of ``session_days``.
    """
    everybody = visitors.filter(pl.col("dimension") == ALL).select("user_id", "first_date")
    is_first = pl.col("is_first_of_day") & (pl.col("first_date") == pl.col("date"))
    return (
        session_days.filter(pl.col("date") <= data_through)
        # In the order in which sessions are stored, so that they need not be sorted again.
        .join(everybody, on="user_id", how="left", maintain_order="left")
        .with_columns(is_new_visitor=is_first.fill_null(False))
        .select(list(dtypes(Sessions)))
    )
