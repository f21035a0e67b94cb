"""Active users by calendar week and month."""

import polars as pl

from schemas.base import DO_NOT_SUM_DAYS, Table, column, count, share, table


@table(
    grain="one row per week or month, dimension and segment",
    key=["grain", "period_start", "dimension", "segment"],
    slice_by="period_start",
    warnings=[DO_NOT_SUM_DAYS],
)
class ActiveUsersPeriodic(Table):
    """Calendar uniques. A running period shows what there is so far, marked as not complete."""

    grain: pl.String = column("Length of the period", isin=["week", "month"])
    period_start: pl.Date = column("First day of the period")
    dimension: pl.String = column("What segment is a value of, by the setting dimensions, or all")
    segment: pl.String = column("Value of the dimension, or all")
    active_users: pl.Int64 = count("People active on at least one day of the period", unit="people")
    active_user_days: pl.Int64 = count(
        "Daily active users, summed over the days of the period", unit="days"
    )
    elapsed_days: pl.Int64 = column(
        "Days of the period from the first day of history to data_through",
        unit="days",
        ge=1,
        le=31,
    )
    mean_dau: pl.Float64 = column(
        "Daily active users on the average elapsed day",
        unit="people",
        formula="active_user_days / elapsed_days",
        nullable=True,
        ge=0.0,
    )
    stickiness_ratio: pl.Float64 = share(
        "How much of the period's audience comes on the average day; null when nobody came",
        formula="mean_dau / active_users",
    )
    is_complete: pl.Boolean = column("The period's last day is not after data_through")
