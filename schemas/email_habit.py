"""How many people make a habit of opening mails."""

import polars as pl

from schemas.base import DO_NOT_SUM_DAYS, Table, column, count, share, table


@table(
    grain="one row per day, week or month",
    key=["grain", "period_start"],
    slice_by="period_start",
    warnings=[DO_NOT_SUM_DAYS],
    rules=[
        (
            "every_period_openers, some_period_openers and mailed_customers do not rise",
            (pl.col("every_period_openers") <= pl.col("some_period_openers"))
            & (pl.col("some_period_openers") <= pl.col("mailed_customers")),
        )
    ],
)
class EmailHabit(Table):
    """People with mails in the 28 days, 4 weeks or 3 months that end with a period.

    Of a person only those periods are looked at in which a mail was delivered to them. An opening
    counts in the period in which it happens, of whatever campaign and whenever delivered; openings
    by machines are none. Without email_delivered from the source there are no rows. Every period
    stands here from the first delivered mail to ``data_through``.
    """

    grain: pl.String = column("Length of the period", isin=["day", "week", "month"])
    period_start: pl.Date = column("First day of the period with which the look back ends")
    mailed_customers: pl.Int64 = count(
        "People to whom a mail was delivered in the 28 days, 4 weeks or 3 months",
        unit="people",
        warning=DO_NOT_SUM_DAYS,
    )
    every_period_openers: pl.Int64 = count(
        "Those who opened a mail in each period in which one was delivered to them",
        unit="people",
        warning=DO_NOT_SUM_DAYS,
    )
    some_period_openers: pl.Int64 = count(
        "Those who opened a mail in at least one period in which one was delivered to them",
        unit="people",
        warning=DO_NOT_SUM_DAYS,
    )
    every_period_open_rate: pl.Float64 = share(
        "Share of the people mailed who opened in every such period",
        formula="every_period_openers / mailed_customers",
    )
    some_period_open_rate: pl.Float64 = share(
        "Share of the people mailed who opened in at least one such period",
        formula="some_period_openers / mailed_customers",
    )
    is_complete: pl.Boolean = column("The period's last day is not after data_through")
