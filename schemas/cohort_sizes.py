"""Internal: how many people entered each retention cohort."""

import polars as pl

from schemas.base import Table, column, table


@table(
    grain="one row per definition, cohort, dimension and segment",
    key=["definition", "grain", "cohort_start", "dimension", "segment"],
    slice_by="cohort_start",
    published=False,
)
class CohortSizes(Table):
    """Cohorts with at least one person."""

    definition: pl.String = column("activity, or a name from the setting retentions")
    grain: pl.String = column("Length of the periods", isin=["day", "week", "month"])
    cohort_start: pl.Date = column("First day of the period in which people entered")
    dimension: pl.String = column("Dimension, or all")
    segment: pl.String = column("Value of the dimension at entry, or all")
    cohort_users: pl.Int64 = column("People who entered", unit="people", ge=1)
