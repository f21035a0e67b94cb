"""Sessions and visitors by calendar week and month."""

import polars as pl

from schemas.base import DO_NOT_SUM_DAYS, Table, column, table
from schemas.session_counts import COUNT_RULES, SessionCounts


class _Period(Table):
    grain: pl.String = column("Length of the period", isin=["week", "month"])
    period_start: pl.Date = column("First day of the period")
    dimension: pl.String = column("What segment is a value of, by the setting dimensions, or all")
    segment: pl.String = column("Value of the dimension, or all")


@table(
    grain="one row per week or month, dimension and segment",
    key=["grain", "period_start", "dimension", "segment"],
    slice_by="period_start",
    warnings=[DO_NOT_SUM_DAYS],
    rules=COUNT_RULES,
)
class SessionsPeriodic(SessionCounts, _Period):
    """Sessions that start in a calendar week or month, and the distinct people who had them.

    A running period shows what there is so far, marked as not complete. Segments are those of
    sessions_daily.
    """

    is_complete: pl.Boolean = column("The period's last day is not after data_through")
