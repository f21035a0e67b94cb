"""Sessions and visitors by day."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from schemas.base import dtypes
from schemas.sessions_daily import SessionsDaily
from transforms.calendar import DAY
from transforms.session_counts import session_counts


def sessions_daily(
    session_days: pl.LazyFrame,
    plan_months: pl.LazyFrame,
    visitors: pl.LazyFrame,
    visitor_segments: pl.LazyFrame,
    *,
    dimensions: Sequence[str],
    data_through: date,
) -> pl.LazyFrame:
    """Every day of every segment from its first session to ``data_through``.

    ``visitor_segments`` holds all months up to the last one.
    """
    counts = session_counts(
        session_days,
        plan_months,
        visitors,
        visitor_segments,
        DAY,
        dimensions=dimensions,
        week_start="monday",
        data_through=data_through,
    )
    days = counts.rename({"period_start": "date"})
    return days.with_columns(is_complete=pl.col("date") <= data_through).select(
        list(dtypes(SessionsDaily))
    )
