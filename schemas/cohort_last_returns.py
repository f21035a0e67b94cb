"""Internal: in which period the people of each retention cohort returned for the last time."""

import polars as pl

from schemas.base import Table, column, table


@table(
    grain="one row per definition, cohort whose run has ended, segment and index of last return",
    key=["definition", "grain", "cohort_start", "dimension", "segment", "last_return_index"],
    slice_by="last_period_end",
    published=False,
)
class CohortLastReturns(Table):
    """Filed by the month in which the period of the cohort's last index ends."""

    definition: pl.String = column("activity, or a name from the setting retentions")
    grain: pl.String = column("Length of the periods", isin=["day", "week", "month"])
    cohort_start: pl.Date = column("First day of the period in which people entered")
    last_period_end: pl.Date = column("Last day of the period of the last index")
    dimension: pl.String = column("Dimension, or all")
    segment: pl.String = column("Value of the dimension at entry, or all")
    last_return_index: pl.Int64 = column(
        "Index of the last period in which they returned; 0 if they never did", ge=0
    )
    users: pl.Int64 = column("People of the cohort", unit="people", ge=1)
