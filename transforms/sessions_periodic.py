"""Sessions and visitors by calendar week and month."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from schemas.base import dtypes
from schemas.sessions_periodic import SessionsPeriodic
from transforms.calendar import MONTH, WEEK, period_end
from transforms.session_counts import session_counts


def sessions_periodic(
    session_days: pl.LazyFrame,
    plan_months: pl.LazyFrame,
    visitors: pl.LazyFrame,
    visitor_segments: pl.LazyFrame,
    *,
    dimensions: Sequence[str],
    week_start: str,
    data_through: date,
) -> pl.LazyFrame:
    """Every week and month of every segment, from the one of its first session to the running one.

    A week is filed under the month in which it starts and may end in the next: the inputs go one
    month further.
    """
    parts = [
        session_counts(
            session_days,
            plan_months,
            visitors,
            visitor_segments,
            grain,
            dimensions=dimensions,
            week_start=week_start,
            data_through=data_through,
        ).with_columns(
            grain=pl.lit(grain),
            is_complete=period_end(pl.col("period_start"), grain) <= data_through,
        )
        for grain in (WEEK, MONTH)
    ]
    return pl.concat(parts).select(list(dtypes(SessionsPeriodic)))
