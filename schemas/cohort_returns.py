"""Internal: how many people of each retention cohort returned in each later period."""

import polars as pl

from schemas.base import Table, column, table


@table(
    grain="one row per definition, cohort, later period in which somebody returned, and segment",
    key=["definition", "grain", "cohort_start", "period_start", "dimension", "segment"],
    slice_by="period_start",
    published=False,
)
class CohortReturns(Table):
    """Filed by the period of return, so that a late row touches no other month."""

    definition: pl.String = column("activity, or a name from the setting retentions")
    grain: pl.String = column("Length of the periods", isin=["day", "week", "month"])
    cohort_start: pl.Date = column("First day of the period in which people entered")
    period_start: pl.Date = column("First day of the period in which they returned")
    dimension: pl.String = column("Dimension, or all")
    segment: pl.String = column("Value of the dimension at entry, or all")
    users: pl.Int64 = column("People of the cohort who returned in the period", unit="people", ge=1)
