"""What orders tell of a customer's buying: days with a purchase, and their history up to a day."""

from datetime import date

import polars as pl

from transforms.fates import counted
from transforms.money import MONEY, total


def purchase_days(orders: pl.LazyFrame, first: date | None, last: date) -> pl.LazyFrame:
    """Days on which a customer bought: customer_id, event_date, and the day's netted amount.

    The days are those after ``first`` (None: from the beginning) up to ``last``. Refunds of a day
    with a purchase are netted; a day with refunds alone is none.
    """
    day = pl.col("event_date")
    within = day <= last if first is None else (day > first) & (day <= last)
    return (
        counted(orders)
        .filter(within)
        .group_by("customer_id", "event_date")
        .agg(total(pl.col("amount")), has_purchase=(pl.col("kind") == "purchase").any())
        .filter("has_purchase")
        .drop("has_purchase")
    )


def histories(orders: pl.LazyFrame, end: date) -> pl.LazyFrame:
    """One row per customer with a purchase up to ``end``, as the models read it.

    ``frequency``: days with a purchase after the first; ``recency_days``: from the first to the
    last; ``tenure_days``: from the first to ``end``; ``valued_days`` and ``valued_amount``: the
    repeat days whose netted amount is above zero, and its sum. Groups all orders by customer.
    """
    day = pl.col("event_date")
    valued = pl.col("amount").filter((day > day.min()) & (pl.col("amount") > 0))
    return (
        purchase_days(orders, None, end)
        .group_by("customer_id")
        .agg(
            frequency=pl.len().cast(pl.Int64) - 1,
            recency_days=(day.max() - day.min()).dt.total_days(),
            tenure_days=(pl.lit(end) - day.min()).dt.total_days(),
            valued_days=valued.len().cast(pl.Int64),
            valued_amount=total(valued),
        )
    )


def later_days(orders: pl.LazyFrame, cutoff: date, last: date) -> pl.LazyFrame:
    """What customers did after ``cutoff``: days of purchase, those of value, and their sum."""
    worth = pl.col("amount").filter(pl.col("amount") > 0)
    return (
        purchase_days(orders, cutoff, last)
        .group_by("customer_id")
        .agg(
            later_days=pl.len().cast(pl.Int64),
            later_valued_days=worth.len().cast(pl.Int64),
            later_valued_amount=total(worth),
        )
    )


def with_later_days(known: pl.LazyFrame, later: pl.LazyFrame) -> pl.LazyFrame:
    """The customers of ``known`` with what they did later, zero where that is nothing."""
    return known.join(later, on="customer_id", how="left").with_columns(
        pl.col("later_days", "later_valued_days").fill_null(0),
        pl.col("later_valued_amount").fill_null(pl.lit(0, MONEY)),
    )
