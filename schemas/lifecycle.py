"""New, retained, resurrected and dormant users."""

import polars as pl

from schemas.base import DO_NOT_SUM_DAYS, Table, column, count, table


@table(
    grain="one row per day, week or month, dimension and segment",
    key=["grain", "period_start", "dimension", "segment"],
    slice_by="period_start",
    warnings=[DO_NOT_SUM_DAYS],
    rules=[
        (
            "active_users is not new_users + retained_users + resurrected_users",
            pl.col("active_users")
            == pl.sum_horizontal("new_users", "retained_users", "resurrected_users"),
        ),
    ],
)
class Lifecycle(Table):
    """People by where they come from, judged within the segment's own history.

    dormant_users of a period = active_users of the period before - retained_users. A running
    period shows what there is so far, marked as not complete.
    """

    grain: pl.String = column("Length of the period", isin=["day", "week", "month"])
    period_start: pl.Date = column("First day of the period")
    dimension: pl.String = column("What segment is a value of, by the setting dimensions, or all")
    segment: pl.String = column("Value of the dimension, or all")
    new_users: pl.Int64 = count("People in their first active period ever", unit="people")
    retained_users: pl.Int64 = count("People active in the period before as well", unit="people")
    resurrected_users: pl.Int64 = count(
        "People active earlier, but not in the period before", unit="people"
    )
    dormant_users: pl.Int64 = count(
        "People active in the period before, but not in this one", unit="people"
    )
    active_users: pl.Int64 = count(
        "People active in the period",
        unit="people",
        formula="new_users + retained_users + resurrected_users",
    )
    is_complete: pl.Boolean = column("The period's last day is not after data_through")
