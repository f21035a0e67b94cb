"""What orders tell of a customer's buying: days with a purchase, and their history up to a day."""

from datetime import date

import polars as pl

from transforms.fates import ARRIVAL, counted
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


def first_purchases(orders: pl.LazyFrame) -> pl.LazyFrame:
    """The line with which each customer began to buy; ``orders`` are rows that count."""
    order = ["ordered_ts", "order_id", "line_id", *ARRIVAL]
    purchases = orders.filter(pl.col("kind") == "purchase")
    # Few lines lie at a customer's first instant: only these are put in order.
    begun = purchases.group_by("customer_id").agg(pl.col("ordered_ts").min())
    candidates = purchases.join(begun, on=["customer_id", "ordered_ts"], how="semi")
    place = pl.int_range(pl.len()).over("customer_id", order_by=order)
    return candidates.filter(place == 0)


def histories(orders: pl.LazyFrame, end: date) -> pl.LazyFrame:
    """One row per customer with a purchase up to ``end``, as the models read it.

    ``frequency``: days with a purchase after the first; ``recency_days``: from the first to the
    last; ``tenure_days``: from the first to ``end``; ``valued_days`` and ``valued_amount``: the
    repeat days whose netted amount is above zero, and its sum. Groups all orders by customer.
    """
    day, none = pl.col("event_date"), pl.lit(0, MONEY)
    worth = pl.when(pl.col("amount") > 0).then("amount")
    days = purchase_days(orders, None, end)
    firsts = days.select("customer_id", first_date=day, first_worth=worth)
    # The first day is taken off afterwards: a filter within a group is many times slower.
    repeats = pl.col("valued_days") - pl.col("first_worth").is_not_null().cast(pl.Int64)
    spent = pl.col("valued_amount") - pl.coalesce("first_worth", none)
    return (
        days.group_by("customer_id")
        .agg(
            first_date=day.min(),
            last_date=day.max(),
            frequency=pl.len().cast(pl.Int64) - 1,
            valued_days=worth.count().cast(pl.Int64),
            valued_amount=total(worth),
        )
        .join(firsts, on=["customer_id", "first_date"])
        .select(
            "customer_id",
            "frequency",
            recency_days=(pl.col("last_date") - pl.col("first_date")).dt.total_days(),
            tenure_days=(pl.lit(end) - pl.col("first_date")).dt.total_days(),
            valued_days=repeats,
            valued_amount=spent.cast(MONEY),
        )
    )


def later_days(orders: pl.LazyFrame, cutoff: date, last: date) -> pl.LazyFrame:
    """What customers did after ``cutoff``: days of purchase, those of value, and their sum."""
    worth = pl.when(pl.col("amount") > 0).then("amount")
    return (
        purchase_days(orders, cutoff, last)
        .group_by("customer_id")
        .agg(
            later_days=pl.len().cast(pl.Int64),
            later_valued_days=worth.count().cast(pl.Int64),
            later_valued_amount=total(worth),
        )
    )


def with_later_days(known: pl.LazyFrame, later: pl.LazyFrame) -> pl.LazyFrame:
    """The customers of ``known`` with what they did later, zero where that is nothing."""
    return known.join(later, on="customer_id", how="left").with_columns(
        pl.col("later_days", "later_valued_days").fill_null(0),
        pl.col("later_valued_amount").fill_null(pl.lit(0, MONEY)),
    )
