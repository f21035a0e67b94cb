"""On how many days of a week or month people were active."""

import polars as pl

from schemas.base import Table, column, table


@table(
    grain="one row per week or month and number of active days that occurs",
    key=["grain", "period_start", "active_days"],
    slice_by="period_start",
)
class ActiveDaysHistogram(Table):
    """Everybody active in a period; the users of a period sum to its active users."""

    grain: pl.String = column("Length of the period", isin=["week", "month"])
    period_start: pl.Date = column("First day of the period")
    active_days: pl.Int64 = column("Days of the period with activity", unit="days", ge=1, le=31)
    users: pl.Int64 = column("People active on exactly that many days", unit="people", ge=1)
    is_complete: pl.Boolean = column("The period's last day is not after data_through")
