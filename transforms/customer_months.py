"""Spine and table: what each customer pays at the end of each month, and how that changed."""

from datetime import date

import polars as pl

from schemas.base import UNKNOWN
from transforms.calendar import MONTH, period_end
from transforms.fates import counted
from transforms.money import MONEY
from transforms.recurring import NO_PLAN, month_ends

_KEY = ["customer_id", "month"]


def customer_months(
    subscriptions: pl.LazyFrame, customers: pl.LazyFrame, *, data_through: date
) -> pl.LazyFrame:
    """One row per customer and month at whose start or end their MRR is above zero.

    The opening of a month is the closing of the one before. The running month closes, for now, on
    ``data_through``. A customer is new at the first month's end at which they pay. All months are
    made at once: customers times the months in which they pay must fit into memory.
    """
    closing = month_ends(subscriptions, data_through)
    next_month = pl.col("month").dt.offset_by("1mo")
    opening = closing.select(
        "customer_id",
        next_month.alias("month"),
        opening_plan="plan",
        opening_mrr_amount="mrr_amount",
    ).filter(pl.col("month") <= data_through)
    firsts = closing.group_by("customer_id").agg(first_month=pl.col("month").min())
    zero = pl.lit(0, MONEY)
    change = pl.col("mrr_amount") - pl.col("opening_mrr_amount")
    return (
        closing.join(opening, on=_KEY, how="full", coalesce=True)
        .with_columns(
            pl.col("mrr_amount", "opening_mrr_amount").fill_null(zero),
            pl.col("plan", "opening_plan").fill_null(NO_PLAN),
        )
        .join(firsts, on="customer_id")
        .join(_known(customers), on="customer_id", how="left")
        .select(
            *_KEY,
            "opening_mrr_amount",
            "mrr_amount",
            change.cast(MONEY).alias("change_amount"),
            _movement().alias("movement"),
            "opening_plan",
            "plan",
            pl.col("country", "segment").fill_null(UNKNOWN),
            is_complete=period_end(pl.col("month"), MONTH) <= data_through,
        )
    )


def _known(customers: pl.LazyFrame) -> pl.LazyFrame:
    return counted(customers).select("customer_id", "country", "segment")


def _movement() -> pl.Expr:
    opening, closing = pl.col("opening_mrr_amount"), pl.col("mrr_amount")
    return (
        pl.when(pl.col("month") == pl.col("first_month"))
        .then(pl.lit("new"))
        .when(opening == 0)
        .then(pl.lit("reactivation"))
        .when(closing == 0)
        .then(pl.lit("churn"))
        .when(closing > opening)
        .then(pl.lit("expansion"))
        .when(closing < opening)
        .then(pl.lit("contraction"))
        .otherwise(pl.lit("none"))
    )
