"""Spine: the plan of each customer on each day of a month, as bits."""

import polars as pl

from schemas.base import Table, column, table


@table(
    grain="one row per month, person and plan",
    key=["month", "user_id", "plan"],
    slice_by="month",
    published=False,
)
class PlanMonths(Table):
    """Every day from a person's first subscription on lies in one plan, which may be ``none``.

    A month is whole: days to come show what is known to be due, and readers stop at their horizon.
    """

    month: pl.Date = column("First day of the month")
    user_id: pl.String = column("Person who is the customer")
    plan: pl.String = column(
        "Plan that bears most of the person's MRR at the day's end, then by name; else none"
    )
    country: pl.String = column("Country of the customer as it is known now, or unknown")
    plan_days: pl.Int64 = column(
        "Days at whose end it is their plan. Bit 0 is the first day of the month, bit 30 the 31st",
        unit="bits",
        ge=1,
    )
