"""What lifetime value counts of subscriptions in each month, and the churn behind it."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from schemas.base import ALL
from transforms.customer_dimensions import CELL, every_month
from transforms.money import total

_MONTHS = 12


def paying_months(
    customer_months: pl.LazyFrame, worth: pl.LazyFrame, dimensions: Sequence[str]
) -> pl.LazyFrame:
    """Customers who pay at each month's end, by what they are then, as orders of their MRR.

    ``worth``: what each customer brought and is expected to bring, null where that is not known.
    A customer is new at the first month's end at which they pay.
    """
    is_new = pl.col("movement") == "new"
    foretold = pl.col("worth").filter(is_new & pl.col("worth").is_not_null())
    paying = customer_months.filter(pl.col("mrr_amount") > 0).join(
        worth, on="customer_id", how="left"
    )
    values = {ALL: pl.lit(ALL), **{name: pl.col(name) for name in dimensions}}
    customers = pl.len().cast(pl.Int64)
    return pl.concat(
        paying.group_by("month", dimension=pl.lit(name), segment=value).agg(
            orders=customers,
            revenue_amount=total(pl.col("mrr_amount")),
            customers=customers,
            new_customers=is_new.sum().cast(pl.Int64),
            predicted_customers=foretold.len().cast(pl.Int64),
            predicted_total_amount=total(foretold),
        )
        for name, value in values.items()
    )


def mean_churn(churn_monthly: pl.LazyFrame, data_through: date) -> pl.LazyFrame:
    """``mean_churn_rate`` of each month and segment: of the last 12 complete months up to it.

    Months at whose start there was no customer have no rate and are left out. The rates are added
    in order of time, and so always in the same order.
    """
    ended = pl.col("month").dt.month_end() <= data_through
    rate = pl.when(ended & pl.col("is_complete")).then("churn_rate")
    before = [
        pl.col("churn_rate").shift(months).over(CELL[1:], order_by="month")
        for months in range(_MONTHS)
    ]
    every = every_month(
        churn_monthly.filter(pl.col("month") <= data_through).select(*CELL, churn_rate=rate),
        data_through,
        *CELL[1:],
    )
    return every.select(*CELL, mean_churn_rate=pl.mean_horizontal(*before))
